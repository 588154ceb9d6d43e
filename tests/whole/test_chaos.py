"""Everything is killed under buyers: nothing acknowledged is lost, and the books stay right.

`python -m tests.bench chaos --seconds 120` does it at length.
"""

from pathlib import Path
from typing import Final

from tests.whole.chaos import VICTIMS, Plan, chaos

PLAN: Final = Plan(buyers=10, stock=120, seconds=6, seed=5)


FORGED: Final = (
    "DELETE FROM holds WHERE state = 'sold'",
    "UPDATE orders SET state = 'expired' WHERE id = (SELECT id FROM orders o WHERE state = 'paid'"
    " AND NOT EXISTS (SELECT FROM refunds WHERE order_id = o.id) LIMIT 1)",
    "UPDATE payments SET refunded_minor = refunded_minor + 1 WHERE id = (SELECT id FROM payments"
    " WHERE state = 'confirmed' AND refunded_minor < amount_minor LIMIT 1)",
    "UPDATE point_wallets SET ready_minor = ready_minor + 1",
    "UPDATE coupons SET used = used + 1",
    "ALTER TABLE skus DROP CONSTRAINT ck_skus_balanced",
    "UPDATE skus SET sold = on_hand + 1",
)
"""The control: each is seen."""

SEEN: Final = {
    *("lost", "broken", "oversold", "drifts", "unbacked", "owed_minor"),
    *("money_drifts", "points_drifts", "coupon_drifts"),
}


async def test_the_books_are_right_whatever_is_killed(tmp_path: Path) -> None:
    async with chaos(tmp_path, PLAN) as books:
        found = await books.find()
        for statement in FORGED:
            await books.connection.execute(statement)
        forged = await books.find()
    assert found.kills.total() >= VICTIMS, "not everybody was killed"
    assert len(found.kills) == VICTIMS - 1, "two servers are of one kind"
    assert found.holds > PLAN.buyers, found
    assert found.paid > PLAN.buyers, found
    assert found.refunds > 0, found
    assert found.points_spent_minor > 0, found
    assert found.wrong == {}, found
    assert forged.wrong.keys() >= SEEN, forged
