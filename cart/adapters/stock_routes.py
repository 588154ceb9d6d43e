"""The seller's stock over HTTP."""

from collections.abc import Awaitable, Callable
from typing import Any

from cart.adapters.service import Cart
from cart.core.catalog import Product
from cart.core.draft import StockChange

Operation = tuple[str, str, Callable[..., Awaitable[Any]], int]


def operations(cart: Cart) -> list[Operation]:
    """The typed operations."""

    async def change_stock(
        person: str,
        id: str,  # noqa: A002 - the path's name
        idempotency_key: str,
        body: StockChange,
    ) -> Product:
        """Add to, or take from, a product's free units; the same key does it once."""
        return await cart.stocking.change(person, id, idempotency_key, body)

    return [("POST", "/products/{id}/stock", change_stock, 200)]
