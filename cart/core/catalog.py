"""The catalogue: stores and products as everybody sees them, and how their words must look.

Texts are kept trimmed and free of control characters; a slug is a piece of a URL. A product's
counters obey `on_hand = free + held + sold`, and every edit raises its version by one.
"""

import re
from typing import Final

import msgspec
from msgspec import UNSET, UnsetType

from cart.core.stock import ON_HAND_LIMIT_UNITS, Counters

SLUG_LIMIT_CHARS: Final = 40
NAME_LIMIT_CHARS: Final = 60
STORY_LIMIT_CHARS: Final = 2_000
TITLE_LIMIT_CHARS: Final = 120
DESCRIPTION_LIMIT_CHARS: Final = 4_000

SLUG: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
KEY: Final = re.compile(r"[\x21-\x7e]{1,64}")
CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
CONTROLS_BUT_NEWLINE: Final = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


class Store(msgspec.Struct, frozen=True, kw_only=True):
    """A store as the world sees it."""

    slug: str
    name: str
    story: str
    owner: str
    currency: str


class Product(msgspec.Struct, frozen=True, kw_only=True):
    """A product as the world sees it; `picture` is a URL path or null."""

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
    version: int

    @property
    def counters(self) -> Counters:
        """Its units by pile."""
        return Counters(self.free, self.held, self.sold)


class ProductEdit(msgspec.Struct, frozen=True, kw_only=True):
    """What a seller changes; what is unset stays."""

    title: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    price_minor: int | UnsetType = UNSET
    limit_per_buyer: int | UnsetType | None = UNSET
    stock_change: int = 0


def edited(product: Product, edit: ProductEdit) -> Product | None:
    """The product after the edit, one version on; None when its free units do not allow it."""
    counters = product.counters.stocked(edit.stock_change)
    if counters is None or counters.on_hand > ON_HAND_LIMIT_UNITS:
        return None
    said = {
        name: value
        for name in ("title", "description", "price_minor", "limit_per_buyer")
        if (value := getattr(edit, name)) is not UNSET
    }
    return msgspec.structs.replace(
        product, on_hand=counters.on_hand, free=counters.free, version=product.version + 1, **said
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
