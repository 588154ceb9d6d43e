"""Stores, products and pictures in PostgreSQL. Units change under their product's row lock only."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from cart.adapters.database import Database
from cart.adapters.outbox import put
from cart.adapters.tables import pictures, products, stores
from cart.core import event
from cart.core.catalog import Product, ProductEdit, Store, edited
from cart.ports import Picture


class SqlShelf:
    """The catalogue in PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add_store(self, store: Store) -> bool:
        """Keep a new store; False when the slug is taken."""
        row = {name: getattr(store, name) for name in Store.__struct_fields__}
        fresh = upsert(stores).values(row).on_conflict_do_nothing().returning(stores.c.slug)
        async with self._database.writing() as connection:
            return (await connection.execute(fresh)).first() is not None

    async def save_store(self, store: Store) -> None:
        """Keep a store's new name and story."""
        change = update(stores).where(stores.c.slug == store.slug)
        async with self._database.writing() as connection:
            await connection.execute(change.values(name=store.name, story=store.story))

    async def store(self, slug: str) -> Store | None:
        """The store of that slug."""
        async with self._database.reading() as connection:
            row = (await connection.execute(select(stores).where(stores.c.slug == slug))).first()
        return None if row is None else _store(row)

    async def stores(self, after: str, limit: int) -> Sequence[Store]:
        """Stores by slug, from the one after `after`."""
        query = select(stores).where(stores.c.slug > after).order_by(stores.c.slug).limit(limit)
        async with self._database.reading() as connection:
            return [_store(row) for row in await connection.execute(query)]

    async def stores_of(self, owner: str) -> Sequence[Store]:
        """The stores of an owner."""
        query = select(stores).where(stores.c.owner == owner).order_by(stores.c.slug)
        async with self._database.reading() as connection:
            return [_store(row) for row in await connection.execute(query)]

    async def add_product(self, product: Product, limit: int) -> bool:
        """Keep a new product; False when its store has `limit` of them already."""
        lock = (
            select(stores.c.slug)
            .where(stores.c.slug == product.store)
            .with_for_update(key_share=True)
        )
        count = select(func.count()).where(products.c.store == product.store)
        async with self._database.writing() as connection:
            await connection.execute(lock)
            if (await connection.execute(count)).scalar_one() >= limit:
                return False
            columns = {name: getattr(product, name) for name in Product.__struct_fields__}
            del columns["picture"]
            await connection.execute(insert(products).values(columns))
            await put(connection, product.store, event.product_changed(None, product))
        return True

    async def edit_product(self, product: str, edit: ProductEdit) -> Product | None:
        """Edit under the row lock; None when the free units do not allow it."""
        async with self._database.writing() as connection:
            before = await _locked(connection, product)
            after = edited(before, edit)
            if after is None:
                return None
            await _save(connection, before, after)
            return after

    async def products(self, ids: Sequence[str]) -> Sequence[Product]:
        """The products of these ids, in their order; unknown ones are left out."""
        async with self._database.reading() as connection:
            rows = await connection.execute(select(products).where(products.c.id.in_(ids)))
            found = {row.id: to_product(row) for row in rows}
        return [found[one] for one in ids if one in found]

    async def products_in(self, store: str) -> Sequence[Product]:
        """All products of a store, oldest first."""
        query = select(products).where(products.c.store == store)
        async with self._database.reading() as connection:
            rows = await connection.execute(query.order_by(products.c.created_at, products.c.id))
            return [to_product(row) for row in rows]

    async def save_picture(self, product: str, picture: Picture) -> Product:
        """Keep a product's new picture, and tell the viewers."""
        said = {"etag": picture.etag, "jpeg": picture.jpeg}
        keep = upsert(pictures).values(product=product, **said)
        async with self._database.writing() as connection:
            before = await _locked(connection, product)
            await connection.execute(
                keep.on_conflict_do_update(index_elements=[pictures.c.product], set_=said)
            )
            tag = update(products).where(products.c.id == product)
            row = (
                await connection.execute(
                    tag.values(picture_etag=picture.etag, version=products.c.version + 1).returning(
                        products
                    )
                )
            ).one()
            after = to_product(row)
            await put(connection, after.store, event.product_changed(before, after))
            return after

    async def picture(self, product: str) -> Picture | None:
        """A product's picture."""
        query = select(pictures).where(pictures.c.product == product)
        async with self._database.reading() as connection:
            row = (await connection.execute(query)).first()
        return None if row is None else Picture(row.jpeg, row.etag)


async def _locked(connection: AsyncConnection, product: str) -> Product:
    query = select(products).where(products.c.id == product).with_for_update(key_share=True)
    return to_product((await connection.execute(query)).one())


async def _save(connection: AsyncConnection, before: Product, after: Product) -> None:
    names = ("title", "description", "price_minor", "limit_per_buyer", "on_hand", "free", "version")
    change = update(products).where(products.c.id == after.id)
    await connection.execute(change.values({name: getattr(after, name) for name in names}))
    await put(connection, after.store, event.product_changed(before, after))


def _store(row: Row[Any]) -> Store:
    return Store(
        slug=row.slug, name=row.name, story=row.story, owner=row.owner, currency=row.currency
    )


def to_product(row: Row[Any]) -> Product:
    """A row of products as a product; the picture's address changes with the picture."""
    picture = f"/products/{row.id}/picture?v={row.picture_etag}" if row.picture_etag else None
    return Product(
        id=row.id,
        store=row.store,
        title=row.title,
        description=row.description,
        price_minor=row.price_minor,
        currency=row.currency,
        picture=picture,
        on_hand=row.on_hand,
        free=row.free,
        held=row.held,
        sold=row.sold,
        limit_per_buyer=row.limit_per_buyer,
        version=row.version,
    )
