"""A publisher sends redundant audio: who takes it gets it, everybody else its primary blocks."""

from dataclasses import replace

from live.relay.core import rtcp
from signaling.ports import Subscription
from tests.relay.media import (
    AUDIO_SSRC,
    H264,
    OPUS_RED,
    RED_TYPE,
    SUBSCRIPTION,
    FakeLink,
    audio,
    from_source,
    redundant,
    ssrc_of,
)
from tests.relay.test_broadcast import SHOW, Stage, run_on, sequences

TAKES_RED = replace(SUBSCRIPTION, audio=120, red=121)


def red(sequence: int, payload: bytes) -> bytes:
    """A packet of redundant audio."""
    packet = audio(sequence, payload)
    return packet[:1] + bytes((RED_TYPE,)) + packet[2:]


def heard_by(*subscriptions: Subscription) -> tuple[Stage, list[FakeLink], list[bytes]]:
    """What these viewers got of five packets, of which the third and the fifth were plain."""
    stage = Stage()
    sink, _ = stage.publisher(H264, OPUS_RED)
    links = [stage.viewer(subscription)[1] for subscription in subscriptions]
    words = [b"word%d" % n for n in range(5)]
    for n in range(5):
        plain = n % 2 == 0 and n > 0
        payload = words[n] if plain else redundant(words[n], words[n - 1])
        stage.send(sink, audio(n, payload) if plain else red(n, payload))
    stage.pass_time(0.1)
    return stage, links, words


def test_everybody_hears_every_packet_once_in_the_form_it_takes() -> None:
    _, (plain, both), words = heard_by(SUBSCRIPTION, TAKES_RED)
    assert [packet[12:] for packet in plain.of_type(109)] == words
    assert [packet[12:] for packet in both.of_type(120)] == [words[2], words[4]]
    assert [packet[12:] for packet in both.of_type(121)] == [
        redundant(words[n], words[n - 1], payload_type=120) for n in (0, 1, 3)
    ]
    for link in (plain, both):
        assert len(link.packets) == 5
        assert run_on(sequences(link.packets))
        assert len({ssrc_of(packet) for packet in link.packets}) == 1


def test_what_was_missed_is_repeated_in_the_same_form() -> None:
    stage = Stage()
    sink, _ = stage.publisher(H264, OPUS_RED)
    stage.send(sink, red(0, redundant(b"now", b"before")))
    for subscription, kind, payload in (
        (SUBSCRIPTION, 109, b"now"),
        (TAKES_RED, 121, redundant(b"now", b"before", payload_type=120)),
    ):
        viewer, link = stage.viewer(subscription)
        stage.send(sink, red(1 + kind, redundant(b"now", b"before")))
        (packet,) = link.of_type(kind)
        viewer.rtcp(rtcp.nack(9, ssrc_of(packet), sequences([packet])), stage.now)
        assert link.of_type(kind) == [packet, packet]
        assert packet[12:] == payload


def test_a_source_that_changes_its_form_is_one_source_and_a_second_one_waits() -> None:
    stage = Stage()
    sink, _ = stage.publisher(H264, OPUS_RED)
    _, link = stage.viewer()
    stage.send(sink, audio(1), red(2, redundant(b"a", b"b")))
    stage.send(sink, from_source(red(9, redundant(b"a", b"b")), AUDIO_SSRC + 1))
    assert len(link.packets) == 2
    stage.pass_time(1.1)
    stage.send(sink, from_source(audio(30), AUDIO_SSRC + 1))
    stage.send(sink, red(3, redundant(b"a", b"b")))
    assert len(link.packets) == 3
    told = stage.relay.statistics(SHOW)
    assert told is not None
    assert told.publisher is not None


def test_what_is_no_sound_redundancy_is_kept_from_viewers() -> None:
    stage = Stage()
    sink, link = stage.publisher(H264, OPUS_RED)
    _, plain = stage.viewer()
    _, both = stage.viewer(TAKES_RED)
    hostile = [
        b"\x80",
        b"\xff" * 40,
        b"\x6f",
        redundant(b"x", payload_type=0),
        b"\xef\x00\x03\xff\x6f",
    ]
    stage.send(sink, *(red(n, payload) for n, payload in enumerate(hostile)))
    stage.send(sink, red(len(hostile), b""))
    assert [len(packet) for packet in plain.packets + both.packets] == []
    stage.send(sink, red(len(hostile) + 1, redundant(b"fine", b"before")))
    assert [packet[12:] for packet in plain.packets] == [b"fine"]
    stage.pass_time(1.0)
    assert not any(rtcp.nack(1, AUDIO_SSRC, [n]) in r for r in link.reports for n in range(9))
