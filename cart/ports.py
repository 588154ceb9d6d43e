"""What cart needs from outside, as small protocols; each says what it promises.

The books (`Shelf`, `Ledger`, `OrderBook`, `PaymentBook`, `Outbox`) are one PostgreSQL behind
several doors. Each method is one transaction: when it returns, what it did is durable; when it
raises, nobody may be told that it happened, though it may have. Times are the database's, in
milliseconds.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from cart.core.address import Address
from cart.core.bulk import Plan, Report
from cart.core.catalog import EditRefusal, Product, ProductEdit, Store
from cart.core.coupon import Coupon
from cart.core.event import Event
from cart.core.hold import Hold
from cart.core.movement import Reason
from cart.core.order import MixedStores, NotHeld, Order, OrderState, Recipient, TooLate
from cart.core.payment import Attempt, Standing
from cart.core.points import Entry, Wallet
from cart.core.quote import CouponUnfit, PointsShort, Quote, Wish
from cart.core.recount import Tally
from cart.core.refund import (
    Going,
    NoSuchUnits,
    NothingLeft,
    RefundEvent,
    RefundState,
    RefundWish,
)
from cart.core.restock import RestockRefusal
from cart.core.stock import Facts, HoldRequest, KeyReused, Outcome
from cart.core.waitlist import Wait, WaitRefusal, WaitRequest

Publish = Callable[[str, Sequence[Event]], Awaitable[None]]
"""Tell the viewers of a store's shows; at least once, so receivers keep the newest version."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A product's picture: a JPEG and the tag that changes with it."""

    jpeg: bytes
    etag: str


@dataclass(frozen=True, slots=True)
class Full:
    """There are as many as there may be."""


@dataclass(frozen=True, slots=True)
class CodeTaken:
    """Something else of its kind in the store has this code, or one of these."""


class Shelf(Protocol):
    """Stores, products and pictures."""

    async def add_store(self, store: Store) -> bool:
        """Keep a new store; False when the slug is taken."""

    async def save_store(self, store: Store) -> None:
        """Keep a store's new name and story."""

    async def store(self, slug: str) -> Store | None:
        """The store of that slug."""

    async def stores(self, after: str, limit: int) -> Sequence[Store]:
        """Stores by slug, from the one after `after`."""

    async def stores_of(self, owner: str) -> Sequence[Store]:
        """The stores of an owner."""

    async def add_product(self, product: Product, limit: int) -> Product | Full | CodeTaken:
        """Keep a new product, unless its store has `limit` of them already."""

    async def edit_product(
        self, product: str, edit: ProductEdit
    ) -> Product | EditRefusal | CodeTaken:
        """Edit under the product's lock."""

    async def products(self, ids: Sequence[str]) -> Sequence[Product]:
        """The products of these ids, in their order; unknown ones are left out."""

    async def products_in(self, store: str) -> Sequence[Product]:
        """All products of a store, oldest first."""

    async def save_picture(self, product: str, picture: Picture) -> Product:
        """Keep a product's new picture."""

    async def picture(self, product: str) -> Picture | None:
        """A product's picture."""


class Stockroom(Protocol):
    """The seller's door to the piles."""

    async def change(
        self, product: str, changes: Mapping[str, int], *, reason: Reason, key: str
    ) -> RestockRefusal | None:
        """Add to, or take from, the free units by SKU, once for each key; None when it is done."""

    async def waiting(self, store: str) -> Mapping[str, int]:
        """How many buyers wait for each SKU of a store; none for the SKUs left out."""


class Imports(Protocol):
    """Sheets of products, each done once for its key."""

    async def earlier(self, store: str, key: str, digest: str) -> Report | KeyReused | None:
        """What was told of this sheet when it was done; None when the key is new."""

    async def apply(
        self, store: str, key: str, digest: str, plan: Plan, report: Report
    ) -> Report | KeyReused | None:
        """Do all of it, or what `earlier` says; None when the store's products do not allow it."""


class Recounts(Protocol):
    """Counters beside what they should be."""

    async def page(self, after: str, limit: int) -> Sequence[Tally] | None:
        """SKUs by id from the one after `after`; None while another node counts."""


class Batch(Protocol):
    """An open transaction on locked products."""

    facts: Facts

    async def keep(self, requests: Sequence[HoldRequest], outcome: Outcome) -> None:
        """Write what was decided; durable once the batch's context has ended without error."""


class Ledger(Protocol):
    """Holds and counters: the only door through which units move."""

    def batch(
        self, requests: Sequence[HoldRequest], hold_ms: int
    ) -> AbstractAsyncContextManager[Batch]:
        """Lock the requests' products in id order and read what deciding them needs."""

    async def release(self, hold: str, buyer: str) -> Hold | None:
        """Give back a buyer's HELD units; the hold as it is then, None when it is not theirs."""

    async def extend(self, hold: str, buyer: str) -> Hold | None:
        """Give a HELD hold in time its one extension; the hold as it is then, None: not theirs."""

    async def live(self, buyer: str) -> tuple[Sequence[Hold], int]:
        """A buyer's holds with a running deadline, oldest first, and the time."""

    async def sweep(self, limit: int) -> int:
        """Expire up to `limit` holds past their deadline, and their orders; how many it was."""


@dataclass(frozen=True, slots=True)
class SkuLine:
    """How many wait for units of a SKU."""

    sku: str
    product: str
    waiting: int


class Waitlist(Protocol):
    """Who waits for what. Offers are the ledger's: whoever frees units makes them."""

    async def join(self, request: WaitRequest) -> Wait | WaitRefusal:
        """Wait at the end of a SKU's line, if none of it is free; the same key, the same wait."""

    async def leave(self, wait: str, buyer: str) -> Wait | None:
        """Wait no longer; the wait as it is then, None when it is not this buyer's."""

    async def waits(self, buyer: str) -> tuple[Sequence[Wait], int]:
        """What a buyer waits for or is being offered, oldest first, and the time."""

    async def lines(self, store: str) -> Sequence[SkuLine]:
        """The SKUs of a store somebody waits for."""


@dataclass(frozen=True, slots=True)
class Placement:
    """An order somebody wants to place; `digest` tells equal requests from different ones."""

    id: str
    buyer: str
    key: str
    digest: str
    holds: tuple[str, ...]
    recipient: Recipient
    wish: Wish
    total_minor: int
    pay_within_ms: int


@dataclass(frozen=True, slots=True)
class Placed:
    """The order, new or from an earlier request with the same key."""

    order: Order


@dataclass(frozen=True, slots=True)
class KeyUsed:
    """The key belongs to a different order of the same buyer."""


@dataclass(frozen=True, slots=True)
class NoSuchHold:
    """One of the holds is not the buyer's."""


@dataclass(frozen=True, slots=True)
class PriceDiffers:
    """The order would cost something else than the buyer was told: the quote as it is now."""

    quote: Quote


Unquotable = NoSuchHold | NotHeld | TooLate | MixedStores | CouponUnfit | PointsShort
Place = Placed | KeyUsed | PriceDiffers | Unquotable


class OrderBook(Protocol):
    """Orders."""

    async def quote(self, buyer: str, holds: Sequence[str], wish: Wish) -> Quote | Unquotable:
        """What an order of a buyer's holds would cost now."""

    async def held(self, buyer: str, store: str) -> tuple[Sequence[Hold], int]:
        """A buyer's HELD units of a store, oldest first, and the time."""

    async def place(self, placement: Placement) -> Place:
        """Turn a buyer's holds into an order."""

    async def order(self, order: str) -> Order | None:
        """The order of that id."""

    async def orders_of(self, buyer: str, limit: int) -> Sequence[Order]:
        """A buyer's orders, newest first."""

    async def has_bought(self, buyer: str, store: str) -> bool:
        """Whether an order of this buyer in the store is paid."""

    async def orders_for(self, store: str, before: str, limit: int) -> Sequence[Order]:
        """A store's orders, newest first; with `before`, an id, those that came before it."""

    async def sell_free(self, order: str) -> Order | None:
        """Claim and sell at once an order that costs nothing; None when it cannot be paid now."""

    async def cancel(self, order: str) -> Order | None:
        """Cancel it and return its units, money too if there was any; None when too late."""


@dataclass(frozen=True, slots=True)
class Payment:
    """An attempt to pay an order, as it is now.

    `reference`: what the provider calls it; empty until it has told us, and then the buyer has not
    seen its page either.
    """

    id: str
    order: str
    provider: str
    reference: str
    amount_minor: int
    currency: str
    state: Attempt
    order_state: OrderState
    overdue: bool


class PaymentBook(Protocol):
    """Payment attempts, and the orders and units that follow them."""

    async def open(self, order: str, payment: str, provider: str) -> Payment | None:
        """The order's open attempt, made if there is none; None when it cannot be paid now.

        An attempt at another provider that has not been claimed yet is called off for it.
        """

    async def refer(self, payment: str, reference: str) -> None:
        """Keep what the provider calls the attempt."""

    async def payment(self, payment: str) -> Payment | None:
        """The attempt of that id."""

    async def latest(self, order: str) -> Payment | None:
        """The newest attempt of an order."""

    async def claim(self, payment: str) -> Payment:
        """Suspend expiry and make the units wait for the money, if they are still there.

        If they are not, the attempt is VOIDING afterwards.
        """

    async def fall_silent(self, payment: str) -> Payment:
        """The provider's answer never came: keep everything, ask later."""

    async def sell(self, payment: str) -> Payment:
        """The money is there: the claimed units are sold."""

    async def decline(self, payment: str) -> Payment:
        """There will be no money: a claim is let go, the order can be paid another way."""

    async def void(self, payment: str) -> Payment:
        """The money, should it come or have come, must go back."""

    async def finish_void(self, payment: str) -> Payment:
        """The provider has called the payment off."""

    async def due(self, limit: int) -> Sequence[str]:
        """Unsettled attempts it is time to ask about; each is given later next time."""


@dataclass(frozen=True, slots=True)
class RefundRequest:
    """A refund somebody asks for; `digest` tells equal requests from different ones."""

    id: str
    order: str
    by: str
    key: str
    digest: str
    wish: RefundWish
    restock: bool
    reason: str


@dataclass(frozen=True, slots=True)
class NotPaid:
    """There is no money to give back: the order was never paid."""

    state: OrderState


@dataclass(frozen=True, slots=True)
class TooMuch:
    """More than is left of what was paid."""

    left_minor: int


@dataclass(frozen=True, slots=True)
class Repayment:
    """A refund on its way, and the payment it gives back of."""

    id: str
    payment: Payment
    amount_minor: int
    state: RefundState


Requested = Order | KeyUsed | NotPaid | TooMuch | NoSuchUnits | NothingLeft


class RefundBook(Protocol):
    """Refunds, and the units that come back with them."""

    async def request(self, request: RefundRequest) -> Requested:
        """Write a refund down, and put its units back on sale if that is wanted; the order.

        An order all of whose units came back is CANCELLED.
        """

    async def refund(self, refund: str) -> Repayment | None:
        """The refund of that id, if money is to move for it."""

    async def refunds_of(self, payment: str) -> Sequence[str]:
        """The unsettled refunds of a payment."""

    async def step(self, refund: str, event: RefundEvent) -> Repayment:
        """Let an event happen to a refund, if it can; both sides are told of its end."""

    async def due(self, limit: int) -> Sequence[str]:
        """Unsettled refunds it is time to ask about; each is given later next time."""


class CouponBook(Protocol):
    """Stores' coupons."""

    async def add(self, coupon: Coupon, limit: int) -> Coupon | CodeTaken | Full:
        """Keep a new coupon; the same terms again are the coupon that has them."""

    async def coupons_of(self, store: str) -> Sequence[Coupon]:
        """A store's coupons, newest first."""

    async def end(self, store: str, coupon: str) -> Coupon | None:
        """End it, now and for good; None where the store has no such coupon."""


class PointsBook(Protocol):
    """Buyers' points."""

    async def wallet(self, buyer: str) -> Wallet:
        """A buyer's points."""

    async def entries(self, buyer: str, limit: int) -> Sequence[Entry]:
        """What happened to a buyer's points, newest first."""

    async def ripen(self, limit: int) -> int:
        """Make up to `limit` orders' earnings ready whose time has come; how many it was."""


class AddressBook(Protocol):
    """Where people's parcels go."""

    async def addresses_of(self, person: str) -> Sequence[Address]:
        """A person's addresses: the usual one, then the others, oldest first."""

    async def add(
        self, address: str, person: str, recipient: Recipient, limit: int, *, usual: bool
    ) -> Address | Full:
        """Keep a new address; one the person has already is that one. The first is the usual."""

    async def replace(
        self, person: str, address: str, recipient: Recipient, *, usual: bool
    ) -> Address | None:
        """Change one; None where the person has no such address, or has the new one twice then."""

    async def remove(self, person: str, address: str) -> None:
        """Forget one; of the others the oldest is the usual one if this was it."""

    async def forget(self, person: str) -> None:
        """Forget all of a person's."""


class Outbox(Protocol):
    """Events written in the transactions that caused them."""

    def take(self, limit: int) -> AbstractAsyncContextManager[Sequence[tuple[str, Event]]]:
        """The oldest (store, event), nobody else taking any; gone if the context ends well.

        An event's `key` is the same each time it is taken, and no other's.
        """


@dataclass(frozen=True, slots=True)
class Charge:
    """What a provider shows and takes; `return_path` is where the buyer comes back to."""

    payment: str
    order: str
    title: str
    amount_minor: int
    currency: str
    return_path: str


@dataclass(frozen=True, slots=True)
class Begun:
    """Where to send the buyer, and what the provider calls the payment."""

    redirect: str
    reference: str


class ProviderSilent(Exception):
    """The provider did not answer, or nothing that tells: what it did is not known."""


class PaymentProvider(Protocol):
    """Somebody who takes money. Every act on the same payment may be repeated harmlessly.

    Each method but `read_webhook` raises `ProviderSilent` when no answer came. What a provider says
    of a payment counts only if it names our amount, our currency and our payment.
    """

    async def begin(self, charge: Charge) -> Begun:
        """Prepare a payment."""

    async def look_up(self, payment: Payment) -> Standing:
        """What the provider knows of the payment."""

    async def confirm(self, payment: Payment) -> Standing:
        """Take the authorized money. DECLINED: it was not taken, and will not be."""

    async def cancel(self, payment: Payment) -> Standing:
        """Call the payment off, giving back money that was taken; how it stands afterwards."""

    async def refund(self, repayment: Repayment) -> Going:
        """Give back so much of the payment, once for the refund's id."""

    async def look_up_refund(self, repayment: Repayment) -> Going:
        """How far the provider is with a refund."""

    def read_webhook(self, headers: Mapping[str, str], body: bytes, now_s: float) -> str | None:
        """The payment a genuine, fresh message speaks of, empty when it is of none of ours.

        None when the message is not the provider's. A message is only a reason to ask.
        """
