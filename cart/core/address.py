"""Where somebody's parcels go: a short list, one of which is the usual one."""

from typing import Final

import msgspec

from cart.core.order import Recipient

ADDRESSES_LIMIT: Final = 10
"""Most addresses a person keeps; more are refused."""


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """An address as the person it belongs to sees it; `usual`: proposed at the checkout."""

    id: str
    recipient: Recipient
    usual: bool
