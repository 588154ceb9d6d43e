"""Points ripen once, when their time has come, and expire once, whoever does it."""

import asyncio

import pytest

from cart.adapters.money_recount import recount_points
from cart.core.payment import Standing
from cart.core.points import PointsReason, Wallet
from cart.errors import Invalid
from tests.cart.shop import BUYER, SELLER, Shop


async def test_points_ripen_once_and_not_before_their_time(shop: Shop) -> None:
    order = await shop.order(await shop.hold(await shop.stock(1)))
    await shop.pay(order, Standing.AUTHORIZED)
    await shop.cart.checkout.confirm(BUYER, order.id)
    assert await shop.cart.ripening.ripen() is False
    assert await shop.cart.points.wallet(BUYER) == Wallet(pending_minor=120)
    await shop.sql("UPDATE point_earnings SET ripe_at = now()")
    await asyncio.gather(*(shop.cart.ripening.ripen() for _ in range(4)))
    assert await shop.cart.points.wallet(BUYER) == Wallet(ready_minor=120)


async def earn(shop: Shop, key: str, *, days: int | None) -> str:
    """An order that earned 120 points, which are ready; they can be spent for so many days."""
    await shop.cart.shopping.edit_store(SELLER, "camellia", points_days=days)
    order = await shop.order(await shop.hold(await shop.stock(1), key=key), key=key)
    await shop.pay(order, Standing.AUTHORIZED)
    await shop.cart.checkout.confirm(BUYER, order.id)
    await shop.sql("UPDATE point_earnings SET ripe_at = now() WHERE NOT ripe")
    await shop.cart.ripening.ripen()
    return order.id


async def test_points_expire_once_when_they_were_not_spent_in_time(shop: Shop) -> None:
    await shop.stock(1)
    first = await earn(shop, "a", days=30)
    await earn(shop, "b", days=60)
    await earn(shop, "c", days=None)
    (soon,) = await shop.cart.points.expiring(BUYER, 30, 10)
    assert soon.amount_minor == 120
    hold = await shop.hold(await shop.stock(1), key="h")
    order = await shop.order(hold, key="h", points_minor=50, off_minor=50)
    assert await shop.cart.ripening.expire() is False
    assert await shop.cart.points.wallet(BUYER) == Wallet(ready_minor=310, reserved_minor=50)
    await shop.sql("UPDATE point_lots SET expires_at = now() WHERE order_id = :id", id=first)
    await asyncio.gather(*(shop.cart.ripening.expire() for _ in range(4)))
    assert await shop.cart.points.wallet(BUYER) == Wallet(ready_minor=240, reserved_minor=50)
    newest, *_ = await shop.cart.points.entries(BUYER, 10)
    assert (newest.reason, newest.order, newest.amount_minor) == (PointsReason.EXPIRE, first, 70)
    assert await shop.cart.points.expiring(BUYER, 30, 10) == []
    await shop.cart.checkout.cancel(BUYER, order.id)
    (again,) = await shop.cart.points.expiring(BUYER, 31, 10)
    assert again.amount_minor == 50
    assert await recount_points(shop.engine) == []
    await shop.sql("UPDATE point_lots SET expires_at = now() WHERE order_id = :id", id=first)
    await shop.cart.ripening.expire()
    assert await shop.cart.points.wallet(BUYER) == Wallet(ready_minor=240)
    assert await recount_points(shop.engine) == []


async def test_spending_and_expiring_at_once_lose_nothing(shop: Shop) -> None:
    await shop.stock(1)
    await earn(shop, "a", days=30)
    hold = await shop.hold(await shop.stock(1), key="h")
    await shop.sql("UPDATE point_lots SET expires_at = now()")
    spending = shop.order(hold, key="h", points_minor=50, off_minor=50)
    await asyncio.gather(spending, shop.cart.ripening.expire(), return_exceptions=True)
    await shop.cart.ripening.expire()
    wallet = await shop.cart.points.wallet(BUYER)
    assert wallet in (Wallet(), Wallet(reserved_minor=50))
    assert await recount_points(shop.engine) == []


@pytest.mark.parametrize("days", [29, 3_651])
async def test_points_last_a_month_at_least(shop: Shop, days: int) -> None:
    await shop.stock(1)
    with pytest.raises(Invalid):
        await shop.cart.shopping.edit_store(SELLER, "camellia", points_days=days)
