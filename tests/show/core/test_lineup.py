"""Line-ups and pins."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from live.show.core.lineup import LINEUP_PRODUCTS, Refused, arrange, carries, pin
from live.show.core.stage import Show, Stage

SHOW = Show("s1", "flowers", "장미")
SHELF = ["p1", "p2", "p3"]


def test_an_empty_lineup_carries_the_store() -> None:
    pinned = pin(SHOW, "p3", SHELF)
    assert pinned == replace(SHOW, pinned="p3")
    assert carries(SHOW, "p1")


def test_a_pin_joins_a_lineup_that_lacks_it() -> None:
    arranged = arrange(SHOW, ["p1"], SHELF)
    assert arranged == replace(SHOW, lineup=("p1",))
    assert isinstance(arranged, Show)
    assert not carries(arranged, "p2")
    assert pin(arranged, "p2", SHELF) == replace(SHOW, lineup=("p1", "p2"), pinned="p2")


def test_a_product_that_leaves_is_unpinned() -> None:
    show = replace(SHOW, lineup=("p1", "p2"), pinned="p2")
    assert arrange(show, ["p1"], SHELF) == replace(SHOW, lineup=("p1",))
    assert pin(show, None, SHELF) == replace(show, pinned=None)


def test_refusals() -> None:
    many = [f"p{n}" for n in range(LINEUP_PRODUCTS + 1)]
    assert arrange(SHOW, many, many) == Refused("too_many")
    assert arrange(SHOW, ["p1", "p1"], SHELF) == Refused("twice")
    assert arrange(SHOW, ["p9"], SHELF) == Refused("unknown", "p9")
    assert pin(SHOW, "p9", SHELF) == Refused("unknown", "p9")
    full = replace(SHOW, lineup=tuple(many[:LINEUP_PRODUCTS]))
    assert pin(full, many[-1], many) == Refused("too_many")
    ended = replace(SHOW, stage=Stage.ENDED)
    assert arrange(ended, [], SHELF) == pin(ended, None, SHELF) == Refused("ended")


@given(st.lists(st.tuples(st.booleans(), st.lists(st.sampled_from(SHELF), max_size=3))))
def test_what_is_pinned_is_always_carried(steps: list[tuple[bool, list[str]]]) -> None:
    show = SHOW
    for pins, products in steps:
        decided = (
            pin(show, products[0] if products else None, SHELF)
            if pins
            else arrange(show, products, SHELF)
        )
        show = show if isinstance(decided, Refused) else decided
        assert show.pinned is None or carries(show, show.pinned)
