"""What was said lately: known once, shown in order, and not for ever."""

from chat.core.frames import Event, Lane, pack, unpack
from chat.core.talk import IDS_KNOWN, TALK_SHOWN, WHISPERS_KEPT, Past, Talk


def said(number: int, to: str = "") -> Event:
    """A saying; with `to`, one that only its author is told."""
    return Event(Lane.TALK, pack({"type": "said", "id": f"s{number}", "at_ms": number}), to)


def test_a_saying_is_new_once_and_other_talk_always() -> None:
    talk, count = Talk(), Event(Lane.TALK, pack({"type": "present", "count": 3}))
    assert [talk.is_new(said(1)), talk.is_new(said(1)), talk.is_new(said(2))] == [True, False, True]
    assert talk.is_new(count)
    assert talk.is_new(count)


def test_what_the_store_remembers_is_told_where_it_was_not_heard() -> None:
    talk = Talk()
    talk.is_new(said(2))
    past = Past([unpack(said(n).packed) for n in (1, 2, 3)], hearts=5)
    assert talk.missed(past) == [said(1), said(3)]
    assert talk.missed(past) == []
    talk.note([], hearts=2)
    assert talk.hearts == 7


def test_newcomers_are_shown_the_last_ones_and_then_what_came_since() -> None:
    talk = Talk()
    talk.note([said(n) for n in range(TALK_SHOWN + 5)], hearts=0)
    assert talk.shown() == [said(n) for n in range(5, TALK_SHOWN + 5)]
    count = talk.count
    assert talk.since(count) == []
    talk.note([Event(Lane.TALK, pack({"type": "present", "count": 1})), said(100)], hearts=0)
    assert talk.since(count) == [said(100)]
    assert len(talk.since(0)) == TALK_SHOWN


def test_only_its_author_is_shown_a_whisper_and_in_its_place() -> None:
    talk, own = Talk(), said(2, "@bom")
    assert talk.missed(Past([], 0, [own, own])) == [own]
    assert talk.missed(Past([], 0, [own])) == []
    talk.note([said(1), own, said(3)], hearts=0)
    shown = talk.shown()
    assert (shown, talk.count) == ([said(1), said(3)], 2)
    assert talk.since(0) == shown
    assert talk.shown_to("@bom", shown) == [said(1), own, said(3)]
    assert talk.shown_to("@dal", shown) is None
    assert talk.shown_to("", shown) is None
    talk.erase("s2")
    assert talk.shown_to("@bom", shown) is None


def test_whispers_push_out_whispers_alone() -> None:
    talk = Talk()
    talk.note([said(0), *(said(n, "@bom") for n in range(1, WHISPERS_KEPT + 2))], hearts=0)
    assert talk.shown() == [said(0)]
    told = talk.shown_to("@bom", talk.shown())
    assert told == [
        said(n, "@bom") for n in range(WHISPERS_KEPT + 2 - TALK_SHOWN, WHISPERS_KEPT + 2)
    ]


def test_ids_are_not_remembered_for_ever() -> None:
    talk = Talk()
    for number in range(IDS_KNOWN + 1):
        assert talk.is_new(said(number))
    assert not talk.is_new(said(IDS_KNOWN))
    assert talk.is_new(said(0))
