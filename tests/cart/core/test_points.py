"""Points come from stores and go back to them; no purse is ever below zero."""

from hypothesis import given
from hypothesis import strategies as st

from cart.core.points import (
    WAYS,
    Journal,
    PointsReason,
    Purse,
    Transfer,
    Wallet,
    earned,
    journal,
)


def transfer(
    reason: PointsReason, amount_minor: int, way: tuple[Purse, Purse] | None = None
) -> Transfer:
    """A transfer for a reason, by the only or the first way there is."""
    source, target = way or min(WAYS[reason])
    return Transfer(
        ref=str(reason),
        reason=reason,
        buyer="b",
        store="jeju",
        order="o",
        source=source,
        target=target,
        amount_minor=amount_minor,
    )


Way = tuple[PointsReason, tuple[Purse, Purse]]
REASONS: list[Way] = [(reason, way) for reason, ways in WAYS.items() for way in sorted(ways)]
reasons = st.sampled_from(REASONS)


@given(st.lists(st.tuples(reasons, st.integers(1, 1_000)), max_size=30))
def test_sums_are_zero_and_no_purse_is_in_debt(
    steps: list[tuple[Way, int]],
) -> None:
    wallet, store = Wallet(), 0
    for (reason, way), amount in steps:
        moved = transfer(reason, amount, way)
        after = wallet.after(moved)
        if after is None:
            continue
        wallet = after
        store -= amount if moved.source == Purse.STORE else 0
        store += amount if moved.target == Purse.STORE else 0
    assert store + wallet.ready_minor + wallet.pending_minor + wallet.reserved_minor == 0


def test_what_is_not_there_is_not_taken() -> None:
    assert Wallet(ready_minor=9).after(transfer(PointsReason.RESERVE, 10)) is None
    assert Wallet(ready_minor=10).after(transfer(PointsReason.RESERVE, 10)) == Wallet(
        reserved_minor=10
    )


def test_an_order_s_journal() -> None:
    deeds = [
        transfer(PointsReason.RESERVE, 10),
        transfer(PointsReason.SPEND, 10),
        transfer(PointsReason.EARN, 5),
        transfer(PointsReason.RIPEN, 5),
        transfer(PointsReason.REFUND, 4),
        transfer(PointsReason.CLAW, 2),
    ]
    assert journal(deeds) == Journal(
        spent_minor=10, refunded_minor=4, earned_minor=5, clawed_minor=2, ripe=True
    )
    assert journal(deeds[:1]) == Journal(reserved_minor=10)


def test_one_in_a_hundred_rounded_down() -> None:
    assert [earned(paid, 1) for paid in (0, 99, 100, 12_345)] == [0, 0, 1, 123]
