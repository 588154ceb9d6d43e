"""What is let go is told from what was sold."""

from cart.core.hold import HoldEvent, HoldState
from cart.core.movement import Units, lapsed, turn


def units(hold: str, state: HoldState, quantity: int = 1) -> Units:
    """Units of tea."""
    return Units(hold, "tea", "tea", quantity, state)


def test_what_is_let_go_is_told_from_what_was_sold_and_comes_back() -> None:
    holds = [units("held", HoldState.HELD), units("ordered", HoldState.ORDERED)]
    released = turn(holds, HoldEvent.RELEASE)
    assert released is not None
    assert lapsed(holds, released) == ["held", "ordered"]
    sold = [units("sold", HoldState.SOLD)]
    refunded = turn(sold, HoldEvent.RELEASE)
    assert refunded is not None
    assert lapsed(sold, refunded) == []
    claimed = turn(holds[1:], HoldEvent.CLAIM)
    assert claimed is not None
    assert lapsed(holds[1:], claimed) == []
