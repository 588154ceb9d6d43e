"""What clients send and get over HTTP: typed, bounded, nothing unknown let through."""

from collections.abc import Sequence
from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from cart.core import catalog
from cart.core.catalog import Product, Store
from cart.core.coupon import CODE_LIMIT_CHARS
from cart.core.delivery import Delivery, Postcode
from cart.core.hold import LINES_LIMIT, Hold, HoldLine
from cart.core.order import HOLDS_LIMIT, Order, Recipient
from cart.core.points import POINTS_LIMIT_MINOR, POINTS_PERCENT_LIMIT
from cart.core.points_lot import POINTS_DAYS_LEAST, POINTS_DAYS_MOST

Id = Annotated[str, Meta(min_length=1, max_length=64)]
Name = Annotated[str, Meta(min_length=1, max_length=catalog.NAME_LIMIT_CHARS)]
Story = Annotated[str, Meta(max_length=catalog.STORY_LIMIT_CHARS)]
Code = Annotated[str, Meta(min_length=1, max_length=CODE_LIMIT_CHARS)]
Points = Annotated[int, Meta(ge=0, le=POINTS_LIMIT_MINOR)]


class NewStore(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A store to open."""

    slug: Annotated[
        str, Meta(max_length=catalog.SLUG_LIMIT_CHARS, pattern=f"^{catalog.SLUG.pattern}$")
    ]
    name: Name
    story: Story = ""


PointsDays = Annotated[int, Meta(ge=POINTS_DAYS_LEAST, le=POINTS_DAYS_MOST)]


class StoreEdit(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What changes of a store; without `delivery` nothing is asked for it, without `points_days`
    the points it gives stay."""

    name: Name | UnsetType = UNSET
    story: Story | UnsetType = UNSET
    delivery: Delivery | UnsetType | None = UNSET
    points_percent: Annotated[int, Meta(ge=0, le=POINTS_PERCENT_LIMIT)] | UnsetType = UNSET
    points_days: PointsDays | UnsetType | None = UNSET


class NewHolds(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Units to hold, all or none; lines of one SKU are summed."""

    lines: Annotated[list[HoldLine], Meta(min_length=1, max_length=LINES_LIMIT)]
    show: Id | None = None


class NewQuote(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to reckon: holds of one store, a coupon's code, points to spend at most, and whither."""

    holds: Annotated[list[Id], Meta(min_length=1, max_length=HOLDS_LIMIT)]
    coupon: Code | None = None
    points_minor: Points = 0
    postcode: Postcode | None = None


class NewOrder(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An order to place; `total_minor` is what the buyer was told it costs."""

    holds: Annotated[list[Id], Meta(min_length=1, max_length=HOLDS_LIMIT)]
    recipient: Recipient
    total_minor: Annotated[int, Meta(ge=0)]
    coupon: Code | None = None
    points_minor: Points = 0


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
