"""Stores and products: anybody may look, only a store's owner may change it.

Every change of stock goes through the ledger; the viewers hear of it by the outbox.
"""

import secrets
from collections.abc import Callable, Sequence
from typing import Final

import msgspec
from msgspec import UNSET, UnsetType

from cart.core import catalog
from cart.core.catalog import Product, ProductEdit, Store
from cart.core.money import CURRENCIES, PRICE_LIMIT_MINOR
from cart.core.stock import QUANTITY_LIMIT_UNITS
from cart.errors import Forbidden, Invalid, NotEnoughStock, NotFound, SlugTaken, TooMany
from cart.ports import Picture, Shelf

STORES_LISTED_LIMIT: Final = 100
"""Most stores in one answer; the next begin after the last slug."""

PRODUCTS_PER_STORE_LIMIT: Final = 500
"""Most products in a store; more are refused."""

STOCK_LIMIT_UNITS: Final = 1_000_000
"""Most units put on sale at once; more are refused."""

CURRENCY: Final = "KRW"


def new_id() -> str:
    """A short id nobody can guess: 12 URL-safe characters, 72 bits."""
    return secrets.token_urlsafe(9)


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
            slug=slug, name=_name(name), story=_story(story), owner=person, currency=CURRENCY
        )
        assert store.currency in CURRENCIES
        if not await self._shelf.add_store(store):
            raise SlugTaken
        return store

    async def edit_store(
        self, person: str, slug: str, *, name: str | UnsetType, story: str | UnsetType
    ) -> Store:
        """Change a store's words; raises `NotFound`, `Forbidden`, `Invalid`."""
        store = await self.own_store(person, slug)
        if name is not UNSET:
            store = msgspec.structs.replace(store, name=_name(name))
        if story is not UNSET:
            store = msgspec.structs.replace(store, story=_story(story))
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

    async def add_product(
        self,
        person: str,
        slug: str,
        *,
        title: str,
        description: str,
        price_minor: int,
        stock: int,
        limit_per_buyer: int | None,
    ) -> Product:
        """Put a product on sale; raises `NotFound`, `Forbidden`, `Invalid`, `TooMany`."""
        store = await self.own_store(person, slug)
        if not 0 <= stock <= STOCK_LIMIT_UNITS:
            raise Invalid(f"0 to {STOCK_LIMIT_UNITS}", field="stock")
        product = Product(
            id=self._make_id(),
            store=store.slug,
            title=_title(title),
            description=_description(description),
            price_minor=_price(price_minor),
            currency=store.currency,
            picture=None,
            on_hand=stock,
            free=stock,
            held=0,
            sold=0,
            limit_per_buyer=_limit(limit_per_buyer),
            version=1,
        )
        if not await self._shelf.add_product(product, PRODUCTS_PER_STORE_LIMIT):
            raise TooMany("products in one store", limit=PRODUCTS_PER_STORE_LIMIT)
        return product

    async def edit_product(self, person: str, product: str, edit: ProductEdit) -> Product:
        """Change a product; raises `NotFound`, `Forbidden`, `Invalid`, `NotEnoughStock`."""
        await self._own_product(person, product)
        if abs(edit.stock_change) > STOCK_LIMIT_UNITS:
            raise Invalid(f"at most {STOCK_LIMIT_UNITS}", field="stock_change")
        checked = ProductEdit(
            title=UNSET if edit.title is UNSET else _title(edit.title),
            description=UNSET if edit.description is UNSET else _description(edit.description),
            price_minor=UNSET if edit.price_minor is UNSET else _price(edit.price_minor),
            limit_per_buyer=(
                UNSET if edit.limit_per_buyer is UNSET else _limit(edit.limit_per_buyer)
            ),
            stock_change=edit.stock_change,
        )
        after = await self._shelf.edit_product(product, checked)
        if after is None:
            now = await self.product(product)
            raise NotEnoughStock("that many units are not free", free=now.free)
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
        await self._own_product(person, product)
        return await self._shelf.save_picture(product, picture)

    async def _own_product(self, person: str, product: str) -> Product:
        found = await self.product(product)
        await self.own_store(person, found.store)
        return found


def _name(text: str) -> str:
    return _line(text, catalog.NAME_LIMIT_CHARS, "name")


def _title(text: str) -> str:
    return _line(text, catalog.TITLE_LIMIT_CHARS, "title")


def _line(text: str, limit_chars: int, field: str) -> str:
    line = catalog.tidy_line(text, limit_chars)
    if line is None:
        raise Invalid(f"one line of 1 to {limit_chars} characters", field=field)
    return line


def _story(text: str) -> str:
    return _text(text, catalog.STORY_LIMIT_CHARS, "story")


def _description(text: str) -> str:
    return _text(text, catalog.DESCRIPTION_LIMIT_CHARS, "description")


def _text(text: str, limit_chars: int, field: str) -> str:
    body = catalog.tidy_text(text, limit_chars)
    if body is None:
        raise Invalid(f"at most {limit_chars} characters", field=field)
    return body


def _price(price_minor: int) -> int:
    if not 1 <= price_minor <= PRICE_LIMIT_MINOR:
        raise Invalid(f"1 to {PRICE_LIMIT_MINOR}", field="price_minor")
    return price_minor


def _limit(limit: int | None) -> int | None:
    if limit is not None and not 1 <= limit <= QUANTITY_LIMIT_UNITS:
        raise Invalid(f"1 to {QUANTITY_LIMIT_UNITS}, or null", field="limit_per_buyer")
    return limit
