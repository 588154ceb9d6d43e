"""Everything is killed under buyers: nothing acknowledged is lost, and the books stay right.

`python -m tests.bench chaos --seconds 120` does it at length.
"""

from pathlib import Path
from typing import Final

from tests.whole.chaos import NODES, Plan, chaos

PLAN: Final = Plan(buyers=10, stock=60, seconds=6, seed=5)


async def test_the_books_are_right_whatever_is_killed(tmp_path: Path) -> None:
    found = await chaos(tmp_path, PLAN)
    assert found.kills >= NODES + 2, "not everything was killed"
    assert found.holds > PLAN.buyers, found
    assert found.paid > 0, found
    assert (found.lost, found.broken, found.faults) == (0, 0, 0), found
    assert (found.oversold, found.drift, found.unbacked, found.owed_minor) == (0, 0, 0, 0), found
