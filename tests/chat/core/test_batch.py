"""Ticks: who gets which events, in which order, and what gives way."""

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.core.batch import TALK_IN_A_TICK, TICK_MAX_S, TICK_MIN_S, Batch, Gathering, tick_s
from chat.core.frames import Event, Format, Lane, hearts, pack

SHOWN = [Lane.SHOP, Lane.SELLER, Lane.TALK]


def event(lane: Lane, number: int) -> Event:
    """A numbered event."""
    return Event(lane, pack({"type": "said" if lane is Lane.TALK else "x", "id": f"{number}"}))


def numbers(frame: bytes | None) -> list[int]:
    """The numbers in a small frame."""
    if frame is None:
        return []
    payload = frame[2:] if frame[1] < 126 else frame[4:]
    return [int(told["id"]) for told in msgpack.unpackb(payload)]


@given(st.lists(st.sampled_from(SHOWN), max_size=60), st.booleans(), st.booleans())
def test_everybody_gets_what_is_for_them_in_order(
    lanes: list[Lane], seller: bool, talk: bool
) -> None:
    batch = Batch([event(lane, number) for number, lane in enumerate(lanes)])
    frame = batch.frame(Format.MSGPACK, seller=seller, talk=talk)
    assert numbers(frame) == [
        number
        for number, lane in enumerate(lanes)
        if lane is Lane.SHOP or (lane is Lane.SELLER and seller) or (lane is Lane.TALK and talk)
    ]
    assert batch.frame(Format.MSGPACK, seller=seller, talk=talk) is frame


def test_what_a_snapshot_told_is_left_out() -> None:
    batch = Batch([event(Lane.TALK, 1), event(Lane.SHOP, 1), event(Lane.TALK, 2)])
    assert batch.said == {"1", "2"}
    rest = batch.without(frozenset({"1"}))
    assert numbers(rest.frame(Format.MSGPACK, seller=False, talk=True)) == [1, 2]
    assert rest.said == {"2"}


@given(st.lists(st.sampled_from(SHOWN), max_size=3 * TALK_IN_A_TICK))
def test_too_much_talk_loses_its_oldest_and_nothing_else(lanes: list[Lane]) -> None:
    gathering = Gathering()
    told = [event(lane, number) for number, lane in enumerate(lanes)]
    for one in told:
        gathering.add(one)
    talk = [one for one in told if one.lane is Lane.TALK][-TALK_IN_A_TICK:]
    assert gathering.take().events == [
        one for one in told if one.lane is not Lane.TALK or one in talk
    ]
    assert gathering.dropped == lanes.count(Lane.TALK) - len(talk)
    assert not gathering


def test_hearts_become_one_number() -> None:
    gathering = Gathering()
    assert not gathering
    for count in (3, 4):
        gathering.add(hearts(count))
    assert gathering
    (told,) = gathering.take().events
    assert told == Event(Lane.TALK, pack({"type": "hearts", "count": 7}))
    assert gathering.take().events == []


@pytest.mark.parametrize("connections", [0, 10, 1000, 5000, 10**6])
def test_ticks_grow_with_the_room_up_to_a_limit(connections: int) -> None:
    assert TICK_MIN_S <= tick_s(connections) <= TICK_MAX_S
    assert tick_s(connections) <= tick_s(connections + 1)
