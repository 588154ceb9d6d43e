"""From holds to an order to the provider's page. What happens to the money is in settling.py.

Only the buyer sees, pays or cancels an order; the store's owner may look.
"""

import asyncio
import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

from cart.core import catalog
from cart.core.coupon import Unfit, tidy_code
from cart.core.delivery import is_postcode
from cart.core.hold import Hold
from cart.core.order import HOLDS_LIMIT, MixedStores, NotHeld, Order, OrderState, Recipient, TooLate
from cart.core.payment import ATTEMPTS_LIMIT, Attempt
from cart.core.quote import CouponUnfit, PointsShort, Quote, Wish
from cart.core.refund import RefundWish
from cart.errors import (
    Busy,
    CartError,
    Conflict,
    CouponRefused,
    Forbidden,
    HoldExpired,
    IdempotencyMismatch,
    Invalid,
    NotEnoughPoints,
    NotFound,
    OrderExpired,
    PriceChanged,
    ProviderUnavailable,
    TooMany,
)
from cart.ports.answers import Full, KeyUsed
from cart.ports.orders import NoSuchHold, OrderBook, Placed, Placement, PriceDiffers, Unquotable
from cart.ports.payments import Begun, Charge, PaymentBook, PaymentProvider, ProviderSilent
from cart.refunding import Refunding
from cart.settling import Settling
from cart.shopping import Shopping, new_id

ORDERS_LISTED_LIMIT: Final = 100
"""Most orders in one answer, the newest."""

CANCEL_KEY: Final = "cancel"
"""The idempotency key of the refund that cancelling a paid order is."""

BEGIN_WITHIN_S: Final = 10.0
"""A provider that takes longer to prepare a payment is said not to answer."""


class Checkout:
    """The use cases around orders."""

    def __init__(
        self,
        orders: OrderBook,
        payments: PaymentBook,
        providers: Mapping[str, PaymentProvider],
        settling: Settling,
        refunding: Refunding,
        shopping: Shopping,
        *,
        pay_within_seconds: int,
        make_id: Callable[[], str] = new_id,
    ) -> None:
        self._orders = orders
        self._payments = payments
        self._providers = providers
        self._settling = settling
        self._refunding = refunding
        self._shopping = shopping
        self._pay_within_ms = pay_within_seconds * 1000
        self._make_id = make_id

    async def held(self, buyer: str, slug: str) -> tuple[Sequence[Hold], int]:
        """A buyer's basket in a store, what is held and not ordered, and the server's time."""
        store = await self._shopping.store(slug)
        return await self._orders.held(buyer, store.slug)

    async def quote(
        self,
        buyer: str,
        *,
        holds: Sequence[str],
        coupon: str | None = None,
        points_minor: int = 0,
        postcode: str | None = None,
    ) -> Quote:
        """What an order of these holds would cost now; without a postcode, to the mainland.

        Raises `Invalid`, `NotFound`, `HoldExpired`, `Conflict`, `CouponRefused`,
        `NotEnoughPoints`.
        """
        wish = Wish(_code(coupon), points_minor, postcode)
        quoted = await self._orders.quote(buyer, _wanted(holds), wish)
        if isinstance(quoted, Quote):
            return quoted
        raise _unquotable(quoted)

    async def place(
        self,
        buyer: str,
        key: str,
        *,
        holds: Sequence[str],
        recipient: Recipient,
        total_minor: int,
        coupon: str | None = None,
        points_minor: int = 0,
    ) -> Order:
        """Turn holds into an order, which then has its own deadline, at the total the buyer saw.

        Raises `Invalid`, `NotFound`, `HoldExpired`, `Conflict`, `IdempotencyMismatch`,
        `CouponRefused`, `NotEnoughPoints`, or `PriceChanged` with the quote as it is now.
        """
        wanted = _wanted(holds)
        if not catalog.is_key(key):
            raise Invalid("1 to 64 visible ASCII characters", field="idempotency_key")
        recipient = tidy_recipient(recipient)
        wish = Wish(_code(coupon), points_minor, recipient.postcode)
        placement = Placement(
            id=self._make_id(),
            buyer=buyer,
            key=key,
            digest=_digest(wanted, recipient, wish, total_minor),
            holds=wanted,
            recipient=recipient,
            wish=wish,
            total_minor=total_minor,
            pay_within_ms=self._pay_within_ms,
        )
        match await self._orders.place(placement):
            case KeyUsed():
                raise IdempotencyMismatch
            case PriceDiffers(quote):
                raise PriceChanged("it costs something else now", quote=msgspec.to_builtins(quote))
            case Placed(order):
                return order
            case refusal:
                raise _unquotable(refusal)

    async def order(self, person: str, order: str) -> Order:
        """The order, for its buyer and the store's owner; raises `NotFound` to all others."""
        found = await self._orders.order(order) if catalog.is_id(order) else None
        if found is None:
            raise NotFound("no such order")
        if found.buyer != person and (await self._shopping.store(found.store)).owner != person:
            raise NotFound("no such order")
        return found

    async def orders_of(self, buyer: str) -> Sequence[Order]:
        """A buyer's newest orders."""
        return await self._orders.orders_of(buyer, ORDERS_LISTED_LIMIT)

    async def has_bought(self, buyer: str, store: str) -> bool:
        """Whether a buyer has paid for something in a store."""
        return await self._orders.has_bought(buyer, store)

    async def orders_for(self, person: str, slug: str, before: str = "") -> Sequence[Order]:
        """A store's newest orders, or those before the order `before`: none, if it has no such one.

        Raises `NotFound`, `Forbidden` or `Invalid`.
        """
        store = await self._shopping.own_store(person, slug)
        if before and not catalog.is_id(before):
            raise Invalid("an order's id", field="before")
        return await self._orders.orders_for(store.slug, before, ORDERS_LISTED_LIMIT)

    async def pay(self, buyer: str, order: str, provider: str = "") -> str:
        """Begin, or go on with, paying; where to send the buyer.

        `provider` may be left out when there is only one. Raises `Invalid`, `NotFound`,
        `Conflict`, `OrderExpired`, `TooMany`, `Busy`, `ProviderUnavailable`.
        """
        found = await self._own(buyer, order)
        if found.total_minor == 0:
            if found.state != OrderState.PAID and await self._orders.sell_free(order) is None:
                raise self._refusal(await self._own(buyer, order))
            return f"/orders/{order}"
        if not provider and len(self._providers) > 1:
            raise Invalid("choose one of " + ", ".join(self._providers), field="provider")
        name = provider or next(iter(self._providers))
        if name not in self._providers:
            raise Invalid("no such provider", field="provider")
        payment = await self._payments.open(order, self._make_id(), name)
        if isinstance(payment, Full):
            raise TooMany("attempts to pay one order", limit=ATTEMPTS_LIMIT)
        if payment is None or payment.state != Attempt.CREATED:
            raise self._refusal(await self._own(buyer, order))
        if not self._settling.rounds.take_turn(name, payment.id):
            raise Busy("the provider was just asked about this payment, often")
        charge = Charge(
            payment=payment.id,
            order=order,
            title=_title(found),
            amount_minor=payment.amount_minor,
            currency=payment.currency,
            return_path=f"/orders/{order}",
        )
        begun = await self._begin(name, charge)
        known = begun.reference == payment.reference
        if not known and not await self._payments.refer(payment.id, begun.reference):
            raise self._refusal(await self._own(buyer, order))
        return begun.redirect

    async def _begin(self, provider: str, charge: Charge) -> Begun:
        try:
            async with asyncio.timeout(BEGIN_WITHIN_S):
                return await self._providers[provider].begin(charge)
        except (ProviderSilent, TimeoutError):
            raise ProviderUnavailable from None

    async def confirm(self, buyer: str, order: str) -> Order:
        """The buyer is back: settle what can be settled, and tell how the order stands."""
        await self._own(buyer, order)
        payment = await self._payments.latest(order)
        if payment is not None:
            await self._settling.hurry(payment.id)
        return await self._own(buyer, order)

    async def cancel(self, buyer: str, order: str) -> Order:
        """Cancel an order, returning units and money; raises `NotFound` or `Conflict`.

        Cancelling twice is cancelling once.
        """
        found = await self._own(buyer, order)
        if found.state == OrderState.PAID:
            found = await self._refunding.request(buyer, CANCEL_KEY, found, wish=RefundWish())
        if found.state == OrderState.CANCELLED:
            return found
        cancelled = await self._orders.cancel(order)
        if cancelled is None:
            found = await self._own(buyer, order)
            if found.state == OrderState.CANCELLED:
                return found
            raise self._refusal(found)
        self._settling.rounds.wake()
        return cancelled

    async def refund(
        self, person: str, key: str, order: str, *, wish: RefundWish, restock: bool, reason: str
    ) -> Order:
        """Give something of a paid order back, for its buyer or its seller.

        Raises `NotFound`, and what `Refunding.request` raises.
        """
        found = await self.order(person, order)
        return await self._refunding.request(
            person, key, found, wish=wish, restock=restock, reason=reason
        )

    async def _own(self, buyer: str, order: str) -> Order:
        found = await self.order(buyer, order)
        if found.buyer != buyer:
            raise Forbidden("only the buyer may do this")
        return found

    @staticmethod
    def _refusal(order: Order) -> Conflict | OrderExpired:
        late = order.state == OrderState.PLACED and order.expires_at_ms <= order.now_ms
        if late or order.state == OrderState.EXPIRED:
            return OrderExpired()
        return Conflict("not possible in this state", state=str(order.state))


def tidy_recipient(recipient: Recipient) -> Recipient:
    """The recipient with trimmed lines; raises `Invalid`."""
    values = {"postcode": recipient.postcode}
    if not is_postcode(recipient.postcode):
        raise Invalid("five digits", field="recipient.postcode")
    for field, limit_chars in (("name", 80), ("phone", 30), ("address", 300)):
        line = catalog.tidy_line(getattr(recipient, field), limit_chars)
        if line is None:
            raise Invalid(f"one line of 1 to {limit_chars} characters", field=f"recipient.{field}")
        values[field] = line
    return Recipient(**values)


def _wanted(holds: Sequence[str]) -> tuple[str, ...]:
    wanted = tuple(dict.fromkeys(holds))
    if not 1 <= len(wanted) <= HOLDS_LIMIT:
        raise Invalid(f"1 to {HOLDS_LIMIT} holds", field="holds")
    if not all(catalog.is_id(hold) for hold in wanted):
        raise NotFound("no such hold")
    return wanted


def _code(coupon: str | None) -> str | None:
    """The code as coupons are kept; raises `CouponRefused` for what is no code at all."""
    if coupon is None:
        return None
    code = tidy_code(coupon)
    if code is None:
        raise CouponRefused(reason=str(Unfit.UNKNOWN))
    return code


def _unquotable(refusal: Unquotable) -> CartError:
    match refusal:
        case NoSuchHold():
            return NotFound("no such hold")
        case TooLate(hold):
            return HoldExpired(hold=hold)
        case NotHeld(hold, state):
            return Conflict("the hold is not free to be ordered", hold=hold, state=str(state))
        case MixedStores():
            return Conflict("one order, one store")
        case CouponUnfit(reason, minimum_minor):
            return CouponRefused(reason=str(reason), minimum_minor=minimum_minor)
        case PointsShort(ready_minor):
            return NotEnoughPoints(ready_minor=ready_minor)


def _digest(holds: Sequence[str], recipient: Recipient, wish: Wish, total_minor: int) -> str:
    asked = (sorted(holds), recipient, wish.coupon, wish.points_minor, total_minor)
    return hashlib.sha256(msgspec.json.encode(asked)).hexdigest()


def _title(order: Order) -> str:
    first, *others = order.lines
    return f"{first.title} +{len(others)}" if others else first.title
