"""A market in which everything may happen that the ledger knows of, to nodes that may die.

An act is one thing somebody wants; its chance decides the rest. Who is not answered, since the node
died, asks again at another one under the same key, as clients do.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final, TypeVar

from sqlalchemy import DateTime, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from structlog.testing import capture_logs

from cart.adapters.payment_sandbox import Sandbox
from cart.adapters.schema import metadata
from cart.core.catalog import Product
from cart.core.coupon import CouponTerms
from cart.core.delivery import Delivery
from cart.core.draft import NewSku
from cart.core.hold import HoldLine
from cart.errors import CartError
from cart.ports.deals import ShowFacts
from tests.cart.deaths import Died, Node
from tests.cart.shop import SECRET, SELLER, Shop
from tests.cart.truths import Mirror, lies_of, restless_of

T = TypeVar("T")

STORE: Final = "camellia"
BUYERS: Final = ("ann", "bo", "cy", "di")
PASSING_S: Final = (6, 130, 310, 1_300, 8_000, 8 * 86_400)
"""How much time passes at once: a decision takes effect, an offer, a hold, a deal, a claim is over,
points ripen."""

LATELY: Final = 6
"""Most of what happens is about the last ones."""

REST_ROUNDS: Final = 8
"""So often the rounds are played, each time later, until all has come to its end."""

_BLOCK: Final = "DO $$ BEGIN {} END $$"
_EMPTY: Final = text(
    _BLOCK.format(" ".join(f"DELETE FROM {table};" for table in reversed(metadata.sorted_tables)))
)
_EARLIER: Final = {
    table.name: ", ".join(
        f"{column.name} = {column.name} - interval '%s seconds'"
        for column in table.columns
        if isinstance(column.type, DateTime)
    )
    for table in metadata.sorted_tables
}


class Market:
    """Two nodes, what the world knows of them, and what it was told."""

    def __init__(self, nodes: Sequence[Node], observer: AsyncEngine) -> None:
        self.nodes = nodes
        self.observer = observer
        self.provider = Sandbox(observer, secret=SECRET)
        self._forget()

    def _forget(self) -> None:
        self.wares: list[Product] = []
        self.show = ""
        self.holds: dict[str, tuple[str, str]] = {}
        self.asked: list[tuple[str, str, Sequence[HoldLine], str | None, set[str]]] = []
        self.orders: dict[str, tuple[str, str]] = {}
        self.payments: list[str] = []
        self.waits: list[tuple[str, str]] = []
        self.auctions: list[str] = []
        self.deals: list[str] = []
        self.on_hand: dict[str, int] = {}
        self.answered: dict[str, int] = {}
        self._mirror = Mirror()
        self._numbers = iter(range(1_000_000))

    async def open(self) -> None:
        """An empty database, nobody with a memory, and a seller with three products."""
        self._forget()
        async with self.observer.begin() as connection:
            await connection.execute(_EMPTY)
        for node in self.nodes:
            await node.start()
        shop = self.nodes[0].shop
        tea = await shop.stock(4, limit=3, price_minor=1_000)
        await shop.cart.shopping.edit_store(
            SELLER,
            STORE,
            delivery=Delivery(fee_minor=300, free_from_minor=5_000, days_least=1, days_most=2),
            points_percent=20,
        )
        cups = [
            NewSku(options=[color], stock=2, code=f"C{n}", price_minor=2_500 + n)
            for n, color in enumerate(("white", "blue"))
        ]
        cup = await shop.stock(skus=cups)
        vase = await shop.stock(1, price_minor=30_000)
        self.wares = [tea, cup, vase]
        self.on_hand = {sku.id: sku.on_hand for ware in self.wares for sku in ware.skus}
        for terms in (
            CouponTerms(code="BLOOM", amount_minor=700, uses_limit=2),
            CouponTerms(code="GIFT", percent=100, uses_limit=2, uses_per_buyer=2),
        ):
            await shop.cart.couponing.make(SELLER, STORE, terms)
        self.begin_show()

    def begin_show(self) -> None:
        """Another show is live."""
        self.show = self.key("show")
        self.nodes[0].shop.shows[self.show] = ShowFacts(STORE, "live", ())

    @property
    def skus(self) -> list[str]:
        """Everything for sale."""
        return [sku.id for ware in self.wares for sku in ware.skus]

    def key(self, kind: str = "k") -> str:
        """A key, or a name, that nobody has used."""
        return f"{kind}{next(self._numbers)}"

    def count(self, answer: object) -> None:
        """Remember that there was such an answer, so that what never happens is seen."""
        kind = answer if isinstance(answer, str) else type(answer).__name__
        self.answered[kind] = self.answered.get(kind, 0) + 1

    def lately(self, known: Sequence[T], chance: random.Random) -> T | None:
        """One of the last; None where there is none."""
        return chance.choice(known[-LATELY:]) if known else None

    async def tell(self, node: Node, request: Callable[[Shop], Awaitable[T]]) -> T | None:
        """What somebody is answered at the node, or when it dies, at another; None: a refusal."""
        for one in (node, *(other for other in self.nodes if other is not node)):
            try:
                answer = await request(one.shop)
            except Died:
                await self.demand_truth()
            except CartError:
                return None
            else:
                if not one.dead:
                    return answer
        raise AssertionError("nobody was there to answer")

    async def step(
        self, acts: Sequence[Callable[[], Awaitable[object]]], dying: Node, moments: int
    ) -> None:
        """All acts at once, while one node dies as `Node.doom` says."""
        dying.doom(moments)
        with capture_logs() as said:
            await asyncio.gather(*(act() for act in acts))
        failed = [one for one in said if one["event"] == "settling failed"]
        assert all("Died" in one["error"] for one in failed), failed
        for node in self.nodes:
            assert not node.shop.cart.reconciling.drifting
            self._mirror.hear(told for _, told in node.shop.told)
            node.shop.told.clear()
        await dying.start() if dying.dead else dying.doom(0)
        await self.demand_truth()
        lacking = await self._mirror.lacks(self.observer)
        assert not lacking, lacking
        await self._demand_what_was_told()

    async def demand_truth(self) -> None:
        """The books are true at this moment."""
        found = await lies_of(self.observer)
        assert not found, found

    async def _demand_what_was_told(self) -> None:
        """Every hold and order that was acknowledged is there, and each unit was counted once."""
        async with self.observer.connect() as connection:
            held = await connection.execute(text("SELECT id, buyer, sku FROM holds"))
            there = {row.id: (row.buyer, row.sku) for row in held}
            orders = await connection.execute(text("SELECT id, buyer, state FROM orders"))
            placed = {row.id: (row.buyer, row.state) for row in orders}
            piles = await connection.execute(text("SELECT id, on_hand FROM skus"))
            counted = {row.id: row.on_hand for row in piles}
        lost = self.holds.items() - there.items()
        assert not lost, lost
        for order, (buyer, state) in self.orders.items():
            now = placed[order]
            assert now[0] == buyer, (order, buyer, now)
            final = {"paid": ("paid", "cancelled")}.get(state, (state,))
            assert state in {"placed", "paying"} or now[1] in final, (order, state, now)
        self.orders = {order: placed[order] for order in self.orders}
        assert counted == self.on_hand, (counted, self.on_hand)

    async def pass_time(self, seconds: int) -> None:
        """Everything that was written down is so much longer ago."""
        moves = (
            f"UPDATE {name} SET {sets % ((seconds,) * sets.count('%s'))};"
            for name, sets in _EARLIER.items()
            if sets
        )
        async with self.observer.begin() as connection:
            await connection.execute(text(_BLOCK.format(" ".join(moves))))

    def rounds(self, shop: Shop) -> Sequence[Callable[[], Awaitable[bool]]]:
        """What a node looks at again and again."""
        cart = shop.cart
        return (
            *(cart.expiry.sweep, cart.auctioning.end_due, cart.dealing.sweep),
            *(cart.dealing.follow_shows, cart.settling.rounds.play, cart.refunding.rounds.play),
            *(
                cart.ripening.ripen,
                cart.ripening.expire,
                cart.relaying.relay,
                cart.reconciling.recount,
            ),
        )

    async def come_to_rest(self) -> None:
        """Nobody does anything any more, and the rounds of the second node bring all to its end."""
        self.nodes[0].shop.shows.clear()
        node = self.nodes[1]

        async def once() -> None:
            for play in self.rounds(node.shop):
                await play()

        left: list[str] = []
        for _ in range(REST_ROUNDS):
            await self.pass_time(PASSING_S[-1])
            await self.step([once], node, 0)
            left = await restless_of(self.observer)
            if not left:
                return
        raise AssertionError(left)


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Market]:
    """A market on a database: two nodes with connections of their own, and one who only looks."""
    engines = [
        create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://"), pool_size=8)
        for _ in range(3)
    ]
    shows: dict[str, ShowFacts] = {}
    nodes = [Node(engine, shows) for engine in engines[:2]]
    market = Market(nodes, engines[2])
    try:
        await market.open()
        yield market
    finally:
        for node in nodes:
            await node.stop()
        for engine in engines:
            await engine.dispose()
