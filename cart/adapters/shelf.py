"""Stores, products and pictures in PostgreSQL. Units change under their product's row lock only."""

from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, and_, exists, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from cart.adapters import movements
from cart.adapters.database import Database
from cart.adapters.outbox import put
from cart.adapters.tables import among, pictures, products, skus, stores
from cart.core import event
from cart.core.catalog import (
    EditRefusal,
    Product,
    ProductEdit,
    ProductSku,
    Store,
    edited,
    with_skus,
)
from cart.core.delivery import Delivery
from cart.core.movement import Movement, Reason
from cart.ports.answers import CodeTaken, Full, KeyUsed
from cart.ports.shelf import Picture

CODES: Final = 0x6B6B6F74
"""What tells the advisory locks of codes from others ("kkot")."""

COLUMNS: Final = (
    *("id", "store", "title", "description", "currency", "limit_per_buyer", "option_names"),
    "version",
)

SKU: Final = (
    *(skus.c.id.label("sku"), skus.c.options, skus.c.code, skus.c.price_minor),
    *(skus.c.on_hand, skus.c.free, skus.c.held, skus.c.sold),
)


class SqlShelf:
    """The catalogue in PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add_store(self, store: Store) -> bool:
        """Keep a new store; False when the slug is taken."""
        fresh = (
            upsert(stores)
            .values(_store_row(store))
            .on_conflict_do_nothing()
            .returning(stores.c.slug)
        )
        async with self._database.writing() as connection:
            return (await connection.execute(fresh)).first() is not None

    async def save_store(self, store: Store) -> None:
        """Keep a store's new words and terms."""
        change = update(stores).where(stores.c.slug == store.slug)
        async with self._database.writing() as connection:
            await connection.execute(change.values(_store_row(store)))

    async def store(self, slug: str) -> Store | None:
        """The store of that slug."""
        async with self._database.reading() as connection:
            row = (await connection.execute(select(stores).where(stores.c.slug == slug))).first()
        return None if row is None else to_store(row)

    async def stores(self, after: str, limit: int) -> Sequence[Store]:
        """Stores by slug, from the one after `after`."""
        query = select(stores).where(stores.c.slug > after).order_by(stores.c.slug).limit(limit)
        async with self._database.reading() as connection:
            return [to_store(row) for row in await connection.execute(query)]

    async def stores_of(self, owner: str) -> Sequence[Store]:
        """The stores of an owner."""
        query = select(stores).where(stores.c.owner == owner).order_by(stores.c.slug)
        async with self._database.reading() as connection:
            return [to_store(row) for row in await connection.execute(query)]

    async def add_product(
        self, product: Product, key: str, digest: str, limit: int
    ) -> Product | Full | CodeTaken | KeyUsed:
        """Keep a new product, unless its store has `limit` of them already; the one that was kept
        under this key before, if it was wanted alike (`digest`).
        """
        mine = products.c.store == product.store
        same = select(products.c.id, products.c.digest).where(mine)
        same = same.where(products.c.idempotency_key == key)
        count = select(func.count()).where(mine)
        async with self._database.writing() as connection:
            await lock_store(connection, product.store)
            earlier = (await connection.execute(same)).first()
            if earlier is not None:
                (kept,) = await read_products(connection, products.c.id == earlier.id)
                return kept if earlier.digest == digest else KeyUsed()
            if (await connection.execute(count)).scalar_one() >= limit:
                return Full()
            if await code_taken(connection, product.store, product.skus):
                return CodeTaken()
            await insert_product(connection, product)
            asked = update(products).where(products.c.id == product.id)
            await connection.execute(asked.values(idempotency_key=key, digest=digest))
        return product

    async def edit_product(
        self, product: str, edit: ProductEdit
    ) -> Product | EditRefusal | CodeTaken:
        """Edit under the row lock."""
        async with self._database.writing() as connection:
            before = await _locked(connection, product)
            after = edited(before, edit)
            if not isinstance(after, Product):
                return after
            recoded = [sku.code for sku in after.skus] != [sku.code for sku in before.skus]
            if recoded and await code_taken(connection, after.store, after.skus):
                return CodeTaken()
            await save_product(connection, before, after)
            return after

    async def products(self, ids: Sequence[str]) -> Sequence[Product]:
        """The products of these ids, in their order; unknown ones are left out."""
        async with self._database.reading() as connection:
            found = await read_products(connection, among(products.c.id, set(ids)))
        by_id = {product.id: product for product in found}
        return [by_id[one] for one in ids if one in by_id]

    async def products_in(self, store: str) -> Sequence[Product]:
        """All products of a store, oldest first."""
        async with self._database.reading() as connection:
            return await read_products(connection, products.c.store == store)

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
            await connection.execute(
                tag.values(picture_etag=picture.etag, version=products.c.version + 1)
            )
            (after,) = await read_products(connection, products.c.id == product)
            await put(connection, after.store, event.product_changed(before, after))
            return after

    async def picture(self, product: str) -> Picture | None:
        """A product's picture."""
        query = select(pictures).where(pictures.c.product == product)
        async with self._database.reading() as connection:
            row = (await connection.execute(query)).first()
        return None if row is None else Picture(row.jpeg, row.etag)


async def lock_store(connection: AsyncConnection, store: str) -> None:
    """Lock a store's row, so that nobody else adds products to it meanwhile."""
    query = select(stores.c.slug).where(stores.c.slug == store).with_for_update(key_share=True)
    await connection.execute(query)


async def insert_product(connection: AsyncConnection, product: Product) -> None:
    """Keep a new product with its SKUs, and tell the viewers."""
    row = {name: getattr(product, name) for name in COLUMNS}
    # The clock and not the transaction's begin: a sheet's products stay in their order.
    made = insert(products).values(row | {"created_at": func.clock_timestamp()})
    await connection.execute(made)
    await _add_skus(connection, product, product.skus)
    await put(connection, product.store, event.product_changed(None, product))


async def _locked(connection: AsyncConnection, product: str) -> Product:
    """Lock a product, then read it in the next statement, which sees the last holder's writes."""
    query = select(products.c.id).where(products.c.id == product).with_for_update(key_share=True)
    await connection.execute(query)
    (found,) = await read_products(connection, products.c.id == product)
    return found


async def code_taken(connection: AsyncConnection, store: str, wanted: Sequence[ProductSku]) -> bool:
    """Whether two of these SKUs have one code, or a third one has one of theirs.

    Locks the store's codes, so that of two who want the same one the later sees it taken.
    """
    codes = {sku.code for sku in wanted if sku.code is not None}
    if not codes:
        return False
    if len(codes) < sum(sku.code is not None for sku in wanted):
        return True
    lock = func.pg_advisory_xact_lock(func.hashtextextended(store, CODES))
    await connection.execute(select(lock))
    others = and_(skus.c.store == store, among(skus.c.code, codes))
    others = and_(others, skus.c.id.not_in([sku.id for sku in wanted]))
    return bool(await connection.scalar(select(exists().where(others))))


async def save_product(connection: AsyncConnection, before: Product, after: Product) -> None:
    """Keep an edit of a locked product, and tell the viewers."""
    names = ("title", "description", "limit_per_buyer", "version")
    change = update(products).where(products.c.id == after.id)
    await connection.execute(change.values({name: getattr(after, name) for name in names}))
    recoded = [
        was.id for was, sku in zip(before.skus, after.skus, strict=False) if was.code != sku.code
    ]
    # Two SKUs may swap codes, which must be nobody's in between.
    await connection.execute(update(skus).where(among(skus.c.id, recoded)).values(code=None))
    known = len(before.skus)
    for was, sku in zip(before.skus, after.skus[:known], strict=True):
        if was != sku or sku.code is not None:
            row = {"price_minor": sku.price_minor, "code": sku.code}
            await connection.execute(update(skus).where(skus.c.id == sku.id).values(row))
    await _add_skus(connection, after, after.skus[known:])
    await put(connection, after.store, event.product_changed(before, after))


async def _add_skus(
    connection: AsyncConnection, product: Product, added: Sequence[ProductSku]
) -> None:
    if not added:
        return
    first = len(product.skus) - len(added)
    rows = [
        {"product": product.id, "position": position, "store": product.store}
        | {name: getattr(sku, name) for name in ProductSku.__struct_fields__}
        for position, sku in enumerate(added, first)
    ]
    await connection.execute(insert(skus), rows)
    opening = [Movement(sku.id, Reason.OPENING, product.id, free=sku.free) for sku in added]
    await movements.log(connection, opening)


async def read_products(connection: AsyncConnection, chosen: ColumnElement[bool]) -> list[Product]:
    """Products with their SKUs, oldest first, as of one moment."""
    query = (
        select(products, *SKU)
        .join(skus, skus.c.product == products.c.id)
        .where(chosen)
        .order_by(products.c.created_at, products.c.id, skus.c.position)
    )
    rows = (await connection.execute(query)).all()
    return [to_product(list(family)) for _, family in groupby(rows, key=attrgetter("id"))]


def to_store(row: Row[Any]) -> Store:
    """A row of stores as a store."""
    return Store(
        slug=row.slug,
        name=row.name,
        story=row.story,
        owner=row.owner,
        currency=row.currency,
        delivery=to_delivery(row),
        points_percent=row.points_percent,
        points_days=row.points_days,
    )


def to_delivery(row: Row[Any]) -> Delivery | None:
    """A store's terms of delivery from its row; None where it has none."""
    if row.delivery_fee_minor is None:
        return None
    terms = {name: getattr(row, f"delivery_{name}") for name in Delivery.__struct_fields__}
    return Delivery(**terms)


def _store_row(store: Store) -> dict[str, Any]:
    row = {name: getattr(store, name) for name in Store.__struct_fields__}
    terms = row.pop("delivery")
    for name in Delivery.__struct_fields__:
        row[f"delivery_{name}"] = None if terms is None else getattr(terms, name)
    return row


def to_product(rows: Sequence[Row[Any]]) -> Product:
    """A product from its rows, one for each SKU; the picture's address changes with the picture."""
    row = rows[0]
    picture = f"/products/{row.id}/picture?v={row.picture_etag}" if row.picture_etag else None
    product = Product(
        id=row.id,
        store=row.store,
        title=row.title,
        description=row.description,
        price_minor=row.price_minor,
        currency=row.currency,
        picture=picture,
        on_hand=0,
        free=0,
        held=0,
        sold=0,
        limit_per_buyer=row.limit_per_buyer,
        option_names=tuple(row.option_names),
        skus=(),
        version=row.version,
    )
    return with_skus(product, (_sku(row) for row in rows))


def _sku(row: Row[Any]) -> ProductSku:
    return ProductSku(
        id=row.sku,
        options=tuple(row.options),
        price_minor=row.price_minor,
        code=row.code,
        on_hand=row.on_hand,
        free=row.free,
        held=row.held,
        sold=row.sold,
    )
