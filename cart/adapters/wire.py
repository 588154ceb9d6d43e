"""What clients send and get over HTTP: typed, bounded, nothing unknown let through."""

from collections.abc import Sequence
from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from cart.core import catalog
from cart.core.catalog import Product, Store
from cart.core.hold import Hold
from cart.core.money import PRICE_LIMIT_MINOR
from cart.core.order import HOLDS_LIMIT, Order, Recipient
from cart.core.stock import QUANTITY_LIMIT_UNITS
from cart.shopping import STOCK_LIMIT_UNITS

Id = Annotated[str, Meta(min_length=1, max_length=64)]
Name = Annotated[str, Meta(min_length=1, max_length=catalog.NAME_LIMIT_CHARS)]
Story = Annotated[str, Meta(max_length=catalog.STORY_LIMIT_CHARS)]
Title = Annotated[str, Meta(min_length=1, max_length=catalog.TITLE_LIMIT_CHARS)]
Description = Annotated[str, Meta(max_length=catalog.DESCRIPTION_LIMIT_CHARS)]
Price = Annotated[int, Meta(ge=1, le=PRICE_LIMIT_MINOR)]
Stock = Annotated[int, Meta(ge=0, le=STOCK_LIMIT_UNITS)]
StockChange = Annotated[int, Meta(ge=-STOCK_LIMIT_UNITS, le=STOCK_LIMIT_UNITS)]
Quantity = Annotated[int, Meta(ge=1, le=QUANTITY_LIMIT_UNITS)]


class NewStore(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A store to open."""

    slug: Annotated[
        str, Meta(max_length=catalog.SLUG_LIMIT_CHARS, pattern=f"^{catalog.SLUG.pattern}$")
    ]
    name: Name
    story: Story = ""


class StoreEdit(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What changes of a store."""

    name: Name | UnsetType = UNSET
    story: Story | UnsetType = UNSET


class NewProduct(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A product to put on sale; without `limit_per_buyer` anybody may have any number."""

    title: Title
    description: Description = ""
    price_minor: Price
    stock: Stock
    limit_per_buyer: Quantity | None = None


class ProductChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What changes of a product; `stock_change` adds to, or takes from, the free units."""

    title: Title | UnsetType = UNSET
    description: Description | UnsetType = UNSET
    price_minor: Price | UnsetType = UNSET
    limit_per_buyer: Quantity | UnsetType | None = UNSET
    stock_change: StockChange = 0


class NewHold(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Units to hold."""

    product: Id
    quantity: Quantity = 1
    show: Id | None = None


class NewOrder(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An order to place."""

    holds: Annotated[list[Id], Meta(min_length=1, max_length=HOLDS_LIMIT)]
    recipient: Recipient


class Stores(Struct, frozen=True, kw_only=True):
    """Stores by slug."""

    stores: Sequence[Store]


class Products(Struct, frozen=True, kw_only=True):
    """A store's products, oldest first."""

    products: Sequence[Product]


class Holds(Struct, frozen=True, kw_only=True):
    """A person's holds with a running deadline."""

    holds: Sequence[Hold]
    now_ms: int


class Orders(Struct, frozen=True, kw_only=True):
    """Orders, newest first."""

    orders: Sequence[Order]


class Redirect(Struct, frozen=True, kw_only=True):
    """Where to send the buyer."""

    redirect: str
