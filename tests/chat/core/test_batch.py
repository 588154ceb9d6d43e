"""Ticks: who gets which events, in which order, and what gives way."""

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.core.batch import NO_NUMBER, TICK_MAX_S, TICK_MIN_S, Batch, Gathering, ear, tick_s
from chat.core.frames import Event, Format, Lane, pack
from chat.core.rate_limit import TALK, TalkBucket
from chat.core.room import Member, Rank, member

ADDRESSES = ["", "moderators", "seller", "@id-bom", "@id-dal"]
HEARD_BY = {
    (None, Rank.VIEWER): {""},
    ("bom", Rank.VIEWER): {"", "@id-bom"},
    ("dal", Rank.VIEWER): {"", "@id-dal"},
    ("haru", Rank.MODERATOR): {"", "moderators"},
    ("dal", Rank.SELLER): {"", "moderators", "seller", "@id-dal"},
}

VIEWER = ear(Format.MSGPACK, Rank.VIEWER, False)
DEFLATED = ear(Format.MSGPACK, Rank.VIEWER, True)


def somebody(name: str | None, rank: Rank) -> Member:
    """A member of a room."""
    return member(None if name is None else (f"id-{name}", name), rank, TalkBucket(TALK))


def shop(number: int, to: str = "") -> Event:
    """A numbered event."""
    return Event(Lane.SHOP, pack({"type": "x", "id": number}), to, number)


def said(number: int) -> Event:
    """A saying."""
    return Event(Lane.TALK, pack({"type": "said", "id": number}))


def told(frame: bytes | None) -> list[int]:
    """The ids in a small frame."""
    if frame is None:
        return []
    payload = frame[2:] if frame[1] < 126 else frame[4:]
    return [event["id"] for event in msgpack.unpackb(payload)]


@given(st.lists(st.sampled_from([*ADDRESSES, None]), max_size=60), st.booleans())
def test_everybody_gets_what_is_for_them_in_order(to: list[str | None], talk: bool) -> None:
    events = [said(n) if who is None else shop(n, who) for n, who in enumerate(to, 1)]
    batch = Batch(events)
    for (name, rank), addresses in HEARD_BY.items():
        who = somebody(name, rank)
        frame = batch.frame(ear(Format.MSGPACK, rank, False), who, talk=talk)
        assert told(frame) == [
            n
            for n, address in enumerate(to, 1)
            if (talk if address is None else address in addresses)
        ]
        assert batch.frame(ear(Format.MSGPACK, rank, False), who, talk=talk) is frame


def test_viewers_who_are_told_the_same_share_a_frame() -> None:
    batch = Batch([shop(1), shop(2, "@id-dal")])
    bom, haru = somebody("bom", Rank.VIEWER), somebody("haru", Rank.VIEWER)
    frame = batch.frame(VIEWER, bom, talk=True)
    assert batch.frame(VIEWER, haru, talk=True) is frame
    assert told(batch.frame(VIEWER, somebody("dal", Rank.VIEWER), talk=True)) == [1, 2]


def test_what_one_person_alone_is_told_is_not_deflated() -> None:
    chatter = Event(Lane.TALK, pack({"type": "said", "text": "꽃" * 200}))
    batch = Batch([chatter, shop(1, "@id-dal")])
    dal, bom = somebody("dal", Rank.VIEWER), somebody("bom", Rank.VIEWER)
    shared = batch.frame(DEFLATED, bom, talk=True)
    plain = batch.frame(VIEWER, bom, talk=True)
    own = batch.frame(DEFLATED, dal, talk=True)
    assert shared is not None
    assert plain is not None
    assert own == batch.frame(VIEWER, dal, talk=True)
    assert len(shared) < len(plain)
    assert batch.frame(DEFLATED, somebody("haru", Rank.VIEWER), talk=True) is shared


def test_a_batch_knows_its_numbers_and_leaves_out_the_first_ones() -> None:
    assert (Batch([said(1)]).first, Batch([said(1)]).last) == (NO_NUMBER, 0)
    batch = Batch([said(9), shop(3), shop(4), shop(5)])
    assert (batch.first, batch.last) == (3, 5)
    rest = batch.after(4)
    assert (rest.first, rest.last) == (5, 5)
    assert told(rest.frame(VIEWER, somebody("bom", Rank.VIEWER), talk=True)) == [9, 5]


def test_numbered_events_of_the_past_are_forgotten_and_talk_is_not() -> None:
    gathering = Gathering()
    for event in (shop(1), said(2), shop(3)):
        gathering.add(event)
    gathering.forget_numbered()
    assert gathering.take()[0].events == [said(2)]


def test_hearts_become_one_number() -> None:
    gathering = Gathering()
    assert not gathering
    for count in (3, 4):
        gathering.add(Event(Lane.HEARTS, count.to_bytes(4)))
    assert gathering
    batch, hearts = gathering.take()
    assert hearts == 7
    assert batch.events == [Event(Lane.TALK, pack({"type": "hearts", "count": 7}))]
    assert gathering.take()[0].events == []


@pytest.mark.parametrize("telling_s", [0, 0.001, 0.04, 0.06, 0.2, 60])
def test_gathering_takes_half_as_long_as_telling_within_limits(telling_s: float) -> None:
    assert TICK_MIN_S <= tick_s(telling_s) <= TICK_MAX_S
    assert tick_s(telling_s) in {TICK_MIN_S, telling_s / 2, TICK_MAX_S}
    assert tick_s(telling_s) <= tick_s(telling_s + 0.001)


def test_frames_with_what_only_some_may_know_are_not_deflated() -> None:
    chatter = Event(Lane.TALK, pack({"type": "said", "text": "꽃" * 200}))
    batch = Batch([chatter, shop(1, "moderators")])
    for name, rank in (("dal", Rank.SELLER), ("haru", Rank.MODERATOR)):
        who = somebody(name, rank)
        frame = batch.frame(ear(Format.MSGPACK, rank, True), who, talk=True)
        assert frame == batch.frame(ear(Format.MSGPACK, rank, False), who, talk=True)
