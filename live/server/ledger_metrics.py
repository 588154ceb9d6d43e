"""What the operator's graphs show of the ledger's recount, as this node does it."""

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import REGISTRY
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from cart.reconciling import Reconciling


class LedgerCollector(Collector):
    """Gathers the metrics of a reconciler."""

    def __init__(self, reconciling: Reconciling) -> None:
        self._reconciling = reconciling

    def collect(self) -> Iterator[Metric]:
        """What there is at this moment."""
        yield CounterMetricFamily(
            "kkot_ledger_recounted",
            "Times that this node compared a SKU's counters with its movements",
            self._reconciling.counted,
        )
        yield GaugeMetricFamily(
            "kkot_ledger_drifting",
            "SKUs whose counters were not the sum of their movements when last compared",
            len(self._reconciling.drifting),
        )


@contextmanager
def ledger_metrics(reconciling: Reconciling) -> Iterator[None]:
    """The reconciler's metrics are at /metrics inside."""
    collector = LedgerCollector(reconciling)
    REGISTRY.register(collector)
    try:
        yield
    finally:
        REGISTRY.unregister(collector)
