"""The quote: sums are exact, nothing is below zero, the order of holds does not matter."""

import random

from hypothesis import given
from hypothesis import strategies as st

from cart.core.coupon import Coupon, CouponTerms, Unfit
from cart.core.delivery import Delivery
from cart.core.order import Basket, Line
from cart.core.quote import (
    CouponUnfit,
    Facts,
    PointsShort,
    Quote,
    Split,
    Wish,
    make,
    refund_split,
    share,
    still_earned,
)

lines = st.lists(
    st.builds(
        Line,
        product=st.sampled_from(["camellia", "rose", "peony"]),
        title=st.just("flower"),
        quantity=st.integers(1, 99),
        price_minor=st.integers(1, 50_000),
    ),
    min_size=1,
    max_size=8,
    unique_by=lambda line: (line.product, line.price_minor),
)
terms = st.none() | st.builds(
    Delivery,
    fee_minor=st.integers(0, 5_000),
    free_from_minor=st.none() | st.integers(1, 100_000),
    remote_fee_minor=st.integers(0, 5_000),
)
coupons = st.none() | st.one_of(
    st.builds(
        CouponTerms,
        code=st.just("BLOOM"),
        percent=st.integers(1, 100),
        cap_minor=st.none() | st.integers(1, 10_000),
    ),
    st.builds(CouponTerms, code=st.just("BLOOM"), amount_minor=st.integers(1, 1_000_000)),
)
wishes = st.tuples(lines, terms, coupons, st.integers(0, 500_000), st.sampled_from(["63000", None]))


def basket(of: list[Line]) -> Basket:
    """A basket of these lines."""
    total = sum(line.quantity * line.price_minor for line in of)
    return Basket("jeju", "KRW", tuple(of), total)


def quoted(
    of: list[Line],
    delivery: Delivery | None = None,
    coupon: CouponTerms | None = None,
    points: int = 0,
    postcode: str | None = None,
) -> Quote:
    """A quote that must be one."""
    found = Coupon(id="c", store="jeju", terms=coupon, used=0, ended=False) if coupon else None
    facts = Facts(delivery, 1, frozenset({None}), 0, found, ready_minor=points)
    made = make(basket(of), Wish(coupon.code if coupon else None, points, postcode), facts)
    assert isinstance(made, Quote)
    return made


@given(wishes)
def test_sums_are_exact_and_never_below_zero(said: tuple[object, ...]) -> None:
    quote = quoted(*said)  # type: ignore[arg-type]
    assert quote.goods_minor == sum(line.quantity * line.price_minor for line in quote.lines)
    assert quote.coupon_minor == sum(line.coupon_minor for line in quote.lines)
    on_fee = quote.points_minor - sum(line.points_minor for line in quote.lines)
    assert 0 <= on_fee <= quote.delivery_minor
    assert quote.total_minor == (
        quote.goods_minor - quote.coupon_minor + quote.delivery_minor - quote.points_minor
    )
    for line in quote.lines:
        assert line.coupon_minor >= 0
        assert line.points_minor >= 0
        assert line.coupon_minor + line.points_minor <= line.quantity * line.price_minor
    assert min(quote.total_minor, quote.earns_minor, quote.delivery_minor) >= 0


@given(wishes, st.randoms(use_true_random=False))
def test_the_order_of_holds_does_not_matter(
    said: tuple[object, ...], chance: random.Random
) -> None:
    of, *rest = said
    assert isinstance(of, list)
    shuffled = list(of)
    chance.shuffle(shuffled)
    one, other = quoted(of, *rest), quoted(shuffled, *rest)  # type: ignore[arg-type]
    assert set(one.lines) == set(other.lines)
    assert one.total_minor == other.total_minor


@given(wishes)
def test_a_coupon_never_makes_it_dearer(said: tuple[object, ...]) -> None:
    of, delivery, coupon, points, postcode = said
    with_it = quoted(of, delivery, coupon, points, postcode)  # type: ignore[arg-type]
    without = quoted(of, delivery, None, points, postcode)  # type: ignore[arg-type]
    assert with_it.total_minor <= without.total_minor


@given(wishes, st.data())
def test_parts_that_go_back_add_up_to_the_whole(
    said: tuple[object, ...], data: st.DataObject
) -> None:
    quote = quoted(*said)  # type: ignore[arg-type]
    before = [0] * len(quote.lines)
    money = points = 0
    earned = quote.earns_minor
    while before != [line.quantity for line in quote.lines]:
        back = [
            data.draw(st.integers(0, line.quantity - then))
            for line, then in zip(quote.lines, before, strict=True)
        ]
        if not sum(back):
            back = [line.quantity - t for line, t in zip(quote.lines, before, strict=True)]
        split = refund_split(quote, back=back, before=before)
        assert min(split.money_minor, split.points_minor) >= 0
        money, points = money + split.money_minor, points + split.points_minor
        assert 0 <= still_earned(quote, money) <= earned
        earned = still_earned(quote, money)
        before = [now + then for now, then in zip(back, before, strict=True)]
    assert (money, points) == (quote.total_minor, quote.points_minor)
    assert earned == 0


@given(
    st.dictionaries(st.integers(), st.integers(0, 10**9), min_size=1, max_size=20), st.integers(0)
)
def test_shares_are_fair(weights: dict[int, int], amount: int) -> None:
    whole = sum(weights.values())
    amount = amount % (whole + 1)
    shares = share(amount, weights)
    assert sum(shares.values()) == amount
    for key, weight in weights.items():
        assert 0 <= shares[key] <= weight
        assert abs(shares[key] * whole - amount * weight) <= whole


TEA = Line(sku="tea", product="tea", title="tea", options=(), quantity=2, price_minor=10_000)
CAKE = Line(sku="cake", product="cake", title="cake", options=(), quantity=1, price_minor=5_000)


def test_an_order_as_a_shop_would_reckon_it() -> None:
    quote = quoted(
        [TEA, CAKE],
        Delivery(fee_minor=3_000, free_from_minor=30_000),
        CouponTerms(code="BLOOM", percent=10),
        1_000,
    )
    assert (quote.goods_minor, quote.coupon_minor, quote.delivery_minor) == (25_000, 2_500, 3_000)
    assert (quote.points_minor, quote.total_minor, quote.earns_minor) == (1_000, 24_500, 215)
    assert [(line.coupon_minor, line.points_minor) for line in quote.lines] == [
        (2_000, 800),
        (500, 200),
    ]


def test_points_may_pay_for_all_of_it() -> None:
    quote = quoted([CAKE], Delivery(fee_minor=3_000), None, 9_000)
    assert (quote.points_minor, quote.total_minor, quote.earns_minor) == (8_000, 0, 0)
    assert quote.lines[0].points_minor == 5_000
    assert refund_split(quote, back=[1], before=[0]) == Split(0, 8_000)


def test_what_is_not_there_is_refused() -> None:
    facts = Facts(None, 1, frozenset({None}), 0, ready_minor=500)
    assert make(basket([TEA]), Wish("NOPE"), facts) == CouponUnfit(Unfit.UNKNOWN)
    assert make(basket([TEA]), Wish(points_minor=501), facts) == PointsShort(500)
