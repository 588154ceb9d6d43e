"""Lots of points: the oldest go first, come back last, and always add up to what is ready."""

from hypothesis import given
from hypothesis import strategies as st

from cart.core.points import PointsReason, Purse, Transfer
from cart.core.points_lot import DAY_MS, RETURNED_DAYS, Lot, Lots, expiry, follow

NOW_MS = 1_000
READY_WAYS = {
    PointsReason.RIPEN: (Purse.PENDING, Purse.READY),
    PointsReason.RESERVE: (Purse.READY, Purse.RESERVED),
    PointsReason.RETURN: (Purse.RESERVED, Purse.READY),
    PointsReason.REFUND: (Purse.STORE, Purse.READY),
    PointsReason.CLAW: (Purse.READY, Purse.STORE),
}


def moved(reason: PointsReason, order: str, amount_minor: int) -> Transfer:
    """A transfer of one buyer's."""
    source, target = READY_WAYS[reason]
    return Transfer(
        ref="r",
        reason=reason,
        buyer="b",
        store="jeju",
        order=order,
        source=source,
        target=target,
        amount_minor=amount_minor,
    )


def lot(order: str, ready_minor: int, expires_at_ms: int | None) -> Lot:
    """A lot of that buyer's."""
    return Lot(order, "b", "jeju", ready_minor, expires_at_ms)


def lots(*of: Lot) -> Lots:
    """Lots of which nothing was taken yet."""
    return Lots({one.order: one for one in of}, {})


def ready(of: Lots) -> dict[str, int]:
    """What is in each lot."""
    return {order: one.ready_minor for order, one in of.lots.items()}


def test_the_first_to_expire_go_first_and_come_back_last() -> None:
    before = lots(lot("stays", 5, None), lot("late", 5, 9_000), lot("soon", 5, 5_000))
    after = follow(before, [moved(PointsReason.RESERVE, "o", 12)], NOW_MS)
    assert ready(after) == {"stays": 3, "late": 0, "soon": 0}
    back = follow(after, [moved(PointsReason.RETURN, "o", 4)], NOW_MS)
    assert ready(back) == {"stays": 5, "late": 2, "soon": 0}
    assert ready(follow(back, [moved(PointsReason.REFUND, "o", 8)], NOW_MS)) == ready(before)


def test_what_an_order_earned_is_taken_back_from_it_first() -> None:
    before = lots(lot("own", 5, 9_000), lot("soon", 5, 5_000))
    after = follow(before, [moved(PointsReason.CLAW, "own", 6)], NOW_MS)
    assert ready(after) == {"own": 0, "soon": 4}
    spent = follow(before, [moved(PointsReason.RESERVE, "own", 6)], NOW_MS)
    assert ready(spent) == {"own": 4, "soon": 0}


def test_what_comes_back_after_its_day_has_another() -> None:
    taken = follow(lots(lot("a", 5, 5_000)), [moved(PointsReason.RESERVE, "o", 5)], NOW_MS)
    in_time = follow(taken, [moved(PointsReason.REFUND, "o", 5)], 4_999)
    assert in_time.lots["a"] == lot("a", 5, 5_000)
    late = follow(taken, [moved(PointsReason.REFUND, "o", 5)], 5_000)
    assert late.lots["a"] == lot("a", 5, 5_000 + RETURNED_DAYS * DAY_MS)
    assert expiry(late.lots["a"]).ref != expiry(in_time.lots["a"]).ref


def test_a_lot_expires_whole() -> None:
    over = lot("b", 4, 5_000)
    before = lots(lot("a", 5, 4_000), over)
    assert ready(follow(before, [expiry(over)], 6_000)) == {"a": 5, "b": 0}


steps = st.lists(st.tuples(st.sampled_from([*READY_WAYS]), st.integers(1, 9)), max_size=30)


@given(steps, st.lists(st.none() | st.integers(0, 2_000), min_size=1, max_size=4))
def test_lots_are_what_is_ready(
    acts: list[tuple[PointsReason, int]], days: list[int | None]
) -> None:
    now = lots(*(lot(f"e{n}", 0, day) for n, day in enumerate(days)))
    sum_ready = spent = 0
    for n, (reason, amount) in enumerate(acts):
        out = reason in (PointsReason.RESERVE, PointsReason.CLAW)
        back = reason in (PointsReason.RETURN, PointsReason.REFUND)
        amount_minor = min(amount, sum_ready if out else spent if back else amount)
        if not amount_minor:
            continue
        order = f"e{n % len(days)}" if reason == PointsReason.RIPEN else "o"
        now = follow(now, [moved(reason, order, amount_minor)], NOW_MS)
        sum_ready += -amount_minor if out else amount_minor
        spent += {PointsReason.RESERVE: amount_minor}.get(reason, -amount_minor if back else 0)
        assert min(*ready(now).values(), 0) == 0
        assert sum(ready(now).values()) == sum_ready
        assert sum(now.uses.values()) == spent
