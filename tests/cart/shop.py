"""A shop for tests: cart on a real database, what it told the viewers, and short words for acts."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from cart.adapters.database import Database
from cart.adapters.movements import SqlRecounts
from cart.adapters.payment_sandbox import Sandbox, Trick
from cart.adapters.routes import granted
from cart.adapters.service import Cart, assemble
from cart.core.catalog import Product
from cart.core.draft import NewProduct, NewSku, StockChange, UnitsChanged
from cart.core.event import Event
from cart.core.hold import Hold, HoldLine
from cart.core.order import Order, OrderState, Recipient
from cart.core.payment import Attempt, Standing
from cart.core.recount import Drift
from cart.core.stock import Decision
from cart.ports.deals import ShowFacts
from cart.ports.payments import Payment, PaymentProvider
from cart.shopping import new_id

SELLER = "seller"
BUYER = "buyer"
STRANGER = "stranger"
BANNED = "banned"
SECRET = "a secret of more than thirty-two characters"
RECIPIENT = Recipient(
    name="김봄", phone="010-1234-5678", postcode="03187", address="서울시 종로구 1"
)


@dataclass
class Shop:
    """The cart under test and its surroundings."""

    cart: Cart
    engine: AsyncEngine
    sandbox: Sandbox
    told: list[tuple[str, Event]] = field(default_factory=list)
    shows: dict[str, ShowFacts] = field(default_factory=dict)

    async def find_show(self, show: str) -> ShowFacts | None:
        """A show the test has made."""
        return self.shows.get(show)

    async def hear(self, kind: str) -> list[Event]:
        """Let the outbox be emptied; all events of a kind so far."""
        await self.cart.relaying.relay()
        return [event for _, event in self.told if event["type"] == kind]

    async def stock(
        self,
        units: int = 0,
        *,
        limit: int | None = None,
        price_minor: int = 12_000,
        slug: str = "camellia",
        skus: Sequence[NewSku] = (),
    ) -> Product:
        """A product on sale in a store of the seller's, opened when it is missing.

        `skus`: its SKUs where it has options, one for each of them.
        """
        if slug not in await self.cart.stores_of(SELLER):
            await self.cart.shopping.open_store(SELLER, slug=slug, name="동백", story="")
        names = ["색상", "크기", "포장"][: len(skus[0].options)] if skus else []
        said = NewProduct(
            title="동백꽃차",
            price_minor=price_minor,
            stock=units,
            limit_per_buyer=limit,
            option_names=names,
            skus=list(skus),
        )
        return await self.cart.shopping.add_product(SELLER, slug, new_id(), said)

    async def restock(self, product: Product, change: int, *, key: str | None = None) -> Product:
        """More or fewer free units of a product without options."""
        said = StockChange(
            reason="restock" if change > 0 else "correction",
            changes=[UnitsChanged(sku=product.id, change=change)],
        )
        return await self.cart.stocking.change(SELLER, product.id, key or new_id(), said)

    async def ask(
        self,
        sku: str,
        *,
        buyer: str = BUYER,
        key: str = "k",
        quantity: int = 1,
        show: str | None = None,
    ) -> Decision:
        """Ask for units of one SKU; what was decided."""
        line = HoldLine(sku=sku, quantity=quantity)
        return await self.cart.holding.hold(buyer, key, [line], show=show)

    async def hold(
        self, product: Product, *, buyer: str = BUYER, key: str = "k", quantity: int = 1
    ) -> Hold:
        """A hold of a product without options that must be granted."""
        (hold,) = granted(await self.ask(product.id, buyer=buyer, key=key, quantity=quantity))
        return hold

    async def order(
        self, *holds: Hold, buyer: str = BUYER, key: str = "o", off_minor: int = 0, **wish: Any
    ) -> Order:
        """An order from holds; `off_minor` is what its wish takes off their price."""
        return await self.cart.checkout.place(
            buyer,
            key,
            holds=[hold.id for hold in holds],
            recipient=RECIPIENT,
            total_minor=sum(hold.price_minor * hold.quantity for hold in holds) - off_minor,
            **wish,
        )

    async def pay(self, order: Order, decision: Standing, trick: Trick = Trick.NONE) -> str:
        """Go to the sandbox and decide there; the payment's id."""
        redirect = await self.cart.checkout.pay(order.buyer, order.id)
        payment = redirect.rpartition("/")[2]
        await self.sandbox.decide(payment, decision, trick)
        return payment

    async def standing(self, payment: str) -> Standing:
        """What the sandbox knows of a payment."""
        return await self.sandbox.look_up(attempt(payment))

    async def counters(self, product: Product) -> tuple[int, int, int]:
        """Free, held and sold now."""
        now = await self.cart.shopping.product(product.id)
        assert now.on_hand == now.free + now.held + now.sold
        assert (now.free, now.held) == (
            sum(s.free for s in now.skus),
            sum(s.held for s in now.skus),
        )
        return now.free, now.held, now.sold

    async def drifts(self) -> Sequence[Drift]:
        """The SKUs whose counters are not what their movements and holds add up to."""
        return await SqlRecounts(Database(self.engine)).whole()

    async def sql(self, statement: str, **values: Any) -> None:
        """Change the database behind cart's back."""
        async with self.engine.begin() as connection:
            await connection.execute(text(statement), values)

    def pay_at(self, **providers: PaymentProvider) -> None:
        """Buyers pay at these providers from now on."""
        at_them = make_shop(self.engine, providers=providers).cart
        self.cart = replace(
            self.cart,
            checkout=at_them.checkout,
            settling=at_them.settling,
            refunding=at_them.refunding,
            providers=at_them.providers,
        )

    async def let_time_pass(self) -> None:
        """All deadlines are over now."""
        await self.sql("UPDATE holds SET expires_at = now() - interval '1 second'")
        await self.sql("UPDATE orders SET expires_at = now() - interval '1 minute'")


def attempt(
    payment: str, *, amount_minor: int = 12_000, currency: str = "KRW", reference: str = "r"
) -> Payment:
    """An attempt as a provider is asked about it."""
    return Payment(
        id=payment,
        order="o1",
        provider="any",
        reference=reference,
        amount_minor=amount_minor,
        currency=currency,
        state=Attempt.CREATED,
        order_state=OrderState.PLACED,
        overdue=False,
    )


async def admit_bidder(show: str, account: str) -> str | None:
    """Everybody but the banned one, under the account's own name."""
    return None if account == BANNED else account.title()


def make_shop(
    engine: AsyncEngine,
    hold_seconds: int = 300,
    *,
    shows: dict[str, ShowFacts] | None = None,
    providers: Mapping[str, PaymentProvider] | None = None,
) -> Shop:
    """A shop whose tasks do not run by themselves; `shows`: those it shares with other nodes.

    Its buyers pay at the sandbox, if no other providers are given.
    """
    told: list[tuple[str, Event]] = []

    async def publish(store: str, events: Sequence[Event]) -> None:
        told.extend(
            (store, {name: event[name] for name in event if name != "key"}) for event in events
        )

    sandbox = Sandbox(engine, secret=SECRET)
    known = {} if shows is None else shows

    async def find_show(show: str) -> ShowFacts | None:
        return known.get(show)

    cart = assemble(
        engine,
        publish=publish,
        providers=providers or {"sandbox": sandbox},
        hold_seconds=hold_seconds,
        find_show=find_show,
        offer_seconds=120,
        admit_bidder=admit_bidder,
    )
    return Shop(cart, engine, sandbox, told, known)


@asynccontextmanager
async def committing(*nodes: Shop) -> AsyncIterator[None]:
    """The group commit of these nodes runs meanwhile."""
    tasks = [asyncio.create_task(node.cart.holding.run()) for node in nodes]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def waits_for_a_lock(engine: AsyncEngine, statements: int = 1) -> None:
    """Until so many statements of this database wait for a lock."""
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    async with asyncio.timeout(10), engine.connect() as connection:
        while (await connection.execute(waiting)).scalar_one() < statements:
            await connection.rollback()


def cut_after(step: Callable[..., Awaitable[Any]], engine: AsyncEngine) -> Callable[..., Any]:
    """The step, after which the database drops the connection it was done on."""

    async def cut(connection: AsyncConnection, *said: Any, **more: Any) -> Any:
        done = await step(connection, *said, **more)
        pid = (await connection.execute(text("SELECT pg_backend_pid()"))).scalar_one()
        async with engine.connect() as other:
            await other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
        return done

    return cut
