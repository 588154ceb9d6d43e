"""Whose a packet is: by payload type, by rid, and by SSRC once that was learnt."""

from hypothesis import given
from hypothesis import strategies as st

from live.relay.core.rtp import Header, parse
from live.relay.core.sources import Origin, Sources
from tests.relay.media import (
    H264,
    OPUS,
    REPAIRED_RID_ID,
    RID_ID,
    audio,
    from_source,
    layered,
    named,
    publication,
    repeated,
    video,
)


def head_of(packet: bytes) -> Header:
    head = parse(packet)
    assert head is not None
    return head


def identified(sources: Sources, packet: bytes) -> Origin | None:
    return sources.identify(packet, head_of(packet))


def test_payload_types_tell_tracks_and_forms_where_there_are_no_layers() -> None:
    sources = Sources(publication(H264, OPUS).tracks)
    assert identified(sources, video(1)) == (0, "media", False)
    assert identified(sources, repeated(video(1))) == (0, "rtx", False)
    assert identified(sources, audio(1)) == (1, "media", False)
    assert identified(sources, bytes((0x80, 127)) + video(1)[2:]) is None


def test_rids_tell_layers_and_tracks_after_them_are_counted_on() -> None:
    sources = Sources(layered().tracks)
    assert [identified(sources, named(video(1), rid)) for rid in "qhf"] == [
        (n, "media", True) for n in range(3)
    ]
    assert identified(sources, named(repeated(video(1)), "h", REPAIRED_RID_ID)) == (1, "rtx", True)
    assert identified(sources, named(repeated(video(1)), "h", RID_ID)) == (1, "rtx", True)
    assert identified(sources, audio(1)) == (3, "media", False)


def test_a_layer_without_a_rid_or_with_a_foreign_one_is_nobodys() -> None:
    sources = Sources(layered().tracks)
    assert identified(sources, video(1)) is None
    assert identified(sources, named(video(1), "x")) is None
    assert identified(sources, named(video(1), "q", REPAIRED_RID_ID)) is None
    assert identified(sources, named(video(1), "h" * 16)) is None


def test_what_was_learnt_needs_no_rid_until_another_takes_its_place() -> None:
    sources = Sources(layered().tracks)
    first, second = from_source(video(1), 71), from_source(video(1), 72)
    rtx = from_source(repeated(video(1)), 73)
    for packet, origin in (
        (first, Origin(1, "media", named=True)),
        (rtx, Origin(1, "rtx", named=True)),
    ):
        assert sources.known(head_of(packet)) is None
        sources.learn(head_of(packet), origin)
        assert sources.known(head_of(packet)) == origin
    sources.learn(head_of(second), Origin(1, "media", named=True))
    assert sources.known(head_of(first)) is None
    assert sources.known(head_of(rtx)) == (1, "rtx", True)


@given(st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 2), st.booleans())))
def test_no_number_of_sources_fills_the_memory(met: list[tuple[int, int, bool]]) -> None:
    sources = Sources(layered().tracks)
    for ssrc, inlet, is_rtx in met:
        packet = from_source(repeated(video(1)) if is_rtx else video(1), ssrc)
        origin = Origin(inlet, "rtx" if is_rtx else "media", named=True)
        sources.learn(head_of(packet), origin)
        assert sources.known(head_of(packet)) == origin
    assert len(sources._known) <= 6
