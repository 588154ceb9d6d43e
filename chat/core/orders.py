"""What the room reads of the shop's `order` events: whose order it is."""

from typing import Final

import msgspec


class _Order(msgspec.Struct, frozen=True):
    buyer: str


class _Ordered(msgspec.Struct, frozen=True, tag_field="type", tag="order"):
    order: _Order


_ORDERS: Final = msgspec.msgpack.Decoder(_Ordered)


def read_buyer(packed: bytes) -> str | None:
    """Whose order a packed event tells of; None for events of other kinds."""
    try:
        return _ORDERS.decode(packed).order.buyer
    except msgspec.ValidationError:
        return None
