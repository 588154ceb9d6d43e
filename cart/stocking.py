"""Stock comes, or was miscounted: the seller's use cases around units.

Units change through the ledger alone, each change with its reason, once for each idempotency key.
"""

import msgspec

from cart.core import catalog
from cart.core.catalog import Product
from cart.core.draft import STOCK_LIMIT_UNITS, StockChange
from cart.core.movement import Reason
from cart.core.restock import NotFree, TooManyOffers
from cart.core.stock import KeyReused, NotItsSku
from cart.errors import IdempotencyMismatch, Invalid, NotEnoughStock, NotFound, TooManyWaiting
from cart.ports.stock import Stockroom
from cart.shopping import Shopping


class StockLine(msgspec.Struct, frozen=True, kw_only=True):
    """The units of one SKU, for its seller; `waiting`: how many buyers wait for it."""

    sku: str
    product: str
    title: str
    options: tuple[str, ...]
    code: str | None
    free: int
    held: int
    sold: int
    waiting: int


class Stocking:
    """Tells and changes how many units there are."""

    def __init__(self, stockroom: Stockroom, shopping: Shopping) -> None:
        self._stockroom = stockroom
        self._shopping = shopping

    async def change(self, person: str, product: str, key: str, said: StockChange) -> Product:
        """Change a product's free units; the product as it is then.

        Raises `NotFound`, `Forbidden`, `Invalid`, `NotEnoughStock`, `IdempotencyMismatch`,
        `TooManyWaiting`.
        """
        await self._shopping.own_product(person, product)
        if not catalog.is_key(key):
            raise Invalid("1 to 64 visible ASCII characters", field="idempotency_key")
        reason, changes = Reason(said.reason), _changes(said)
        match await self._stockroom.change(product, changes, reason=reason, key=key):
            case NotFree(sku, free):
                raise NotEnoughStock("that many units are not free", sku=sku, free=free)
            case NotItsSku(sku):
                raise NotFound("no such SKU", sku=sku)
            case KeyReused():
                raise IdempotencyMismatch
            case TooManyOffers() as crowded:
                raise too_many_waiting(crowded)
        return await self._shopping.product(product)

    async def view(self, person: str, slug: str) -> list[StockLine]:
        """Every SKU of a store, its products oldest first; raises `NotFound` or `Forbidden`."""
        await self._shopping.own_store(person, slug)
        waiting = await self._stockroom.waiting(slug)
        return [
            StockLine(
                sku=sku.id,
                product=product.id,
                title=product.title,
                options=sku.options,
                code=sku.code,
                free=sku.free,
                held=sku.held,
                sold=sku.sold,
                waiting=waiting.get(sku.id, 0),
            )
            for product in await self._shopping.products_in(slug)
            for sku in product.skus
        ]


def too_many_waiting(refused: TooManyOffers) -> TooManyWaiting:
    """The error for units that too many wait for."""
    told = f"at most {refused.limit} offers to those who wait at once"
    return TooManyWaiting(told, limit=refused.limit)


def _changes(said: StockChange) -> dict[str, int]:
    changes = {one.sku: one.change for one in said.changes}
    if not changes or len(changes) < len(said.changes):
        raise Invalid("each SKU once", field="changes")
    least = 1 if said.reason == "restock" else -STOCK_LIMIT_UNITS
    if not all(change and least <= change <= STOCK_LIMIT_UNITS for change in changes.values()):
        raise Invalid(f"{least} to {STOCK_LIMIT_UNITS}, and not 0", field="change")
    return changes
