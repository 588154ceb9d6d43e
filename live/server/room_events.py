"""What the house tells rooms of shows and their media; cart tells them of the shop itself."""

from typing import Any, Final

import msgspec


class OnAir(msgspec.Struct, frozen=True, tag_field="type", tag="on_air"):
    """The show's media began to flow, or stopped."""

    on_air: bool


class Pin(msgspec.Struct, frozen=True, tag_field="type", tag="pin"):
    """The product on top of the show; null: none."""

    product: str | None


class Ended(msgspec.Struct, frozen=True, tag_field="type", tag="ended"):
    """The show is over."""


class Media(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="media"):
    """How the show's viewers on one node fare.

    `bitrate_bps`: what one of them who sees is sent. `loss`: the share of packets that they lost.
    """

    viewers: int
    paused: int
    bitrate_bps: int
    loss: float
    freezes: int


class Replaced(msgspec.Struct, frozen=True, tag_field="type", tag="taken_over"):
    """A newer publisher took the place of this session."""

    session: str


FOR_EVERYBODY: Final = (OnAir, Pin, Ended)
FOR_THE_SELLER: Final = (Media, Replaced)


def message(event: msgspec.Struct) -> dict[str, Any]:
    """The event as rooms are told it."""
    told: dict[str, Any] = msgspec.to_builtins(event)
    return told
