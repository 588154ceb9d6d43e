"""Whether anything acknowledged is lost while servers, PostgreSQL and Valkey are killed."""

import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Final

from tests.bench.report import Report, introduce
from tests.whole.chaos import NODES, Plan, chaos

BUYERS: Final = 32
STOCK_PER_S: Final = 20
SEED: Final = 1


async def run(_viewers: int, seconds: float) -> None:
    """Measure and print."""
    introduce(
        "chaos",
        f"{BUYERS} buyers at {NODES} servers after one product for {seconds:g} s, while servers, "
        "PostgreSQL and Valkey are killed one after another in random order; holds and orders "
        "that were acknowledged and are there. The floor: all that were acknowledged",
    )
    plan = Plan(BUYERS, round(seconds * STOCK_PER_S), seconds, SEED)
    with tempfile.TemporaryDirectory(prefix="kkot-chaos-") as folder:
        found = await chaos(Path(folder), plan)
    acknowledged = found.holds + found.orders
    refused = {f"refused_{code}": float(count) for code, count in found.refused.items()}
    more = {name: float(value) for name, value in asdict(found).items() if name != "refused"}
    kept = acknowledged - found.lost
    Report("chaos", kept, "acknowledged and there", acknowledged, more | refused).print()
