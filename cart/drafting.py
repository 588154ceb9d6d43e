"""From what a seller says to a product or an edit of one: words tidied, bounds kept.

Everything here raises `Invalid` with the field that breaks its rule.
"""

from collections.abc import Callable, Sequence

from msgspec import UNSET

from cart.core import catalog
from cart.core.catalog import Product, ProductEdit, ProductSku, SkuEdit, Store, with_skus
from cart.core.draft import (
    STOCK_LIMIT_UNITS,
    NewProduct,
    NewSku,
    ProductChange,
    Rule,
    SkuChange,
)
from cart.core.hold import QUANTITY_LIMIT_UNITS
from cart.core.money import PRICE_LIMIT_MINOR
from cart.errors import Invalid

MakeId = Callable[[], str]


def to_product(store: Store, said: NewProduct, make_id: MakeId) -> Product:
    """A product that is new in the store."""
    product, price_minor = make_id(), price(said.price_minor)
    if said.option_names:
        names = tuple(
            _line(name, catalog.OPTION_LIMIT_CHARS, "option_names") for name in said.option_names
        )
        if said.stock or said.code is not None:
            raise Invalid("a product with options has its units by SKU", field="skus")
        skus = [to_sku(sku, make_id(), price_minor) for sku in said.skus]
    else:
        if said.skus:
            raise Invalid("SKUs differ by options", field="option_names")
        names = ()
        only = NewSku(options=[], stock=said.stock, code=said.code)
        skus = [to_sku(only, product, price_minor)]
    if not catalog.options_fit(names, skus):
        raise bad_options()
    draft = Product(
        id=product,
        store=store.slug,
        title=title(said.title),
        description=description(said.description),
        price_minor=price_minor,
        currency=store.currency,
        picture=None,
        on_hand=0,
        free=0,
        held=0,
        sold=0,
        limit_per_buyer=limit(said.limit_per_buyer),
        option_names=names,
        skus=(),
        version=1,
    )
    return with_skus(draft, skus)


def to_sku(said: NewSku, id: str, price_minor: int) -> ProductSku:  # noqa: A002 - the SKU's
    """A SKU that is new, at that price unless it says another."""
    if not 0 <= said.stock <= STOCK_LIMIT_UNITS:
        raise out_of_range("stock", 0, STOCK_LIMIT_UNITS)
    return ProductSku(
        id=id,
        options=tuple(_line(one, catalog.OPTION_LIMIT_CHARS, "options") for one in said.options),
        price_minor=price_minor if said.price_minor is None else price(said.price_minor),
        code=None if said.code is None else code(said.code),
        on_hand=said.stock,
        free=said.stock,
        held=0,
        sold=0,
    )


def to_edit(product: Product, said: ProductChange, make_id: MakeId) -> ProductEdit:
    """An edit of a product; new SKUs without a price cost what the product did at least."""
    usual = product.price_minor if said.price_minor is UNSET else price(said.price_minor)
    return ProductEdit(
        title=UNSET if said.title is UNSET else title(said.title),
        description=UNSET if said.description is UNSET else description(said.description),
        price_minor=UNSET if said.price_minor is UNSET else usual,
        limit_per_buyer=UNSET if said.limit_per_buyer is UNSET else limit(said.limit_per_buyer),
        skus=_sku_edits(said.skus),
        added=[to_sku(sku, make_id(), usual) for sku in said.new_skus],
    )


def _sku_edits(said: Sequence[SkuChange]) -> dict[str, SkuEdit]:
    edits: dict[str, SkuEdit] = {}
    for change in said:
        if change.id in edits:
            raise Invalid("each SKU once", field="skus")
        edits[change.id] = SkuEdit(
            price_minor=UNSET if change.price_minor is UNSET else price(change.price_minor),
            code=change.code if change.code is UNSET or change.code is None else code(change.code),
        )
    return edits


def bad_options() -> Invalid:
    """The error for options that do not fit."""
    return Invalid(
        f"at most {catalog.OPTION_NAMES_LIMIT} names and {catalog.SKUS_LIMIT} SKUs, "
        "an option for each name, each combination once",
        field="options",
        rule=Rule.OPTIONS,
        names=catalog.OPTION_NAMES_LIMIT,
        skus=catalog.SKUS_LIMIT,
    )


def out_of_range(field: str, least: int, most: int) -> Invalid:
    """The error for a number that is none, or not within its bounds."""
    return Invalid(
        f"a whole number, {least} to {most}", field=field, rule=Rule.RANGE, least=least, most=most
    )


def name(text: str) -> str:
    """A store's name."""
    return _line(text, catalog.NAME_LIMIT_CHARS, "name")


def story(text: str) -> str:
    """A store's story."""
    return _text(text, catalog.STORY_LIMIT_CHARS, "story")


def title(text: str) -> str:
    """A product's title."""
    return _line(text, catalog.TITLE_LIMIT_CHARS, "title")


def description(text: str) -> str:
    """A product's description."""
    return _text(text, catalog.DESCRIPTION_LIMIT_CHARS, "description")


def code(text: str) -> str:
    """A SKU's code."""
    tidy = catalog.tidy_code(text)
    if tidy is None:
        raise Invalid("letters, digits and inner hyphens", field="code", rule=Rule.CODE)
    return tidy


def price(price_minor: int) -> int:
    """A price of one unit."""
    if not 1 <= price_minor <= PRICE_LIMIT_MINOR:
        raise out_of_range("price_minor", 1, PRICE_LIMIT_MINOR)
    return price_minor


def limit(limit: int | None) -> int | None:
    """How many units one buyer may have."""
    if limit is not None and not 1 <= limit <= QUANTITY_LIMIT_UNITS:
        raise out_of_range("limit_per_buyer", 1, QUANTITY_LIMIT_UNITS)
    return limit


def _line(text: str, limit_chars: int, field: str) -> str:
    line = catalog.tidy_line(text, limit_chars)
    if line is None:
        told = f"one line of 1 to {limit_chars} characters"
        raise Invalid(told, field=field, rule=Rule.LINE, limit=limit_chars)
    return line


def _text(text: str, limit_chars: int, field: str) -> str:
    body = catalog.tidy_text(text, limit_chars)
    if body is None:
        told = f"at most {limit_chars} characters"
        raise Invalid(told, field=field, rule=Rule.TEXT, limit=limit_chars)
    return body
