"""Everything cart refuses, one tree. Each leaf has a code for the wire; one table elsewhere turns
codes into HTTP statuses (the one meant stands in each docstring).
"""

from typing import Any, ClassVar


class CartError(Exception):
    """Base of all; `facts` are further members of the answer."""

    code: ClassVar[str]

    def __init__(self, detail: str = "", **facts: Any) -> None:
        super().__init__(detail or self.code)
        self.facts = facts


class NotFound(CartError):
    """No such thing, or none that this person may know of (404)."""

    code = "not_found"


class Forbidden(CartError):
    """Somebody else's store (403)."""

    code = "forbidden"


class SignInRequired(CartError):
    """Nobody is signed in (401)."""

    code = "sign_in"


class Invalid(CartError):
    """A value breaks a rule its type does not tell; fact `field` (422)."""

    code = "invalid"


class CodeTaken(CartError):
    """Another SKU of the store has this code (409)."""

    code = "code_taken"


class PriceChanged(CartError):
    """It costs something else than the buyer was told; facts: what it costs now (409)."""

    code = "price_changed"


class SoldOut(CartError):
    """Not that many are free; facts `sku`, `free`, `held`, `may_wait` (409)."""

    code = "sold_out"


class DealShort(CartError):
    """Fewer units than asked for are left at the deal's price; facts `product`, `left` (409)."""

    code = "deal_short"


class NotForSale(CartError):
    """The product is sold in its deal or not at all; fact `product` (409)."""

    code = "not_for_sale"


class LimitReached(CartError):
    """More than one buyer may have; facts `product`, `limit` (409)."""

    code = "limit_reached"


class IdempotencyMismatch(CartError):
    """The key was used for a different request (409)."""

    code = "idempotency_mismatch"


class CouponRefused(CartError):
    """The coupon does not count; facts `reason`, `minimum_minor` (409)."""

    code = "coupon_refused"


class NotEnoughPoints(CartError):
    """The buyer has not that many points; fact `ready_minor` (409)."""

    code = "not_enough_points"


class Conflict(CartError):
    """Not possible in the state it is in; fact `state` where there is one (409)."""

    code = "conflict"


class AuctionOpen(CartError):
    """The show has an open auction; it has one at a time (409)."""

    code = "auction_open"


class BidTooLow(CartError):
    """Others bid more; fact `minimum_minor` (409)."""

    code = "bid_too_low"


class AlreadyLeading(CartError):
    """Nobody bids against themselves (409)."""

    code = "already_leading"


class AuctionOver(CartError):
    """The auction has ended (410)."""

    code = "auction_over"


class SlugTaken(CartError):
    """Another store has this slug (409)."""

    code = "slug_taken"


class NotEnoughStock(CartError):
    """That many units are not free to be taken away, or too many in all; `sku`, `free` (409)."""

    code = "not_enough_stock"


class TooMany(CartError):
    """A named limit is reached; fact `limit` (409)."""

    code = "too_many"


class TooManyWaiting(CartError):
    """More wait for new units than are offered some at once; fact `limit` (409)."""

    code = "too_many_waiting"


class HoldExpired(CartError):
    """The hold's deadline has passed (410)."""

    code = "hold_expired"


class OrderExpired(CartError):
    """The order's deadline has passed (410)."""

    code = "expired"


class Busy(CartError):
    """More requests wait than can be served in time; come back (503)."""

    code = "busy"


class ProviderUnavailable(CartError):
    """The payment provider does not answer; nothing was charged (502)."""

    code = "provider_unavailable"


class BadSignature(CartError):
    """A webhook that the provider did not sign, or signed too long ago (401)."""

    code = "bad_signature"


class Malformed(CartError):
    """A body that is not what it says (400)."""

    code = "malformed"


class TooLarge(CartError):
    """A body larger than is read; fact `limit_bytes` (413)."""

    code = "too_large"


class UnsupportedPicture(CartError):
    """Not a JPEG, PNG or WebP picture, or one with too many pixels (415)."""

    code = "unsupported_media_type"
