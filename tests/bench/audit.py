"""Whether anything of a shop is lost while servers, subscriptions and Valkey break."""

import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Final

from tests.audit.audit import NODES, Plan, audit
from tests.bench.fanout import SHOP_PER_S, Load
from tests.bench.report import Report, introduce

CUT_EVERY_S: Final = 5.0


async def run(load: Load) -> None:
    """Measure and print."""
    introduce(
        "audit",
        f"{load.connections} websockets of {NODES} servers told {load.messages_per_s} messages/s "
        f"and {SHOP_PER_S} shop events/s for {load.seconds:g} s, while all subscriptions are cut "
        f"every {CUT_EVERY_S:g} s, a server is killed and comes back, and Valkey is killed; shop "
        "events told to all viewers. The floor: with those they should have been told",
    )
    cuts = max(1, round(load.seconds / CUT_EVERY_S))
    plan = Plan(load.connections, load.messages_per_s, SHOP_PER_S, load.seconds, cuts)
    with tempfile.TemporaryDirectory(prefix="kkot-audit-") as folder:
        found = await audit(Path(folder), plan)
    due = found.told + found.missing + found.stale
    Report("audit", found.told, "shop events told", due, asdict(found)).print()
