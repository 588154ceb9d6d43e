"""A publisher of several layers: each is told apart, followed, reported and asked for by itself."""

from dataclasses import dataclass, field, replace
from typing import TypeVar

import pytest
from aiortc.rtp import (
    RtcpPacket,
    RtcpPsfbPacket,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    unpack_remb_fci,
)

from live.relay.core import rtcp
from live.relay.core.inlet import TAKEOVER_S
from live.relay.core.repairs import GIVE_UP_S, REORDER_S
from live.relay.core.rtp import Header
from live.relay.publisher import Publisher
from signaling.ports import Kind, Publication
from tests.relay.media import (
    H264,
    KEY,
    LAYERS,
    OPUS,
    REPAIRED_RID_ID,
    SEND_TIME_ID,
    VIDEO_SSRC,
    FakeLink,
    audio,
    extended,
    from_source,
    layered,
    named,
    publication,
    repeated,
    track,
    video,
)

Packet = TypeVar("Packet")
Feedback = type[RtcpPsfbPacket] | type[RtcpRtpfbPacket]

SSRCS = {"q": 0x100, "h": 0x200, "f": 0x300}


@dataclass
class House:
    """A receiver that writes down what it is told."""

    packets: list[tuple[Kind, int, int]] = field(default_factory=list)
    anew: list[tuple[Kind, int]] = field(default_factory=list)
    clock: list[tuple[Kind, int]] = field(default_factory=list)

    def live(self, publisher: Publisher) -> None: ...

    def packet(
        self,
        kind: Kind,
        layer: int,
        packet: bytes,
        head: Header,
        number: int,
        start: int,
        now: float,
        form: int = 0,
    ) -> None:
        self.packets.append((kind, layer, number & 0xFFFF))

    def renumbered(self, kind: Kind, layer: int) -> None:
        self.anew.append((kind, layer))

    def clocks(self, kind: Kind, layer: int, ntp: int, timestamp: int, now: float) -> None:
        self.clock.append((kind, layer))

    def drained(self, now: float) -> None: ...

    def gone(self, publisher: Publisher, now: float) -> None: ...


class Phone:
    """A connected publisher, and time."""

    def __init__(self, agreed: Publication | None = None) -> None:
        self.now = 50.0
        self.house, self.link = House(), FakeLink()
        self.session = Publisher(agreed or layered(), self.house, "p")
        self.session.connected(self.link, self.now)

    def sends(self, *packets: bytes) -> None:
        for packet in packets:
            self.session.rtp(packet, self.now)
        self.session.drained(self.now)

    def begins(self, first: int = 1) -> None:
        """All layers send a packet that says which it is."""
        self.sends(*(named(layer(rid, first), rid) for rid in SSRCS))

    def waits(self, seconds: float) -> None:
        for _ in range(round(seconds / 0.02)):
            self.now += 0.02
            self.session.tick(self.now)

    def goes_on(self, seconds: float, first: int) -> None:
        """All layers flow, numbered from `first`."""
        for n in range(round(seconds / 0.1)):
            self.sends(*(layer(rid, first + n) for rid in SSRCS))
            self.waits(0.1)

    def heard(self, fmt: int, kind: Feedback = RtcpPsfbPacket) -> list[int]:
        """The sources of which it was told this since the last time."""
        told = self.told(object)
        return [p.media_ssrc for p in told if isinstance(p, kind) and p.fmt == fmt]

    def told(self, kind: type[Packet]) -> list[Packet]:
        """The RTCP packets of a kind that came since the last time."""
        packets: list[object] = [
            packet for report in self.link.reports for packet in RtcpPacket.parse(report)
        ]
        self.link.reports.clear()
        return [packet for packet in packets if isinstance(packet, kind)]


def layer(rid: str, sequence: int, payload: bytes = KEY) -> bytes:
    """A packet of a layer that does not say so."""
    return from_source(video(sequence, payload), SSRCS[rid])


def test_layers_are_told_by_their_first_packets_and_known_from_then_on() -> None:
    phone = Phone()
    phone.sends(layer("h", 8))
    assert phone.house.packets == []
    phone.begins(9)
    phone.sends(layer("h", 10), layer("q", 10), audio(4), layer("f", 10))
    assert phone.house.packets == [
        *(("video", n, 9) for n in range(3)),
        ("video", 1, 10),
        ("video", 0, 10),
        ("audio", 0, 4),
        ("video", 2, 10),
    ]
    assert phone.house.anew == []


def test_layers_repeat_and_miss_for_themselves() -> None:
    phone = Phone()
    phone.begins(65_534)
    phone.sends(layer("h", 1), layer("f", 65_535))
    phone.waits(0.1)
    missing = phone.heard(rtcp.NACK, RtcpRtpfbPacket)
    assert missing == [SSRCS["h"]]
    again = from_source(repeated(layer("h", 65_535)), 0x999)
    phone.sends(again)
    assert len(phone.house.packets) == 5
    phone.sends(named(again, "h", REPAIRED_RID_ID))
    phone.sends(from_source(repeated(layer("h", 0), 1), 0x999))
    assert phone.house.packets[5:] == [("video", 1, 65_535), ("video", 1, 0)]


def test_key_frames_are_asked_for_by_layer_at_once_and_until_they_come() -> None:
    phone = Phone()
    phone.begins()
    phone.session.request_key_frame(2, phone.now)
    phone.session.request_key_frame(2, phone.now)
    assert phone.heard(rtcp.PLI) == [SSRCS["f"]]
    phone.session.request_key_frame(0, phone.now)
    phone.goes_on(2.5, 2)
    asked = phone.heard(rtcp.PLI)
    assert sorted(asked) == [SSRCS["q"]] * 3 + [SSRCS["f"]] * 2
    phone.session.key_frame_came(2, phone.now)
    phone.goes_on(1.5, 27)
    assert set(phone.heard(rtcp.PLI)) == {SSRCS["q"]}
    phone.session.request_key_frame(7, phone.now)


def test_a_layer_nobody_heard_of_yet_is_asked_for_when_it_speaks() -> None:
    phone = Phone()
    phone.session.request_key_frame(1, phone.now)
    phone.waits(0.1)
    assert phone.heard(rtcp.PLI) == []
    phone.begins()
    phone.waits(0.1)
    assert phone.heard(rtcp.PLI) == [SSRCS["h"]]


def test_each_layer_is_reported_and_has_clocks_of_its_own() -> None:
    phone = Phone()
    phone.begins()
    phone.waits(1.1)
    report = phone.told(RtcpRrPacket)[-1]
    assert [block.ssrc for block in report.reports] == list(SSRCS.values())
    phone.session.rtcp(rtcp.sender_report(SSRCS["h"], 1, 2, 3, 4, "p"), phone.now)
    assert phone.house.clock == [("video", 1)]


def test_a_layer_that_changes_its_ssrc_is_followed_but_not_to_and_fro() -> None:
    phone = Phone()
    phone.begins()
    phone.waits(TAKEOVER_S)
    phone.sends(*(from_source(named(layer("h", 7), "h"), 0x777) for _ in range(2)))
    phone.sends(named(layer("h", 2), "h"), layer("h", 3))
    phone.sends(from_source(layer("h", 8), 0x777))
    assert phone.house.packets[3:] == [("video", 1, 7), ("video", 1, 8)]
    assert phone.house.anew == [("video", 1)]
    phone.waits(TAKEOVER_S)
    assert phone.heard(rtcp.PLI)[0] == 0x777
    phone.sends(named(layer("h", 4), "h"))
    assert phone.house.anew == [("video", 1)] * 2


def test_a_flood_of_strange_sources_changes_nothing() -> None:
    phone = Phone()
    phone.begins()
    for n in range(5_000):
        phone.sends(from_source(named(layer("h", n), "h"), 0x1000 + n))
        phone.sends(from_source(layer("h", n), 0x9000 + n))
        phone.sends(from_source(audio(n), 0x20_000 + n))
    assert len(phone.house.packets) == 4
    phone.sends(layer("h", 2))
    assert phone.house.packets[-1] == ("video", 1, 2)


def test_a_gap_is_asked_for_at_the_first_wake_up_after_a_moment() -> None:
    phone = Phone()
    phone.begins()
    phone.sends(layer("q", 3))
    phone.now += REORDER_S / 2
    phone.sends(layer("f", 2))
    assert phone.link.reports == []
    phone.now += REORDER_S
    phone.sends(layer("f", 3))
    assert phone.heard(rtcp.NACK, RtcpRtpfbPacket) == [SSRCS["q"]]
    phone.sends(layer("f", 4))
    assert phone.link.reports == []


@pytest.mark.parametrize("reduced", [True, False])
def test_feedback_comes_alone_only_where_that_was_agreed(reduced: bool) -> None:
    tracks = (replace(agreed, rsize=reduced) for agreed in layered().tracks)
    phone = Phone(Publication(tuple(tracks)))
    phone.begins()
    phone.sends(layer("q", 3))
    phone.session.request_key_frame(1, phone.now)
    phone.waits(0.5)
    firsts = [RtcpPacket.parse(report)[0] for report in phone.link.reports]
    alone = [first for first in firsts if not isinstance(first, RtcpRrPacket)]
    assert len(firsts) > 5
    assert bool(alone) is reduced
    assert phone.heard(rtcp.PLI) == [SSRCS["h"]]


def test_lost_for_good_means_a_key_frame_of_that_layer() -> None:
    phone = Phone()
    phone.begins()
    phone.sends(layer("q", 3), audio(1), audio(3))
    phone.sends(*(layer(rid, n) for rid in "hf" for n in (2, 3)))
    phone.goes_on(GIVE_UP_S + 0.2, 4)
    assert phone.heard(rtcp.PLI) == [SSRCS["q"]]


def test_a_layer_that_fell_silent_is_asked_for_only_once_it_speaks_again() -> None:
    phone = Phone()
    phone.begins()
    for n in range(30):
        phone.sends(layer("q", 2 + n))
        phone.waits(0.1)
    phone.session.request_key_frame(2, phone.now)
    phone.waits(0.5)
    phone.sends(named(from_source(repeated(layer("f", 1)), 0x999), "f", REPAIRED_RID_ID))
    phone.waits(0.5)
    assert phone.heard(rtcp.PLI) == []
    phone.sends(layer("f", 2))
    phone.waits(0.1)
    assert phone.heard(rtcp.PLI) == [SSRCS["f"]]


def test_a_picture_without_layers_is_asked_for_however_long_it_stood_still() -> None:
    phone = Phone(publication())
    phone.sends(video(1, KEY))
    phone.waits(3.0)
    phone.session.request_key_frame(0, phone.now)
    assert phone.heard(rtcp.PLI) == [VIDEO_SSRC]


def estimates(phone: Phone) -> list[tuple[int, list[int]]]:
    """The bitrates it was told since the last time, and of which sources."""
    told = [p for p in phone.told(RtcpPsfbPacket) if p.fmt == rtcp.AFB]
    return [unpack_remb_fci(packet.fci) for packet in told]


def test_without_transport_feedback_a_publisher_is_told_what_it_may_send_in_all() -> None:
    phone = Phone(Publication((track(H264, remb=True, layers=LAYERS), track(OPUS, remb=True))))
    phone.begins()
    for second in range(3):
        for n in range(50):
            number = 2 + 50 * second + n
            stamp = int(phone.now * (1 << 18)) & 0xFFFFFF
            for rid in SSRCS:
                packet = layer(rid, number, bytes(1_200))
                phone.sends(extended(packet, SEND_TIME_ID, stamp.to_bytes(3, "big")))
            phone.waits(0.02)
    first, *rising = estimates(phone)
    assert all(sources == list(SSRCS.values()) for _, sources in [first, *rising])
    assert [bitrate for bitrate, _ in rising] == sorted({bitrate for bitrate, _ in rising})
    before = rising[-1][0]
    for n in range(100):
        if n % 5:
            phone.sends(layer("f", 152 + n))
        phone.waits(0.02)
    assert estimates(phone)[-1][0] < before


def test_with_transport_feedback_it_is_told_no_estimate() -> None:
    phone = Phone()
    phone.begins()
    phone.goes_on(2.0, 2)
    assert estimates(phone) == []
