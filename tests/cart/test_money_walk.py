"""Buyers, a seller and a provider that goes wrong, at random: after each step the books are true.

When all is quiet, the money that stayed at the provider is what the orders say, and each unit lies
where the orders say.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence

import pytest
from sqlalchemy import text

from cart.adapters.database import Database
from cart.adapters.money_recount import recount_money
from cart.adapters.movements import SqlRecounts
from cart.adapters.payment_sandbox import Trick
from cart.core.catalog import Product
from cart.core.order import OrderState
from cart.core.payment import Standing
from cart.core.refund import RefundLine, RefundState, RefundWish
from cart.core.stock import Granted
from cart.errors import CartError
from tests.cart.shop import SELLER, Shop

BUYERS = ("봄", "여름", "가을")
STEPS = 50
AT_ONCE = 3
LATELY = 6
"""Most of what happens is about the last orders."""

MONEY_AT_THE_PROVIDER = text(
    "SELECT coalesce(sum(amount_minor), 0) - (SELECT coalesce(sum(r.amount_minor), 0)"
    " FROM sandbox_refunds r JOIN sandbox_payments q ON q.id = r.payment"
    " WHERE r.going = 'done' AND q.standing = 'confirmed')"
    " FROM sandbox_payments WHERE standing = 'confirmed'"
)


class Walk:
    """A shop in which one thing after another happens, or several at once."""

    def __init__(self, shop: Shop, wares: Sequence[Product], chance: random.Random) -> None:
        self.shop = shop
        self.wares = wares
        self.chance = chance
        self.orders: dict[str, str] = {}
        self.payments: list[str] = []
        self._keys = iter(range(10_000))

    def acts(self) -> Sequence[Callable[[], Awaitable[object]]]:
        """What can happen."""
        often = (self.buy, self.pay, self.pay, self.settle, self.settle, self.settle, self.refund)
        if self.chance.random() < 0.1:
            return (self.time_passes, self.cancel, self.settle_all)
        return often

    async def step(self) -> None:
        """Some of it, at once; refusals are answers."""
        chosen = [self.chance.choice(self.acts())() for _ in range(self.chance.randint(1, AT_ONCE))]
        for end in await asyncio.gather(*chosen, return_exceptions=True):
            assert end is None or isinstance(end, CartError), repr(end)
        assert await recount_money(self.shop.engine) == []
        assert await SqlRecounts(Database(self.shop.engine)).whole() == []
        for ware in self.wares:
            await self.shop.counters(ware)

    async def buy(self) -> None:
        """Somebody holds units and orders them."""
        buyer, key = self.chance.choice(BUYERS), f"k{next(self._keys)}"
        quantity = self.chance.randint(1, 3)
        asked = await self.shop.ask(
            self.chance.choice(self.wares).id, buyer=buyer, key=key, quantity=quantity
        )
        if isinstance(asked, Granted):
            order = await self.shop.order(*asked.holds, buyer=buyer, key=key)
            self.orders[order.id] = buyer

    async def pay(self) -> None:
        """A buyer goes to the provider and decides there."""
        if not self.orders:
            return
        order, buyer = self.chance.choice(list(self.orders.items())[-LATELY:])
        redirect = await self.shop.cart.checkout.pay(buyer, order)
        payment = redirect.rpartition("/")[2]
        self.payments.append(payment)
        good = len(self.payments) == 1 or self.chance.random() < 0.85
        trick = self.chance.choice([Trick.NONE, Trick.NONE, Trick.SILENT, Trick.TIMEOUT])
        standing = Standing.AUTHORIZED if good else Standing.DECLINED
        await self.shop.sandbox.decide(payment, standing, trick if good else Trick.NONE)

    async def settle(self) -> None:
        """A message about some payment comes, for whatever reason."""
        if self.payments:
            payment = self.chance.choice(self.payments[-LATELY:])
            await self.shop.cart.settling.settle(payment)
            await self.shop.cart.refunding.hurry(payment)

    async def refund(self) -> None:
        """The seller gives something back."""
        if not self.orders:
            return
        order = self.chance.choice(list(self.orders)[-LATELY:])
        wish = self.chance.choice(
            [
                RefundWish((RefundLine(line=0, quantity=1),)),
                RefundWish(amount_minor=self.chance.randint(1, 900)),
                RefundWish(),
            ]
        )
        await self.shop.cart.checkout.refund(
            *(SELLER, f"r{next(self._keys)}", order),
            wish=wish,
            restock=self.chance.random() < 0.8,
            reason="",
        )

    async def cancel(self) -> None:
        """A buyer thinks better of it."""
        if self.orders:
            order, buyer = self.chance.choice(list(self.orders.items())[-LATELY:])
            await self.shop.cart.checkout.cancel(buyer, order)

    async def settle_all(self) -> None:
        """The loops look at whatever is due."""
        await self.shop.sql("UPDATE payments SET ask_at = now()")
        await self.shop.sql("UPDATE refunds SET ask_at = now()")
        await self.shop.cart.settling.rounds.play()
        await self.shop.cart.refunding.rounds.play()

    async def time_passes(self) -> None:
        """Deadlines are over."""
        await self.shop.let_time_pass()
        await self.shop.cart.expiry.sweep()


@pytest.mark.parametrize("seed", range(3))
async def test_books_are_true_after_every_step(shop: Shop, seed: int) -> None:
    wares = [await shop.stock(12, price_minor=price) for price in (1_000, 2_500)]
    walk = Walk(shop, wares, random.Random(seed))
    for sure in (walk.buy, walk.pay, walk.settle_all, walk.settle_all, walk.refund):
        await sure()
    for _ in range(STEPS):
        await walk.step()
    await walk.time_passes()
    for _ in range(4):
        await walk.settle_all()
    checkout = shop.cart.checkout
    orders = [await checkout.order(buyer, order) for order, buyer in walk.orders.items()]
    assert {order.state for order in orders} <= {
        *(OrderState.PAID, OrderState.CANCELLED, OrderState.EXPIRED)
    }
    refunds = [refund for order in orders for refund in order.refunds]
    assert {refund.state for refund in refunds} <= {RefundState.DONE}
    came = sum(order.total_minor for order in orders if order.state == OrderState.PAID)
    came += sum(order.total_minor for order in orders if order.refunds and _ended(order.state))
    async with shop.engine.connect() as connection:
        there = (await connection.execute(MONEY_AT_THE_PROVIDER)).scalar_one()
    assert there == came - sum(order.refunded_minor for order in orders)
    assert came > 0
    assert refunds


def _ended(state: OrderState) -> bool:
    return state == OrderState.CANCELLED
