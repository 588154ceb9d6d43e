"""Filling a basket: lines are summed before anything is checked."""

from hypothesis import given
from hypothesis import strategies as st

from cart.core.hold import GRACE_MS, Hold, HoldState
from cart.core.order import Basket, MixedStores, NotHeld, TooLate, fill, sum_lines

STORES = {"camellia": "jeju", "rose": "jeju", "peony": "elsewhere"}


def hold(number: int = 1, **said: object) -> Hold:
    """A held camellia, unless said otherwise."""
    usual: dict[str, object] = {
        "id": f"h{number}",
        "sku": "camellia",
        "product": "camellia",
        "title": "Camellia",
        "options": (),
        "quantity": 1,
        "price_minor": 1_000,
        "currency": "KRW",
        "deal": None,
        "show": None,
        "order": None,
        "state": HoldState.HELD,
        "expires_at_ms": 2_000,
        "now_ms": 1_000,
    }
    usual["sku"] = said.get("product", "camellia")
    return Hold(**(usual | said))  # type: ignore[arg-type]


holds = st.lists(
    st.builds(
        hold,
        st.integers(1, 9),
        product=st.sampled_from(["camellia", "rose"]),
        quantity=st.integers(1, 99),
        price_minor=st.sampled_from([900, 1_000]),
    ),
    min_size=1,
    max_size=12,
)


@given(holds)
def test_lines_cost_what_the_holds_cost(chosen: list[Hold]) -> None:
    basket = fill(chosen, STORES, 1_000)
    assert isinstance(basket, Basket)
    assert basket.total_minor == sum(one.quantity * one.price_minor for one in chosen)
    kinds = [(line.product, line.price_minor) for line in basket.lines]
    assert len(kinds) == len(set(kinds))
    assert sum(line.quantity for line in basket.lines) == sum(one.quantity for one in chosen)


def test_first_seen_first_listed() -> None:
    lines = sum_lines([hold(1, product="rose"), hold(2), hold(3, product="rose", quantity=4)])
    assert [(line.product, line.quantity) for line in lines] == [("rose", 5), ("camellia", 1)]


def test_what_does_not_fill_a_basket() -> None:
    assert fill([hold(1), hold(2, expires_at_ms=1_000)], STORES, 1_000 + GRACE_MS) == TooLate("h2")
    assert fill([hold(1, state=HoldState.EXPIRED)], STORES, 0) == TooLate("h1")
    paying = hold(1, state=HoldState.PAYING)
    assert fill([paying], STORES, 0) == NotHeld("h1", HoldState.PAYING)
    assert fill([hold(1), hold(2, product="peony")], STORES, 0) == MixedStores()
