"""The catalogue: stores and products as everybody sees them, and how their words must look.

Texts are kept trimmed and free of control characters; a slug is a piece of a URL. A product has
at least one SKU: one without options has exactly one, whose id is the product's. Every edit raises
the product's version by one.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec
from msgspec import UNSET, UnsetType

from cart.core.delivery import Delivery
from cart.core.points import POINTS_PERCENT
from cart.core.points_lot import POINTS_DAYS
from cart.core.stock import Counters, NotItsSku

SLUG_LIMIT_CHARS: Final = 40
NAME_LIMIT_CHARS: Final = 60
STORY_LIMIT_CHARS: Final = 2_000
TITLE_LIMIT_CHARS: Final = 120
DESCRIPTION_LIMIT_CHARS: Final = 4_000
OPTION_LIMIT_CHARS: Final = 40
CODE_LIMIT_CHARS: Final = 20

OPTION_NAMES_LIMIT: Final = 3
"""Most ways in which a product's SKUs differ, such as colour and size; more are refused."""

SKUS_LIMIT: Final = 100
"""Most SKUs of one product; more are refused."""

SLUG: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
KEY: Final = re.compile(r"[\x21-\x7e]{1,64}")
CODE: Final = re.compile(r"[^\W_]+(?:-[^\W_]+)*")
CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
CONTROLS_BUT_NEWLINE: Final = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


class Store(msgspec.Struct, frozen=True, kw_only=True):
    """A store as the world sees it.

    `delivery`: null while the seller has not said; then nothing is asked for it.
    `points_percent`: what buyers earn of what they pay with money. `points_days`: how long such
    points can be spent once they are ready; None: they stay.
    """

    slug: str
    name: str
    story: str
    owner: str
    currency: str
    delivery: Delivery | None = None
    points_percent: int = POINTS_PERCENT
    points_days: int | None = POINTS_DAYS


class ProductSku(msgspec.Struct, frozen=True, kw_only=True):
    """One choice of a product's options, in the order of their names, and its units.

    `code`: what buyers may call it by, of its own in the store.
    """

    id: str
    options: tuple[str, ...]
    price_minor: int
    code: str | None
    on_hand: int
    free: int
    held: int
    sold: int

    @property
    def counters(self) -> Counters:
        """Its units by pile."""
        return Counters(self.free, self.held, self.sold)


class Product(msgspec.Struct, frozen=True, kw_only=True):
    """A product as the world sees it; `picture` is a URL path or null.

    `price_minor` is the lowest of its SKUs' prices, and the counters are their sums.
    """

    id: str
    store: str
    title: str
    description: str
    price_minor: int
    currency: str
    picture: str | None
    on_hand: int
    free: int
    held: int
    sold: int
    limit_per_buyer: int | None
    option_names: tuple[str, ...]
    skus: tuple[ProductSku, ...]
    version: int


@dataclass(frozen=True, slots=True)
class SkuEdit:
    """What a seller changes of one SKU; what is unset stays."""

    price_minor: int | UnsetType = UNSET
    code: str | UnsetType | None = UNSET


@dataclass(frozen=True, slots=True)
class ProductEdit:
    """What a seller changes; what is unset stays.

    `price_minor` is for all SKUs that `skus`, by id, does not speak of. `added`: new SKUs.
    """

    title: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    price_minor: int | UnsetType = UNSET
    limit_per_buyer: int | UnsetType | None = UNSET
    skus: Mapping[str, SkuEdit] = field(default_factory=dict)
    added: Sequence[ProductSku] = ()


@dataclass(frozen=True, slots=True)
class BadOptions:
    """The SKUs' options are not one for each name, each combination once, within the limits."""


EditRefusal = NotItsSku | BadOptions


def with_skus(product: Product, skus: Iterable[ProductSku]) -> Product:
    """The product with these SKUs and the sums and the lowest price that follow from them."""
    kept = tuple(skus)
    return msgspec.structs.replace(
        product,
        skus=kept,
        price_minor=min(sku.price_minor for sku in kept),
        on_hand=sum(sku.on_hand for sku in kept),
        free=sum(sku.free for sku in kept),
        held=sum(sku.held for sku in kept),
        sold=sum(sku.sold for sku in kept),
    )


def options_fit(names: Sequence[str], skus: Sequence[ProductSku]) -> bool:
    """Whether each SKU has an option for each name, and no two have the same ones."""
    combinations = {sku.options for sku in skus}
    return (
        len(set(names)) == len(names) <= OPTION_NAMES_LIMIT
        and 1 <= len(skus) <= SKUS_LIMIT
        and len(combinations) == len(skus)
        and all(len(options) == len(names) for options in combinations)
    )


def edited(product: Product, edit: ProductEdit) -> Product | EditRefusal:
    """The product after the edit, one version on."""
    unknown = next((one for one in edit.skus if one not in {s.id for s in product.skus}), None)
    if unknown is not None:
        return NotItsSku(unknown)
    usual = SkuEdit(price_minor=edit.price_minor)
    skus = [_edited_sku(sku, edit.skus.get(sku.id, usual)) for sku in product.skus]
    skus += edit.added
    if not options_fit(product.option_names, skus):
        return BadOptions()
    said = {
        name: value
        for name in ("title", "description", "limit_per_buyer")
        if (value := getattr(edit, name)) is not UNSET
    }
    return msgspec.structs.replace(with_skus(product, skus), version=product.version + 1, **said)


def _edited_sku(sku: ProductSku, edit: SkuEdit) -> ProductSku:
    return msgspec.structs.replace(
        sku,
        price_minor=sku.price_minor if edit.price_minor is UNSET else edit.price_minor,
        code=sku.code if edit.code is UNSET else edit.code,
    )


def is_slug(text: str) -> bool:
    """Whether the text may be a store's place in URLs: lower case, digits, inner hyphens."""
    return SLUG.fullmatch(text) is not None


def is_id(text: str) -> bool:
    """Whether the text has the shape of an id; any other names nothing and is never asked for."""
    return ID.fullmatch(text) is not None


def is_key(text: str) -> bool:
    """Whether the text can be an idempotency key: 1 to 64 visible ASCII characters."""
    return KEY.fullmatch(text) is not None


def tidy_code(text: str) -> str | None:
    """A SKU's code as it is kept and compared, however it is typed: one word, in capitals.

    None when it is empty, too long, or has other than letters, digits and inner hyphens.
    """
    code = unicodedata.normalize("NFKC", text).strip().upper()
    if len(code) > CODE_LIMIT_CHARS or not CODE.fullmatch(code):
        return None
    return code


def tidy_line(text: str, limit_chars: int) -> str | None:
    """One line, trimmed; None when it is empty, too long or holds control characters."""
    line = text.strip()
    if not line or len(line) > limit_chars or CONTROLS.search(line):
        return None
    return line


def tidy_text(text: str, limit_chars: int) -> str | None:
    """Several lines or none, trimmed; None when too long or with other control characters."""
    body = text.replace("\r\n", "\n").strip()
    if len(body) > limit_chars or CONTROLS_BUT_NEWLINE.search(body):
        return None
    return body
