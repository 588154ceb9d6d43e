"""The quote: what an order will cost, to the last won, before anybody orders.

One pure function makes it, and the page, the order and the receipt show what it made:

    total = goods at the prices held - coupon + delivery - points

A line's shares of coupon and points are whole minor units that add up exactly (largest remainder),
the same whatever order the holds come in. Nothing is ever below zero.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from cart.core import coupon as coupons
from cart.core import delivery, points
from cart.core.coupon import Coupon, Unfit
from cart.core.delivery import Delivery
from cart.core.money import line_total
from cart.core.order import Basket, Line, Order

Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class Wish:
    """What the buyer wants: a coupon's code, as kept; points to spend at most; where it goes."""

    coupon: str | None = None
    points_minor: int = 0
    postcode: str | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What is true when the quote is made.

    `shows`: in which shows the units were held. `coupon`: the one that was wished for, if there is
    one; `uses`: how often this buyer has used it. `ready_minor`: the buyer's points.
    """

    delivery: Delivery | None
    points_percent: int
    shows: frozenset[str | None]
    now_ms: int
    coupon: Coupon | None = None
    uses: int = 0
    ready_minor: int = 0


class Quote(msgspec.Struct, frozen=True, kw_only=True):
    """What the holds cost together, how it is made up, and the points they will earn."""

    store: str
    currency: str
    lines: tuple[Line, ...]
    goods_minor: int
    coupon: str | None
    coupon_minor: int
    delivery_minor: int
    points_minor: int
    total_minor: int
    earns_minor: int


@dataclass(frozen=True, slots=True)
class CouponUnfit:
    """The coupon does not count, and why."""

    reason: Unfit
    minimum_minor: int = 0


@dataclass(frozen=True, slots=True)
class PointsShort:
    """The buyer has not that many points."""

    ready_minor: int


@dataclass(frozen=True, slots=True)
class Split:
    """What goes back when units go back: money, and points that were spent on them."""

    money_minor: int
    points_minor: int

    def __sub__(self, before: "Split") -> "Split":
        """What goes back now, after what went before."""
        return Split(
            self.money_minor - before.money_minor,
            self.points_minor - before.points_minor,
        )


def make(basket: Basket, wish: Wish, facts: Facts) -> Quote | CouponUnfit | PointsShort:
    """The quote of a basket; points beyond what there is to pay are left alone."""
    goods = [line_total(line.price_minor, line.quantity) for line in basket.lines]
    goods_minor = sum(goods)
    off = _coupon_minor(goods_minor, wish, facts)
    if isinstance(off, CouponUnfit):
        return off
    if wish.points_minor > facts.ready_minor:
        return PointsShort(facts.ready_minor)
    fee_minor = delivery.fee(facts.delivery, goods_minor, wish.postcode)
    payable = goods_minor - off + fee_minor
    spent = min(wish.points_minor, payable)
    # Points pay for goods first, so that a fee that stays with the carrier was paid with money.
    on_goods = min(spent, goods_minor - off)
    keys = [(line.sku, line.price_minor) for line in basket.lines]
    coupon_shares = share(off, dict(zip(keys, goods, strict=True)))
    nets = {key: cost - coupon_shares[key] for key, cost in zip(keys, goods, strict=True)}
    point_shares = share(on_goods, nets)
    lines = tuple(
        msgspec.structs.replace(
            line, coupon_minor=coupon_shares[key], points_minor=point_shares[key]
        )
        for key, line in zip(keys, basket.lines, strict=True)
    )
    return Quote(
        store=basket.store,
        currency=basket.currency,
        lines=lines,
        goods_minor=goods_minor,
        coupon=wish.coupon,
        coupon_minor=off,
        delivery_minor=fee_minor,
        points_minor=spent,
        total_minor=payable - spent,
        earns_minor=points.earned(goods_minor - off - on_goods, facts.points_percent),
    )


def share(amount_minor: int, weights: Mapping[Key, int]) -> dict[Key, int]:
    """Divide an amount in proportion to weights, which are its bound, by largest remainder.

    The shares are whole, add up exactly and never exceed their weight. Of equal remainders the
    smaller key's comes first, so that the order of the weights does not matter.
    """
    whole = sum(weights.values())
    assert 0 <= amount_minor <= whole, "more off than there is"
    if amount_minor == 0:
        return dict.fromkeys(weights, 0)
    parts = {key: divmod(amount_minor * weight, whole) for key, weight in weights.items()}
    shares = {key: part for key, (part, _) in parts.items()}
    left = amount_minor - sum(shares.values())
    for key in sorted(parts, key=lambda one: (-parts[one][1], repr(one)))[:left]:
        shares[key] += 1
    return shares


def refund_split(of: Order | Quote, *, back: Sequence[int], before: Sequence[int]) -> Split:
    """What goes back when `back` units of each line do, `before` having gone back already.

    Discounts and points go back in proportion, so that all parts together are the whole to the
    last won. The delivery fee goes back with the last unit.
    """
    for line, now, then in zip(of.lines, back, before, strict=True):
        assert 0 <= now <= line.quantity - then, "more goes back than was bought"
    both = [now + then for now, then in zip(back, before, strict=True)]
    return _gone(of, both) - _gone(of, before)


def still_earned(of: Order | Quote, back_minor: int) -> int:
    """The points it earns still when so much of its money went back, for units or without."""
    paid_minor = of.goods_minor - of.coupon_minor - sum(line.points_minor for line in of.lines)
    if not paid_minor:
        return 0
    return of.earns_minor - of.earns_minor * min(back_minor, paid_minor) // paid_minor


def _gone(of: Order | Quote, units: Sequence[int]) -> Split:
    """What has gone back altogether when so many units of each line have."""
    nets = [
        line_total(line.price_minor, line.quantity) - line.coupon_minor - line.points_minor
        for line in of.lines
    ]
    parts = list(zip(of.lines, nets, units, strict=True))
    money = sum(net * gone // line.quantity for line, net, gone in parts)
    spent = sum(line.points_minor * gone // line.quantity for line, _, gone in parts)
    if all(gone == line.quantity for line, _, gone in parts):
        on_fee = of.points_minor - spent
        money, spent = money + of.delivery_minor - on_fee, of.points_minor
    return Split(money, spent)


def _coupon_minor(goods_minor: int, wish: Wish, facts: Facts) -> int | CouponUnfit:
    if wish.coupon is None:
        return 0
    if facts.coupon is None:
        return CouponUnfit(Unfit.UNKNOWN)
    reason = coupons.unfit(
        facts.coupon,
        goods_minor=goods_minor,
        shows=facts.shows,
        uses=facts.uses,
        now_ms=facts.now_ms,
    )
    if reason is not None:
        return CouponUnfit(reason, facts.coupon.terms.minimum_minor)
    return coupons.worth(facts.coupon.terms, goods_minor)
