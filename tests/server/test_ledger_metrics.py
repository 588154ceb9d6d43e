"""The ledger's recount in the operator's graphs."""

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest

from cart.core.recount import Tally
from cart.ports.stock import Recounts
from cart.reconciling import Reconciling
from live.server.ledger_metrics import LedgerCollector


class TwoSkus(Recounts):
    """One that is right and one that lacks a unit."""

    async def page(self, after: str, limit: int) -> list[Tally]:
        """Both."""
        return [Tally("a", (1, 0, 0), (1, 0, 0)), Tally("b", (1, 0, 0), (2, 0, 0))]


async def test_drifting_skus_are_told() -> None:
    reconciling = Reconciling(TwoSkus())
    await reconciling.recount()
    registry = CollectorRegistry()
    registry.register(LedgerCollector(reconciling))
    lines = generate_latest(registry).decode().splitlines()
    assert [line for line in lines if not line.startswith("#")] == [
        "kkot_ledger_recounted_total 2.0",
        "kkot_ledger_drifting 1.0",
    ]
