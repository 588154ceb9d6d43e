"""Coupons: so much off an order of one store, while they last.

A coupon takes a percentage, up to a cap, or an amount off the goods at deal prices, never more
than they cost. `used` counts the orders that have it and were not given up; it never exceeds
`uses_limit`.
"""

import re
import unicodedata
from enum import StrEnum
from typing import Annotated, Final

import msgspec

CODE_LIMIT_CHARS: Final = 24
USES_LIMIT: Final = 10_000_000
AMOUNT_LIMIT_MINOR: Final = 1_000_000_000
MOMENT_LIMIT_MS: Final = 32_503_680_000_000
"""The year 3000."""

CODE: Final = re.compile(r"[0-9A-Z가-힣_-]{2,24}")

Amount = Annotated[int, msgspec.Meta(ge=1, le=AMOUNT_LIMIT_MINOR)]
Uses = Annotated[int, msgspec.Meta(ge=1, le=USES_LIMIT)]
Moment = Annotated[int, msgspec.Meta(ge=0, le=MOMENT_LIMIT_MS)]


class CouponTerms(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a coupon gives, to whom and when: exactly one of `percent` and `amount_minor`.

    `cap_minor` bounds a percentage. With a `show`, only what was held in it counts as its order.
    """

    code: Annotated[str, msgspec.Meta(min_length=1, max_length=CODE_LIMIT_CHARS)]
    percent: Annotated[int, msgspec.Meta(ge=1, le=100)] | None = None
    cap_minor: Amount | None = None
    amount_minor: Amount | None = None
    minimum_minor: Annotated[int, msgspec.Meta(ge=0, le=AMOUNT_LIMIT_MINOR)] = 0
    starts_at_ms: Moment | None = None
    ends_at_ms: Moment | None = None
    uses_limit: Uses | None = None
    uses_per_buyer: Uses = 1
    show: Annotated[str, msgspec.Meta(min_length=1, max_length=64)] | None = None


class Coupon(msgspec.Struct, frozen=True, kw_only=True):
    """A store's coupon as it stands."""

    id: str
    store: str
    terms: CouponTerms
    used: int
    ended: bool


class Unfit(StrEnum):
    """Why a coupon does not count."""

    UNKNOWN = "unknown"
    NOT_YET = "not_yet"
    OVER = "over"
    USED_UP = "used_up"
    USED_BY_YOU = "used_by_you"
    BELOW_MINIMUM = "below_minimum"
    OTHER_SHOW = "other_show"


def tidy_code(text: str) -> str | None:
    """A code as it is kept: capitals, digits, Hangul, - and _; None when it cannot be one."""
    code = unicodedata.normalize("NFKC", text).strip().upper()
    return code if CODE.fullmatch(code) else None


def fault(terms: CouponTerms) -> str | None:
    """The member that makes no sense beside the others, or None."""
    if tidy_code(terms.code) is None:
        return "code"
    if (terms.percent is None) == (terms.amount_minor is None):
        return "percent"
    if terms.cap_minor is not None and terms.percent is None:
        return "cap_minor"
    begun, over = terms.starts_at_ms, terms.ends_at_ms
    if begun is not None and over is not None and over <= begun:
        return "ends_at_ms"
    return None


def unfit(
    coupon: Coupon, *, goods_minor: int, shows: frozenset[str | None], uses: int, now_ms: int
) -> Unfit | None:
    """Why this buyer, who has used it `uses` times, cannot have it now; None when they can."""
    terms = coupon.terms
    if coupon.ended or (terms.ends_at_ms is not None and now_ms >= terms.ends_at_ms):
        return Unfit.OVER
    if terms.starts_at_ms is not None and now_ms < terms.starts_at_ms:
        return Unfit.NOT_YET
    if terms.show is not None and shows != {terms.show}:
        return Unfit.OTHER_SHOW
    if goods_minor < terms.minimum_minor:
        return Unfit.BELOW_MINIMUM
    if uses >= terms.uses_per_buyer:
        return Unfit.USED_BY_YOU
    if terms.uses_limit is not None and coupon.used >= terms.uses_limit:
        return Unfit.USED_UP
    return None


def worth(terms: CouponTerms, goods_minor: int) -> int:
    """What it takes off goods of that much, in whole minor units, rounded down."""
    if terms.amount_minor is not None:
        return min(terms.amount_minor, goods_minor)
    assert terms.percent is not None, "a coupon gives something"
    off = goods_minor * terms.percent // 100
    return off if terms.cap_minor is None else min(off, terms.cap_minor)
