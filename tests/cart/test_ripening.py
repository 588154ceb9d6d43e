"""Points ripen once, when their time has come, whoever ripens."""

import asyncio

from cart.core.payment import Standing
from cart.core.points import Wallet
from tests.cart.shop import BUYER, Shop


async def test_points_ripen_once_and_not_before_their_time(shop: Shop) -> None:
    order = await shop.order(await shop.hold(await shop.stock(1)))
    await shop.pay(order, Standing.AUTHORIZED)
    await shop.cart.checkout.confirm(BUYER, order.id)
    assert await shop.cart.ripening.ripen() is False
    assert await shop.cart.points.wallet(BUYER) == Wallet(pending_minor=120)
    await shop.sql("UPDATE point_earnings SET ripe_at = now()")
    await asyncio.gather(*(shop.cart.ripening.ripen() for _ in range(4)))
    assert await shop.cart.points.wallet(BUYER) == Wallet(ready_minor=120)
