"""What passes through a room and changes what somebody is to its store: an order, a following."""

from typing import Final

import msgspec


class Followed(msgspec.Struct, frozen=True, tag_field="type", tag="followed"):
    """This viewer follows the store from now on, or no longer."""

    account: str
    follows: bool


class _Order(msgspec.Struct, frozen=True):
    buyer: str


class Ordered(msgspec.Struct, frozen=True, tag_field="type", tag="order"):
    """An order was placed or went on, as far as the room reads it."""

    order: _Order


_CHANGES: Final[msgspec.msgpack.Decoder[Followed | Ordered]] = msgspec.msgpack.Decoder(
    Followed | Ordered
)


def read_standing(packed: bytes) -> Followed | Ordered | None:
    """What a packed event tells of somebody's standing; None for events of other kinds."""
    try:
        return _CHANGES.decode(packed)
    except msgspec.ValidationError:
        return None
