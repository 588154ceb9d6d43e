"""Missing packets are asked for after a moment, once a round trip, and not for ever."""

import heapq
import random
from collections import defaultdict
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from live.relay.core.receive_log import ReceiveLog
from live.relay.core.repairs import (
    GIVE_UP_S,
    MISSING_LIMIT,
    NEVER,
    REORDER_S,
    TRIES,
    UNASKED_S,
    Repairs,
)
from live.relay.core.round_trip import FIRST_WAIT_S, WAIT_LEAST_S, RoundTrip

TICK_S = 0.001


def repairs(*, asks: bool = True) -> Repairs:
    return Repairs(RoundTrip(), asks=asks)


def test_what_was_only_overtaken_is_not_asked_for() -> None:
    made = repairs()
    made.miss(5, 8, 0.0)
    assert made.due(REORDER_S * 0.9) == []
    assert [made.arrived(n, REORDER_S * 0.9, answer=False) for n in (5, 6, 7)] == [0, 0, 0]
    assert made.due(1.0) == []
    assert (made.asked, made.repaired, made.next_at) == (0, 0, NEVER)


def test_the_first_repetition_tells_how_long_to_wait_for_the_next() -> None:
    made = repairs()
    made.miss(1, 3, 0.0)
    assert made.due(REORDER_S) == [1, 2]
    assert made.due(REORDER_S + FIRST_WAIT_S * 0.9) == []
    assert made.arrived(1, REORDER_S + 0.03, answer=True) == 1
    assert made.due(REORDER_S + 0.03) == []
    assert made.due(REORDER_S + 0.03 + 0.06) == [2]
    assert (made.asked, made.repaired, made.gave_up) == (3, 1, False)


def test_what_was_asked_for_twice_tells_nothing_of_the_round_trip() -> None:
    trip = RoundTrip()
    made = Repairs(trip, asks=True)
    made.miss(1, 2, 0.0)
    made.due(REORDER_S)
    made.due(REORDER_S + FIRST_WAIT_S)
    assert made.arrived(1, 0.2, answer=True) == 2
    assert made.repaired == 1
    assert trip.smoothed_s is None
    assert trip.wait_s > FIRST_WAIT_S


def test_asking_ends_by_time() -> None:
    made = repairs()
    made.miss(1, 2, 0.0)
    times = [n * TICK_S for n in range(3_000)]
    asked = [at for at in times if made.due(at)]
    assert 3 <= len(asked) <= TRIES
    assert asked[-1] < GIVE_UP_S
    assert made.gave_up
    assert made.next_at == NEVER


def test_asking_ends_by_count() -> None:
    trip = RoundTrip()
    for _ in range(30):
        trip.sample(0.0)
    made = Repairs(trip, asks=True)
    made.miss(1, 2, 0.0)
    asked = []
    for n in range(1_000):
        asked += made.due(n * TICK_S)
        trip.sample(0.0)
    assert len(asked) == TRIES
    assert made.gave_up


def test_what_cannot_be_asked_for_is_soon_given_up() -> None:
    made = repairs(asks=False)
    made.miss(1, 3, 0.0)
    assert made.arrived(1, 0.05, answer=False) == 0
    assert made.due(UNASKED_S) == []
    assert made.gave_up


@pytest.mark.parametrize("already", [0, 200])
def test_too_much_missing_is_given_up_at_once(already: int) -> None:
    made = repairs()
    made.miss(1, 1 + already, 0.0)
    made.miss(1_000, 1_000 + MISSING_LIMIT - already + 1, 0.0)
    assert made.gave_up
    assert made.due(9.0) == []


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 2**32),
    begin=st.integers(0, 0xFFFF),
    trip_s=st.floats(0.005, 0.3),
    loss=st.sampled_from([0.0, 0.02, 0.2]),
    late=st.sampled_from([0.0, 0.1]),
)
def test_a_lossy_way_is_mended_without_needless_asking(
    seed: int, begin: int, trip_s: float, loss: float, late: float
) -> None:
    chance = random.Random(seed)
    made = repairs()
    log = ReceiveLog(1, 90_000, made, repeats_as_rtx=True)
    way: list[tuple[float, int, bool]] = []
    for n in range(400):
        fate = chance.random()
        if n == 0 or fate >= loss:
            is_late = n > 0 and fate < loss + late
            delay = chance.random() * REORDER_S * 0.9 if is_late else 0.0
            way.append((n * 0.004 + delay, n, False))
    heapq.heapify(way)
    came: set[int] = set()
    asked: defaultdict[int, list[float]] = defaultdict(list)
    for step in range(3_500):
        now = step * TICK_S
        while way and way[0][0] <= now:
            _, n, again = heapq.heappop(way)
            number = log.receive(begin + n & 0xFFFF, 0, now, repeated=again)
            assert (number is None) is (n in came) or made.gave_up
            assert number is None or number & 0xFFFF == begin + n & 0xFFFF
            came.add(n)
        for number in made.due(now):
            n = number - begin - 0x10000
            assert n not in came
            asked[n].append(now)
            if chance.random() >= loss:
                heapq.heappush(way, (now + trip_s, n, True))
    for times in asked.values():
        assert len(times) <= TRIES
        assert all(b - a >= WAIT_LEAST_S - TICK_S for a, b in pairwise(times))
    if loss < 0.2:
        assert not made.gave_up
        assert came >= set(range(max(came)))
    if not loss:
        assert not asked
    assert made.next_at == NEVER
