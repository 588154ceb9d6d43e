"""What a show carries, and which of it is pinned.

An empty line-up carries the whole store. What is pinned is always carried.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Final

from live.show.core.stage import Show, Stage

LINEUP_PRODUCTS: Final = 100
"""A longer line-up is refused."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a line-up or pin cannot be: `too_many`, `twice`, `unknown` or `ended`."""

    why: str
    product: str | None = None


def arrange(show: Show, products: Sequence[str], shelf: Collection[str]) -> Show | Refused:
    """The show with this line-up. `shelf`: the ids of the store's products.

    A pinned product that is no longer carried is unpinned.
    """
    if show.stage is Stage.ENDED:
        return Refused("ended")
    if len(products) > LINEUP_PRODUCTS:
        return Refused("too_many")
    if len(set(products)) != len(products):
        return Refused("twice")
    for product in products:
        if product not in shelf:
            return Refused("unknown", product)
    arranged = replace(show, lineup=tuple(products))
    if show.pinned is not None and not carries(arranged, show.pinned):
        return replace(arranged, pinned=None)
    return arranged


def pin(show: Show, product: str | None, shelf: Collection[str]) -> Show | Refused:
    """The show with this product pinned, None for nothing; it joins a line-up that lacks it."""
    if show.stage is Stage.ENDED:
        return Refused("ended")
    if product is None:
        return replace(show, pinned=None)
    if product not in shelf:
        return Refused("unknown", product)
    if carries(show, product):
        return replace(show, pinned=product)
    if len(show.lineup) >= LINEUP_PRODUCTS:
        return Refused("too_many")
    return replace(show, lineup=(*show.lineup, product), pinned=product)


def carries(show: Show, product: str) -> bool:
    """Whether the product is in the show."""
    return not show.lineup or product in show.lineup
