"""Whether anything acknowledged is lost, or any book wrong, while everything is killed."""

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
        f"{BUYERS} buyers at {NODES} servers after one product for {seconds:g} s, paying at Toss "
        "and Stripe, with coupons and points, and a seller who gives back; servers, PostgreSQL, "
        "Valkey and the payment provider are killed one after another in random order; holds, "
        "orders and refunds that were acknowledged and are there. The floor: all that were "
        "acknowledged",
    )
    plan = Plan(BUYERS, round(seconds * STOCK_PER_S), seconds, SEED)
    with tempfile.TemporaryDirectory(prefix="kkot-chaos-") as folder:
        async with chaos(Path(folder), plan) as books:
            found = await books.find()
    for fault in found.faults:
        print(f"  500: {fault}")
    acknowledged = found.holds + found.orders + found.refunds
    more = {name: float(value) for name, value in asdict(found).items() if isinstance(value, int)}
    more["faults"] = float(len(found.faults))
    counts = {"killed": found.kills, "refused": found.refused}
    for what, by in counts.items():
        more |= {f"{what}_{name}": float(count) for name, count in by.items()}
    kept = acknowledged - found.lost
    Report("chaos", kept, "acknowledged and there", acknowledged, more).print()
