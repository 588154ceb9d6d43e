"""The reconciler finds what was not moved by a movement, and nothing else."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from cart.adapters.database import Database
from cart.adapters.movements import ADVISORY_LOCK, SqlRecounts
from cart.core.draft import NewSku
from cart.core.payment import Standing
from cart.core.recount import Drift, Tally, drift
from cart.reconciling import Reconciling
from tests.cart.shop import BUYER, Shop

LIFE = ["opening", "hold", "hold", "hold", "sell", "release", "expire", "restock", "correction"]


async def live(shop: Shop) -> str:
    """A product that is held, sold, let go, forgotten, restocked and corrected; its id."""
    tea = await shop.stock(9)
    bought = await shop.order(await shop.hold(tea, key="a", quantity=2))
    await shop.cart.settling.settle(await shop.pay(bought, Standing.AUTHORIZED))
    await shop.cart.holding.release(BUYER, (await shop.hold(tea, key="b")).id)
    await shop.hold(tea, key="c", quantity=3)
    await shop.let_time_pass()
    await shop.cart.expiry.sweep()
    await shop.restock(tea, 5)
    await shop.restock(tea, -1)
    assert await shop.counters(tea) == (11, 0, 2)
    return tea.id


def recounts(shop: Shop) -> SqlRecounts:
    """The recounts of the shop's database."""
    return SqlRecounts(Database(shop.engine))


async def test_every_door_leaves_a_movement_and_they_add_up(shop: Shop) -> None:
    tea = await live(shop)
    async with shop.engine.connect() as connection:
        rows = await connection.execute(text("SELECT reason FROM stock_movements ORDER BY id"))
    assert sorted(rows.scalars()) == sorted(LIFE)
    assert await recounts(shop).whole() == []
    reconciling = Reconciling(recounts(shop))
    await reconciling.recount()
    assert (reconciling.counted, reconciling.drifting) == (1, {})
    (tally,) = await recounts(shop).page("", 10) or ()
    assert tally == Tally(tea, (11, 0, 2), (11, 0, 2))


async def test_drift_made_by_hand_is_found_until_it_is_mended(shop: Shop) -> None:
    tea = await live(shop)
    reconciling = Reconciling(recounts(shop))
    await reconciling.recount()
    await shop.sql("UPDATE skus SET free = free + 3, on_hand = on_hand + 3")
    await reconciling.recount()
    found = Drift(tea, free=3, held=0, sold=0, held_rows=0, sold_rows=0)
    assert reconciling.drifting == {tea: found}
    assert await recounts(shop).whole() == [found]
    await shop.sql("UPDATE skus SET free = free - 3, on_hand = on_hand - 3")
    await reconciling.recount()
    assert reconciling.drifting == {}


async def test_holds_that_lie_are_found_by_the_whole_recount(shop: Shop) -> None:
    tea = await live(shop)
    await shop.sql("UPDATE holds SET state = 'released' WHERE state = 'sold'")
    assert await recounts(shop).whole() == [Drift(tea, 0, 0, 0, held_rows=0, sold_rows=2)]


async def test_pages_go_on_where_the_last_one_ended(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cart.reconciling.PAGE_LIMIT", 2)
    await shop.stock(skus=[NewSku(options=[str(number)], stock=1) for number in range(5)])
    reconciling = Reconciling(recounts(shop))
    counted = []
    for _ in range(4):
        await reconciling.recount()
        counted.append(reconciling.counted)
    assert counted == [2, 4, 5, 7]


async def test_one_counts_at_a_time(shop: Shop) -> None:
    await shop.stock(1)
    async with shop.engine.begin() as elsewhere:
        await elsewhere.execute(text(f"SELECT pg_advisory_xact_lock({ADVISORY_LOCK})"))
        assert await recounts(shop).page("", 10) is None
    assert len(await recounts(shop).page("", 10) or ()) == 1


async def test_database_knows_no_other_reasons(shop: Shop) -> None:
    product = await shop.stock(1)
    with pytest.raises(IntegrityError):
        await shop.sql(
            "INSERT INTO stock_movements (sku, reason, ref, free_change, held_change, sold_change)"
            " VALUES (:sku, 'theft', '', -1, 0, 0)",
            sku=product.id,
        )


def test_counters_that_add_up_do_not_drift() -> None:
    assert drift(Tally("s", (1, 2, 3), (1, 2, 3), (2, 3))) is None
    assert drift(Tally("s", (1, 2, 3), (1, 2, 3), (2, 2))) == Drift("s", 0, 0, 0, 0, 1)
