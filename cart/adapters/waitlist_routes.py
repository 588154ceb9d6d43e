"""The waitlist over HTTP."""

from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta, Struct

from cart.adapters.routes import Operation
from cart.adapters.service import Cart
from cart.adapters.wire import Id
from cart.core.hold import QUANTITY_LIMIT_UNITS
from cart.core.waitlist import Wait


class NewWait(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Units to wait for, of a SKU of which none is free."""

    sku: Id
    quantity: Annotated[int, Meta(ge=1, le=QUANTITY_LIMIT_UNITS)] = 1
    show: Id | None = None


class Waits(Struct, frozen=True, kw_only=True):
    """What a person waits for or is being offered, oldest first."""

    waits: Sequence[Wait]
    now_ms: int


class WaitingForSku(Struct, frozen=True, kw_only=True):
    """How many wait for units of a SKU."""

    sku: str
    product: str
    waiting: int


class StoreLines(Struct, frozen=True, kw_only=True):
    """The SKUs of a store that somebody waits for."""

    skus: Sequence[WaitingForSku]


def operations(cart: Cart) -> list[Operation]:
    """The typed operations."""
    waiting = cart.waiting

    async def join(person: str, idempotency_key: str, body: NewWait) -> Wait:
        """Wait for units of a SKU that is sold out; the same key gives the same wait."""
        return await waiting.join(person, idempotency_key, body.sku, body.quantity, show=body.show)

    async def list_waits(person: str) -> Waits:
        """What you wait for, with your place in line, and what you are being offered."""
        waits, now_ms = await waiting.waits(person)
        return Waits(waits=waits, now_ms=now_ms)

    async def leave(person: str, id: str) -> None:  # noqa: A002 - the path's name
        """Wait no longer, or decline what you are being offered."""
        await waiting.leave(person, id)

    async def store_lines(person: str, slug: str) -> StoreLines:
        """How many wait for what your store has sold out."""
        lines = await waiting.lines(person, slug)
        return StoreLines(
            skus=[
                WaitingForSku(sku=line.sku, product=line.product, waiting=line.waiting)
                for line in lines
            ]
        )

    return [
        ("POST", "/waits", join, 201),
        ("GET", "/waits", list_waits, 200),
        ("DELETE", "/waits/{id}", leave, 204),
        ("GET", "/stores/{slug}/waitlist", store_lines, 200),
    ]
