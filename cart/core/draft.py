"""What a seller says of a product: bounded by type here, its words tidied in drafting.py."""

from enum import StrEnum
from typing import Annotated, Final, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from cart.core import catalog
from cart.core.hold import QUANTITY_LIMIT_UNITS
from cart.core.money import PRICE_LIMIT_MINOR

STOCK_LIMIT_UNITS: Final = 1_000_000
"""Most units put on sale at once; more are refused."""

Title = Annotated[str, Meta(min_length=1, max_length=catalog.TITLE_LIMIT_CHARS)]
Description = Annotated[str, Meta(max_length=catalog.DESCRIPTION_LIMIT_CHARS)]
Option = Annotated[str, Meta(min_length=1, max_length=catalog.OPTION_LIMIT_CHARS)]
Options = Annotated[list[Option], Meta(max_length=catalog.OPTION_NAMES_LIMIT)]
Code = Annotated[str, Meta(min_length=1, max_length=catalog.CODE_LIMIT_CHARS)]
SkuId = Annotated[str, Meta(min_length=1, max_length=64)]
Price = Annotated[int, Meta(ge=1, le=PRICE_LIMIT_MINOR)]
Stock = Annotated[int, Meta(ge=0, le=STOCK_LIMIT_UNITS)]
UnitsChange = Annotated[int, Meta(ge=-STOCK_LIMIT_UNITS, le=STOCK_LIMIT_UNITS)]
Limit = Annotated[int, Meta(ge=1, le=QUANTITY_LIMIT_UNITS)]


class Rule(StrEnum):
    """What something a seller says, or a line of a sheet, breaks; pages have words for each."""

    INVALID = "invalid"
    RANGE = "range"
    LINE = "line"
    TEXT = "text"
    CODE = "code"
    CODE_TAKEN = "code_taken"
    OPTIONS = "options"
    OPTION_EACH = "option_each"
    OPTIONS_NEEDED = "options_needed"
    SKU_UNKNOWN = "sku_unknown"
    SKU_TWICE = "sku_twice"
    SOLD_MEANWHILE = "sold_meanwhile"
    COLUMN_UNKNOWN = "column_unknown"
    COLUMN_TWICE = "column_twice"
    COLUMNS_NONE = "columns_none"
    LINES = "lines"
    CELLS = "cells"
    CSV = "csv"
    DONE_BEFORE = "done_before"


class NewSku(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A choice of a product's options, one for each name; without a price it costs the usual."""

    options: Options
    price_minor: Price | None = None
    stock: Stock = 0
    code: Code | None = None


class NewProduct(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A product to put on sale; without `limit_per_buyer` anybody may have any number.

    With `option_names` its units are those of `skus`, else `stock` and `code` are its own.
    """

    title: Title
    description: Description = ""
    price_minor: Price
    stock: Stock = 0
    code: Code | None = None
    limit_per_buyer: Limit | None = None
    option_names: Options = []
    skus: Annotated[list[NewSku], Meta(max_length=catalog.SKUS_LIMIT)] = []


class SkuChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What changes of one SKU but its units."""

    id: SkuId
    price_minor: Price | UnsetType = UNSET
    code: Code | UnsetType | None = UNSET


class ProductChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What changes of a product, and which SKUs it gains.

    `price_minor` is for all its SKUs but those in `skus`, and for new ones that name none.
    """

    title: Title | UnsetType = UNSET
    description: Description | UnsetType = UNSET
    price_minor: Price | UnsetType = UNSET
    limit_per_buyer: Limit | UnsetType | None = UNSET
    skus: Annotated[list[SkuChange], Meta(max_length=catalog.SKUS_LIMIT)] = []
    new_skus: Annotated[list[NewSku], Meta(max_length=catalog.SKUS_LIMIT)] = []


class UnitsChanged(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many free units of a SKU come, or go."""

    sku: SkuId
    change: UnitsChange


class StockChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Units that came in (`restock`) or were miscounted (`correction`), all SKUs or none."""

    reason: Literal["restock", "correction"]
    changes: Annotated[list[UnitsChanged], Meta(min_length=1, max_length=catalog.SKUS_LIMIT)]
