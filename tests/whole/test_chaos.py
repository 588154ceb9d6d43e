"""Everything is killed under buyers: nothing acknowledged is lost, and the books stay right.

`python -m tests.bench chaos --seconds 120` does it at length.
"""

from pathlib import Path
from typing import Final

from tests.whole.chaos import VICTIMS, Plan, chaos

PLAN: Final = Plan(buyers=10, stock=120, seconds=6, seed=5)


async def test_the_books_are_right_whatever_is_killed(tmp_path: Path) -> None:
    found = await chaos(tmp_path, PLAN)
    assert found.kills.total() >= VICTIMS, "not everybody was killed"
    assert len(found.kills) == VICTIMS - 1, "two servers are of one kind"
    assert found.holds > PLAN.buyers, found
    assert found.paid > PLAN.buyers, found
    assert found.refunds > 0, found
    assert found.points_spent_minor > 0, found
    assert found.wrong == {}, found
