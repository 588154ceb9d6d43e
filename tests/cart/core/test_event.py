"""What the world is told, and what may be left out of it."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from cart.core.event import Event, line_moved, moved, newest
from cart.core.stock import Counters, Sku

SKU = Sku("red", "camellia", "jeju", "Camellia", ("red",), 1_000, "KRW", None, 4, Counters(0, 1, 2))

events = st.lists(
    st.builds(
        lambda kind, product, version: {"type": kind, "product": product, "version": version},
        st.sampled_from(["stock", "price", "sold_out"]),
        st.sampled_from(["camellia", "rose"]),
        st.integers(1, 99),
    ),
    max_size=20,
)


@given(events)
def test_newest_of_each_kind_stays_in_order(given_events: list[Event]) -> None:
    kept = newest(given_events)
    remaining = iter(given_events)
    assert all(any(one is other for other in remaining) for one in kept), "order changed"
    for kind in ("stock", "price"):
        for product in ("camellia", "rose"):
            of_kind = [e for e in given_events if (e["type"], e["product"]) == (kind, product)]
            told = [e for e in kept if (e["type"], e["product"]) == (kind, product)]
            assert told == of_kind[-1:]
    sold_out = [e for e in given_events if e["type"] == "sold_out"]
    assert [e for e in kept if e["type"] == "sold_out"] == sold_out


def test_of_those_who_wait_the_newest_number_of_each_sku_is_told() -> None:
    told = [
        line_moved("camellia", sku, count) for sku, count in (("red", 1), ("white", 1), ("red", 2))
    ]
    assert newest(told) == told[1:]


def test_of_each_auction_the_newest_is_told() -> None:
    states = [{"type": "auction", "auction": {"id": name}, "n": n} for n, name in enumerate("aba")]
    assert newest(states) == states[1:]


def test_sold_out_is_told_when_the_last_unit_is_gone_for_good() -> None:
    sold = replace(SKU, counters=Counters(0, 0, 3), version=5)
    assert [event["type"] for event in moved([SKU], [sold])] == ["stock", "sold_out"]
    assert [event["type"] for event in moved([sold], [replace(sold, version=6)])] == ["stock"]
    held = replace(SKU, counters=Counters(1, 0, 2), version=5)
    assert [event["type"] for event in moved([held], [SKU])] == ["stock"]


def test_stock_is_told_of_every_sku_and_sold_out_of_all_together() -> None:
    white = replace(SKU, id="white", options=("white",), counters=Counters(4, 0, 0))
    sold = replace(SKU, counters=Counters(0, 0, 3), version=5)
    (told,) = moved([SKU, white], [sold, replace(white, version=5)])
    assert told == {
        "type": "stock",
        "product": "camellia",
        "free": 4,
        "held": 0,
        "skus": ({"id": "red", "free": 0, "held": 0}, {"id": "white", "free": 4, "held": 0}),
        "version": 5,
    }
