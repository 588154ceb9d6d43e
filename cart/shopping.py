"""Stores and products: anybody may look, only a store's owner may change it.

Units are changed in stocking.py; the viewers hear of everything by the outbox.
"""

import hashlib
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import msgspec
from msgspec import UNSET, UnsetType

from cart import drafting
from cart.core import catalog
from cart.core.catalog import BadOptions, Product, Store
from cart.core.delivery import Delivery
from cart.core.draft import NewProduct, ProductChange
from cart.core.money import CURRENCIES
from cart.core.points import POINTS_PERCENT_LIMIT
from cart.core.points_lot import POINTS_DAYS_LEAST, POINTS_DAYS_MOST
from cart.core.stock import NotItsSku
from cart.errors import (
    CodeTaken,
    Forbidden,
    IdempotencyMismatch,
    Invalid,
    NotFound,
    SlugTaken,
    TooMany,
)
from cart.ports import answers
from cart.ports.shelf import Picture, Shelf

STORES_LISTED_LIMIT: Final = 100
"""Most stores in one answer; the next begin after the last slug."""

PRODUCTS_PER_STORE_LIMIT: Final = 500
"""Most products in a store; more are refused."""

CURRENCY: Final = "KRW"


ID_BYTES: Final = 9
IDS_DRAWN: Final = 256
"""The kernel is asked for the chance of so many ids at once: most of the cost is the asking."""


def _draw_ids() -> Iterator[str]:
    while True:
        chance = secrets.token_bytes(IDS_DRAWN * ID_BYTES)
        for at in range(0, len(chance), ID_BYTES):
            yield urlsafe_b64encode(chance[at : at + ID_BYTES]).decode()


_IDS: Final = _draw_ids()


def new_id() -> str:
    """A short id nobody can guess: 12 URL-safe characters, 72 bits."""
    return next(_IDS)


class Shopping:
    """The use cases around what is for sale."""

    def __init__(self, shelf: Shelf, *, make_id: Callable[[], str] = new_id) -> None:
        self._shelf = shelf
        self._make_id = make_id

    async def open_store(self, person: str, *, slug: str, name: str, story: str) -> Store:
        """Open a store; raises `Invalid` or `SlugTaken`."""
        if not catalog.is_slug(slug):
            raise Invalid("lower-case letters, digits and inner hyphens", field="slug")
        store = Store(
            slug=slug,
            name=drafting.name(name),
            story=drafting.story(story),
            owner=person,
            currency=CURRENCY,
        )
        assert store.currency in CURRENCIES
        if not await self._shelf.add_store(store):
            raise SlugTaken
        return store

    async def edit_store(
        self,
        person: str,
        slug: str,
        *,
        name: str | UnsetType = UNSET,
        story: str | UnsetType = UNSET,
        delivery: Delivery | UnsetType | None = UNSET,
        points_percent: int | UnsetType = UNSET,
        points_days: int | UnsetType | None = UNSET,
    ) -> Store:
        """Change a store's words or terms; raises `NotFound`, `Forbidden`, `Invalid`."""
        store = await self.own_store(person, slug)
        if name is not UNSET:
            store = msgspec.structs.replace(store, name=drafting.name(name))
        if story is not UNSET:
            store = msgspec.structs.replace(store, story=drafting.story(story))
        if delivery is not UNSET:
            store = msgspec.structs.replace(store, delivery=_delivery(delivery))
        if points_percent is not UNSET:
            if not 0 <= points_percent <= POINTS_PERCENT_LIMIT:
                raise Invalid(f"0 to {POINTS_PERCENT_LIMIT}", field="points_percent")
            store = msgspec.structs.replace(store, points_percent=points_percent)
        if points_days is not UNSET:
            store = msgspec.structs.replace(store, points_days=_points_days(points_days))
        await self._shelf.save_store(store)
        return store

    async def store(self, slug: str) -> Store:
        """The store of that slug; raises `NotFound`."""
        store = await self._shelf.store(slug) if catalog.is_slug(slug) else None
        if store is None:
            raise NotFound("no such store")
        return store

    async def own_store(self, person: str, slug: str) -> Store:
        """The store, for its owner only; raises `NotFound` or `Forbidden`."""
        store = await self.store(slug)
        if store.owner != person:
            raise Forbidden("this is somebody else's store")
        return store

    async def stores(self, after: str = "") -> Sequence[Store]:
        """Stores by slug, from the one after `after`."""
        if after and not catalog.is_slug(after):
            raise Invalid("a slug", field="after")
        return await self._shelf.stores(after, STORES_LISTED_LIMIT)

    async def stores_of(self, person: str) -> Sequence[Store]:
        """The stores this person owns."""
        return await self._shelf.stores_of(person)

    async def add_product(self, person: str, slug: str, key: str, said: NewProduct) -> Product:
        """Put a product on sale; the same key gives the same product.

        Raises `NotFound`, `Forbidden`, `Invalid`, `IdempotencyMismatch`, `TooMany`, `CodeTaken`.
        """
        store = await self.own_store(person, slug)
        if not catalog.is_key(key):
            raise Invalid("1 to 64 visible ASCII characters", field="idempotency_key")
        product = drafting.to_product(store, said, self._make_id)
        digest = hashlib.sha256(msgspec.json.encode(said)).hexdigest()
        kept = await self._shelf.add_product(product, key, digest, PRODUCTS_PER_STORE_LIMIT)
        if isinstance(kept, answers.KeyUsed):
            raise IdempotencyMismatch
        if isinstance(kept, answers.Full):
            raise TooMany("products in one store", limit=PRODUCTS_PER_STORE_LIMIT)
        if isinstance(kept, answers.CodeTaken):
            raise CodeTaken("each code once in a store")
        return kept

    async def edit_product(self, person: str, product: str, said: ProductChange) -> Product:
        """Change a product.

        Raises `NotFound`, `Forbidden`, `Invalid`, `CodeTaken`.
        """
        edit = drafting.to_edit(await self.own_product(person, product), said, self._make_id)
        match await self._shelf.edit_product(product, edit):
            case NotItsSku(sku):
                raise NotFound("no such SKU", sku=sku)
            case BadOptions():
                raise drafting.bad_options()
            case answers.CodeTaken():
                raise CodeTaken("each code once in a store")
            case after:
                return after

    async def product(self, product: str) -> Product:
        """The product of that id; raises `NotFound`."""
        found = await self.products([product])
        if not found:
            raise NotFound("no such product")
        return found[0]

    async def products(self, ids: Sequence[str]) -> Sequence[Product]:
        """The products of these ids, in their order; unknown ones are left out."""
        return await self._shelf.products([one for one in ids if catalog.is_id(one)])

    async def products_in(self, slug: str) -> Sequence[Product]:
        """All products of a store; raises `NotFound`."""
        store = await self.store(slug)
        return await self._shelf.products_in(store.slug)

    async def picture(self, product: str) -> Picture:
        """A product's picture; raises `NotFound`."""
        picture = await self._shelf.picture(product) if catalog.is_id(product) else None
        if picture is None:
            raise NotFound("no picture")
        return picture

    async def save_picture(self, person: str, product: str, picture: Picture) -> Product:
        """Give a product its picture; raises `NotFound` or `Forbidden`."""
        await self.own_product(person, product)
        return await self._shelf.save_picture(product, picture)

    async def own_product(self, person: str, product: str) -> Product:
        """The product, for its store's owner only; raises `NotFound` or `Forbidden`."""
        found = await self.product(product)
        await self.own_store(person, found.store)
        return found


def _points_days(days: int | None) -> int | None:
    if days is not None and not POINTS_DAYS_LEAST <= days <= POINTS_DAYS_MOST:
        raise Invalid(f"{POINTS_DAYS_LEAST} to {POINTS_DAYS_MOST}", field="points_days")
    return days


def _delivery(delivery: Delivery | None) -> Delivery | None:
    if delivery is not None and delivery.days_least > delivery.days_most:
        raise Invalid("not less than days_least", field="delivery.days_most")
    return delivery
