"""Cart, put together: one engine in, one object out, its tasks running while the context lasts.

At the end the tasks are cancelled together; requests must have been drained before.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy.ext.asyncio import AsyncEngine

from cart.adapters.address_book import SqlAddressBook
from cart.adapters.auctions import SqlAuctions
from cart.adapters.codes import SqlCodeBook
from cart.adapters.coupon_book import SqlCouponBook
from cart.adapters.database import Database
from cart.adapters.deals import SqlDealBook
from cart.adapters.imports import SqlImports
from cart.adapters.ledger import SqlLedger
from cart.adapters.movements import SqlRecounts
from cart.adapters.orders import SqlOrderBook
from cart.adapters.outbox import SqlOutbox
from cart.adapters.payments import SqlPaymentBook
from cart.adapters.points_book import SqlPointsBook
from cart.adapters.refunds import SqlRefundBook
from cart.adapters.shelf import SqlShelf
from cart.adapters.stockroom import SqlStockroom
from cart.adapters.waitlist import SqlWaitlist
from cart.addressing import Addressing
from cart.auctioning import Auctioning
from cart.checkout import Checkout
from cart.code_sales import CodeSales
from cart.core.event import Event, auction_changed, codes_switched, deal_changed
from cart.couponing import Couponing
from cart.dealing import Dealing
from cart.expiry import Expiry
from cart.holding import Holding
from cart.importing import Importing
from cart.ports.auctions import AdmitBidder
from cart.ports.deals import FindShow
from cart.ports.orders import PointsBook
from cart.ports.outbox import Publish
from cart.ports.payments import PaymentProvider
from cart.reconciling import Reconciling
from cart.refunding import Refunding
from cart.relaying import Relaying
from cart.ripening import Ripening
from cart.settling import Settling
from cart.shopping import Shopping
from cart.stocking import Stocking
from cart.waiting import Waiting


@dataclass(frozen=True, slots=True)
class Cart:
    """The package's use cases, and what others may want to look up."""

    shopping: Shopping
    stocking: Stocking
    importing: Importing
    holding: Holding
    waiting: Waiting
    checkout: Checkout
    couponing: Couponing
    addressing: Addressing
    points: PointsBook
    settling: Settling
    refunding: Refunding
    expiry: Expiry
    dealing: Dealing
    codes: CodeSales
    ripening: Ripening
    relaying: Relaying
    auctioning: Auctioning
    reconciling: Reconciling
    providers: Mapping[str, PaymentProvider]

    async def products(self, ids: Sequence[str]) -> list[dict[str, Any]]:
        """Products as plain maps for the room's welcome, in the order of the ids."""
        return [msgspec.to_builtins(product) for product in await self.shopping.products(ids)]

    async def offers(self, show: str) -> list[Event]:
        """What the room's welcome tells of the show's deals, its newest auction and its codes."""
        deals, now_ms = await self.dealing.ruling(show)
        newest = await self.auctioning.auctions(show, 1)
        codes = codes_switched(show, opened=await self.codes.is_open(show))
        told = [deal_changed(deal, now_ms) for deal in deals]
        offers = [*told, *map(auction_changed, newest), codes]
        # which show's they are is known to who reads its welcome
        return [{name: event[name] for name in event if name != "show"} for event in offers]

    async def follow_show(self, show: str) -> None:
        """The show's stage may have changed: its deals and its auction follow."""
        await self.dealing.follow_show(show)
        await self.auctioning.follow_show(show)

    async def has_bought(self, person: str, store: str) -> bool:
        """Whether an order of this person in the store is paid."""
        return await self.checkout.has_bought(person, store)

    async def forget(self, person: str) -> None:
        """Forget a person's addresses and the names they bid under; what was ordered stays."""
        await self.addressing.forget(person)
        await self.auctioning.forget(person)

    async def stores_of(self, person: str) -> list[str]:
        """The slugs of the stores a person owns."""
        return [store.slug for store in await self.shopping.stores_of(person)]


def assemble(
    engine: AsyncEngine,
    *,
    publish: Publish,
    providers: Mapping[str, PaymentProvider],
    hold_seconds: int,
    find_show: FindShow,
    offer_seconds: int,
    admit_bidder: AdmitBidder,
) -> Cart:
    """Cart without its tasks running."""
    database = Database(engine)
    ledger, payments = SqlLedger(database), SqlPaymentBook(database)
    points = SqlPointsBook(database)
    shopping = Shopping(SqlShelf(database))
    holding = Holding(ledger, hold_seconds=hold_seconds)
    settling = Settling(payments, providers)
    refunding = Refunding(SqlRefundBook(database), providers)
    checkout = Checkout(
        SqlOrderBook(database),
        payments,
        providers,
        settling,
        refunding,
        shopping,
        pay_within_seconds=hold_seconds,
    )
    return Cart(
        shopping=shopping,
        stocking=Stocking(SqlStockroom(database), shopping),
        importing=Importing(SqlImports(database), shopping),
        holding=holding,
        waiting=Waiting(SqlWaitlist(database), holding, shopping, offer_seconds=offer_seconds),
        checkout=checkout,
        couponing=Couponing(SqlCouponBook(database), shopping),
        addressing=Addressing(SqlAddressBook(database)),
        points=points,
        settling=settling,
        refunding=refunding,
        expiry=Expiry(ledger),
        dealing=Dealing(SqlDealBook(database), shopping, find_show),
        codes=CodeSales(SqlCodeBook(database), holding, shopping, find_show),
        ripening=Ripening(points),
        relaying=Relaying(SqlOutbox(database), publish, database.written),
        auctioning=Auctioning(
            SqlAuctions(database), shopping, find_show=find_show, admit_bidder=admit_bidder
        ),
        reconciling=Reconciling(SqlRecounts(database)),
        providers=providers,
    )


@asynccontextmanager
async def open_cart(
    engine: AsyncEngine,
    *,
    publish: Publish,
    providers: Mapping[str, PaymentProvider],
    hold_seconds: int,
    find_show: FindShow,
    offer_seconds: int,
    admit_bidder: AdmitBidder,
) -> AsyncIterator[Cart]:
    """Cart with its group commit, sweep, settle, relay and auction tasks running."""
    cart = assemble(
        engine,
        publish=publish,
        providers=providers,
        hold_seconds=hold_seconds,
        find_show=find_show,
        offer_seconds=offer_seconds,
        admit_bidder=admit_bidder,
    )
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(run(), name=f"cart {name}")
            for name, run in (
                ("holding", cart.holding.run),
                ("expiry", cart.expiry.run),
                ("dealing", cart.dealing.run),
                ("ripening", cart.ripening.run),
                ("settling", cart.settling.rounds.run),
                ("refunding", cart.refunding.rounds.run),
                ("relaying", cart.relaying.run),
                ("auctioning", cart.auctioning.run),
                ("reconciling", cart.reconciling.run),
            )
        ]
        try:
            yield cart
        finally:
            for task in tasks:
                task.cancel()
