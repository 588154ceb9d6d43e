"""What a store sells: its products and their pictures."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from cart.core.catalog import EditRefusal, Product, ProductEdit, Store
from cart.ports.answers import CodeTaken, Full, KeyUsed


@dataclass(frozen=True, slots=True)
class Picture:
    """A product's picture: a JPEG and the tag that changes with it."""

    jpeg: bytes
    etag: str


class Shelf(Protocol):
    """Stores, products and pictures."""

    async def add_store(self, store: Store) -> bool:
        """Keep a new store; False when the slug is taken."""

    async def save_store(self, store: Store) -> None:
        """Keep a store's new name and story."""

    async def store(self, slug: str) -> Store | None:
        """The store of that slug."""

    async def stores(self, after: str, limit: int) -> Sequence[Store]:
        """Stores by slug, from the one after `after`."""

    async def stores_of(self, owner: str) -> Sequence[Store]:
        """The stores of an owner."""

    async def add_product(
        self, product: Product, key: str, digest: str, limit: int
    ) -> Product | Full | CodeTaken | KeyUsed:
        """Keep a new product, unless its store has `limit` of them already; the one that was kept
        under this key before, if it was wanted alike (`digest`).
        """

    async def edit_product(
        self, product: str, edit: ProductEdit
    ) -> Product | EditRefusal | CodeTaken:
        """Edit under the product's lock."""

    async def products(self, ids: Sequence[str]) -> Sequence[Product]:
        """The products of these ids, in their order; unknown ones are left out."""

    async def products_in(self, store: str) -> Sequence[Product]:
        """All products of a store, oldest first."""

    async def save_picture(self, product: str, picture: Picture) -> Product:
        """Keep a product's new picture."""

    async def picture(self, product: str) -> Picture | None:
        """A product's picture."""
