"""Servers killed, subscriptions cut, Valkey killed: no shop event is missed, none is told twice.

`python -m tests.bench audit --connections 2000 --seconds 60` does the same at full size.
"""

from pathlib import Path
from typing import Final

from tests.audit.audit import NODES, Plan, audit

PLAN: Final = Plan(viewers=60, messages_per_s=30, shop_events_per_s=20, seconds=12, cuts=3)


async def test_no_shop_event_is_lost_whatever_breaks(tmp_path: Path) -> None:
    found = await audit(tmp_path, PLAN)
    assert found.cut >= PLAN.cuts
    assert found.came_back >= PLAN.viewers // NODES // 2, "nobody was cut off"
    assert found.began_anew >= PLAN.viewers, "no epoch was new"
    assert found.told > found.edits * PLAN.viewers // 2
    assert found.shown > 0
    assert (found.missing, found.repeated, found.outdated) == (0, 0, 0)
    assert (found.stale, found.away, found.dismissed) == (0, 0, 0)
