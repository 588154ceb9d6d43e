"""What a coupon takes off, and when it counts."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from cart.core.coupon import Coupon, CouponTerms, Unfit, fault, tidy_code, unfit, worth

TERMS = CouponTerms(
    code="BLOOM",
    percent=10,
    cap_minor=2_000,
    minimum_minor=10_000,
    starts_at_ms=100,
    ends_at_ms=200,
    uses_limit=5,
    uses_per_buyer=2,
    show="s",
)
COUPON = Coupon(id="c", store="jeju", terms=TERMS, used=4, ended=False)


def judged(coupon: Coupon = COUPON, **said: Any) -> Unfit | None:
    """The verdict on a coupon that fits, unless said otherwise."""
    usual: dict[str, Any] = {
        "goods_minor": 10_000,
        "shows": frozenset({"s"}),
        "uses": 1,
        "now_ms": 100,
    }
    return unfit(coupon, **(usual | said))


def test_one_that_fits() -> None:
    assert judged() is None


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"now_ms": 99}, Unfit.NOT_YET),
        ({"now_ms": 200}, Unfit.OVER),
        ({"goods_minor": 9_999}, Unfit.BELOW_MINIMUM),
        ({"uses": 2}, Unfit.USED_BY_YOU),
        ({"shows": frozenset({"s", None})}, Unfit.OTHER_SHOW),
        ({"shows": frozenset({"t"})}, Unfit.OTHER_SHOW),
    ],
)
def test_ones_that_do_not(said: dict[str, Any], reason: Unfit) -> None:
    assert judged(**said) == reason


def test_used_up_and_ended() -> None:
    assert judged(replace(COUPON, used=5)) == Unfit.USED_UP
    assert judged(replace(COUPON, ended=True)) == Unfit.OVER


def test_worth() -> None:
    assert worth(TERMS, 10_999) == 1_099
    assert worth(TERMS, 100_000) == 2_000
    fixed = CouponTerms(code="X1", amount_minor=5_000)
    assert worth(fixed, 4_000) == 4_000
    assert worth(fixed, 6_000) == 5_000


@given(st.integers(0, 10**12), st.integers(1, 100), st.none() | st.integers(1, 10**9))
def test_never_more_than_the_goods(goods: int, percent: int, cap: int | None) -> None:
    off = worth(CouponTerms(code="X1", percent=percent, cap_minor=cap), goods)
    assert 0 <= off <= min(goods, cap if cap is not None else goods)


@pytest.mark.parametrize(
    ("terms", "member"),
    [
        (CouponTerms(code="?!", percent=1), "code"),
        (CouponTerms(code="X1"), "percent"),
        (CouponTerms(code="X1", percent=1, amount_minor=1), "percent"),
        (CouponTerms(code="X1", amount_minor=1, cap_minor=1), "cap_minor"),
        (CouponTerms(code="X1", percent=1, starts_at_ms=2, ends_at_ms=2), "ends_at_ms"),
        (CouponTerms(code="X1", percent=1, starts_at_ms=1, ends_at_ms=2), None),
    ],
)
def test_terms_that_make_no_sense(terms: CouponTerms, member: str | None) -> None:
    assert fault(terms) == member


def test_codes_are_kept_one_way() -> None:
    assert tidy_code(" bloom-10 ") == "BLOOM-10"
    assert tidy_code("ｂｌｏｏｍ") == "BLOOM"
    assert tidy_code("봄맞이") == "봄맞이"
    assert tidy_code("a") is None
    assert tidy_code("a b") is None
    assert tidy_code("x" * 25) is None
