"""What a paid order asks of the database: statements are the most of its cost."""

from typing import Any

from sqlalchemy import event

from cart.core.order import OrderState
from cart.core.payment import Standing
from tests.cart.shop import BUYER, Shop

STATEMENTS_LIMIT = 68
"""Of a hold, its order, the way to the sandbox, the decision there, the return and the relay."""


async def test_a_paid_order_takes_few_statements(shop: Shop) -> None:
    tea = await shop.stock(2)
    await shop.cart.relaying.relay()
    asked: list[str] = []

    def hear(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        asked.append(statement)

    event.listen(shop.engine.sync_engine, "before_cursor_execute", hear)
    order = await shop.order(await shop.hold(tea))
    await shop.pay(order, Standing.AUTHORIZED)
    paid = await shop.cart.checkout.confirm(BUYER, order.id)
    await shop.cart.relaying.relay()
    assert paid.state == OrderState.PAID
    assert 0 < len(asked) <= STATEMENTS_LIMIT
