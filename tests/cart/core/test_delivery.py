"""What sending costs: once an order, nothing from an amount on, more for what is far."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cart.core.delivery import REMOTE_POSTCODES, Delivery, fee, is_remote

TERMS = Delivery(fee_minor=3_000, free_from_minor=50_000, remote_fee_minor=4_000)


@pytest.mark.parametrize("postcode", ["63000", "63309", "63644", "40240", "23100", "59790"])
def test_islands_are_remote(postcode: str) -> None:
    assert is_remote(postcode)


@pytest.mark.parametrize("postcode", ["00000", "03187", "22385", "40241", "62999", "99999"])
def test_the_mainland_is_not(postcode: str) -> None:
    assert not is_remote(postcode)


@given(st.integers(0, 99_999))
def test_the_table_is_searched_as_it_reads(number: int) -> None:
    listed = any(first <= number <= last for first, last in REMOTE_POSTCODES)
    assert is_remote(f"{number:05}") == listed


def test_the_table_is_in_order_and_never_overlaps() -> None:
    bounds = [bound for places in REMOTE_POSTCODES for bound in places]
    assert bounds == sorted(bounds)


@pytest.mark.parametrize(
    ("goods", "postcode", "cost"),
    [
        (49_999, "03187", 3_000),
        (50_000, "03187", 0),
        (49_999, "63000", 7_000),
        (50_000, "63000", 4_000),
        (49_999, None, 3_000),
    ],
)
def test_fees(goods: int, postcode: str | None, cost: int) -> None:
    assert fee(TERMS, goods, postcode) == cost


def test_a_store_without_terms_sends_for_nothing() -> None:
    assert fee(None, 1, "63000") == 0
