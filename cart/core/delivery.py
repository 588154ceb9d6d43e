"""What sending a parcel costs: one fee an order, nothing from an amount on, more for far places.

The fee follows from the goods at deal prices before any coupon, so that a coupon never makes an
order dearer.
"""

from bisect import bisect_right
from typing import Annotated, Final

import msgspec

FEE_LIMIT_MINOR: Final = 1_000_000
"""The highest fee; a higher one is refused."""

FREE_FROM_LIMIT_MINOR: Final = 1_000_000_000
DAYS_LIMIT: Final = 60

Fee = Annotated[int, msgspec.Meta(ge=0, le=FEE_LIMIT_MINOR)]
Days = Annotated[int, msgspec.Meta(ge=0, le=DAYS_LIMIT)]
Postcode = Annotated[str, msgspec.Meta(pattern="^[0-9]{5}$", min_length=5, max_length=5)]
"""A Korean postcode."""

REMOTE_POSTCODES: Final = (
    *((22386, 22388), (23004, 23010), (23100, 23116), (23124, 23136)),  # Incheon's islands
    *((31708, 31708), (32133, 32133), (33411, 33411)),  # Chungnam's islands
    *((40200, 40240), (46768, 46771)),  # Ulleungdo, Busan's Gadeokdo
    *((52570, 52571), (53031, 53033), (53089, 53104)),  # Gyeongnam's islands
    *((56347, 56349), (57068, 57069), (58760, 58762)),  # Wido, Anmado, Mokpo's islands
    *((58800, 58810), (58816, 58818), (58826, 58826), (58832, 58832)),  # Sinan
    *((58839, 58841), (58843, 58866)),  # Sinan
    *((58953, 58958), (59102, 59103), (59106, 59106), (59127, 59127)),  # Jindo, Wando
    *((59129, 59129), (59137, 59166)),  # Wando
    *((59650, 59650), (59766, 59766), (59781, 59790)),  # Yeosu's islands
    (63000, 63695),  # Jeju
)
"""First and last postcode of the places carriers ask more for, in order."""

_FIRSTS: Final = tuple(first for first, _ in REMOTE_POSTCODES)


class Delivery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A store's terms: an order of `free_from_minor` is sent free but for what is far."""

    fee_minor: Fee = 0
    free_from_minor: Annotated[int, msgspec.Meta(ge=1, le=FREE_FROM_LIMIT_MINOR)] | None = None
    remote_fee_minor: Fee = 0
    days_least: Days = 1
    days_most: Days = 3


def is_postcode(text: str) -> bool:
    """Whether the text is five digits."""
    return len(text) == 5 and text.isascii() and text.isdigit()


def is_remote(postcode: str) -> bool:
    """Whether carriers ask more for this Korean postcode: Jeju and the islands."""
    number = int(postcode)
    place = bisect_right(_FIRSTS, number) - 1
    return place >= 0 and number <= REMOTE_POSTCODES[place][1]


def fee(terms: Delivery | None, goods_minor: int, postcode: str | None) -> int:
    """What sending costs; without a postcode, to the mainland; without terms, nothing."""
    if terms is None:
        return 0
    free = terms.free_from_minor is not None and goods_minor >= terms.free_from_minor
    far = postcode is not None and is_remote(postcode)
    return (0 if free else terms.fee_minor) + (terms.remote_fee_minor if far else 0)
