"""Three layers of one picture: a viewer goes from one to another and sees one unbroken stream."""

from itertools import pairwise
from struct import pack

from live.relay.broadcast import Broadcast
from live.relay.core import rtcp, rtp, vp9
from live.relay.core.picture_counters import LONG
from live.relay.viewer import Viewer
from signaling.ports import Codec, Subscription
from tests.relay.media import (
    DELTA,
    H264,
    KEY,
    SUBSCRIPTION,
    VP9,
    FakeLink,
    layered,
    sequence_of,
    ssrc_of,
    timestamp_of,
    video,
)
from tests.relay.test_broadcast import run_on, sequences

FRAME_S = 1 / 25
SIZES = (600, 2_400, 8_000)
"""Bytes of a frame of each layer: 120, 480 and 1,600 kbit/s."""


class Studio:
    """A show of three layers at 25 frames a second, a key frame in each every second."""

    def __init__(self, codec: Codec = H264) -> None:
        self.now = 1000.0
        self.codec = codec
        self.broadcast = Broadcast(
            "show", lambda _show, _on: None, lambda _show, _session: None, lambda: self.now
        )
        self.publisher = self.broadcast.publish("p", layered(codec=codec), self.now)
        self.publisher.connected(FakeLink(), self.now)
        self.frame = 0
        self.silent: set[int] = set()

    def viewer(self, subscription: Subscription = SUBSCRIPTION) -> tuple[Viewer, FakeLink]:
        """A connected viewer."""
        viewer, link = self.broadcast.subscribe("v", subscription), FakeLink()
        viewer.connected(link, self.now)
        return viewer, link

    def run(self, seconds: float) -> None:
        """The layers flow."""
        for _ in range(round(seconds / FRAME_S)):
            for layer, size in enumerate(SIZES):
                if layer in self.silent:
                    continue
                for half in (0, 1):
                    number = 0x10000 + 1000 * layer + 2 * self.frame + half
                    stamp = self.frame * 3600 + 77_777 * layer
                    packet = video(
                        number & 0xFFFF,
                        self._head(layer, half) + bytes(size // 2),
                        timestamp=stamp,
                        marker=half == 1,
                    )
                    head = rtp.parse(packet)
                    assert head is not None
                    self.broadcast.packet("video", layer, packet, head, number, 12, self.now)
            self.frame += 1
            self.now += FRAME_S
            self.broadcast.tick(self.now)

    def _head(self, layer: int, half: int) -> bytes:
        """What half a frame begins with; each layer counts its VP9 pictures from elsewhere."""
        key = self.frame % 25 == 0
        if self.codec.name != "VP9":
            return KEY if key and not half else DELTA
        picture = 0x8000 | LONG - 40 * layer + self.frame & LONG
        flags = 0xA0 | (0 if key else 0x40) | (0x04 if half else 0x08)
        return pack("!BHBBB", flags, picture, 0, 77 * layer + self.frame & 0xFF, 0x82)


def unbroken(packets: list[bytes]) -> bool:
    """Whether numbers run on, and timestamps never go back."""
    times = [timestamp_of(packet) for packet in packets]
    steps = [b - a & 0xFFFFFFFF for a, b in pairwise(times)]
    return run_on(sequences(packets)) and all(step < 3 * 90_000 for step in steps)


def test_squeezed_viewer_falls_at_a_key_frame_and_climbs_back_in_one_stream() -> None:
    studio = Studio()
    studio.run(3)
    viewer, link = studio.viewer()
    viewer.rtcp(rtcp.remb(9, 5_000_000, [1]), studio.now)
    studio.run(4)
    assert viewer.layer == 2
    viewer.rtcp(rtcp.remb(9, 400_000, [1]), studio.now)
    studio.run(2)
    assert viewer.layer == 0
    viewer.rtcp(rtcp.remb(9, 5_000_000, [1]), studio.now)
    studio.run(8)
    assert viewer.layer == 2
    assert unbroken(link.of_type(102))


def test_vp9_counts_its_pictures_on_over_a_fall_and_a_climb() -> None:
    studio = Studio(VP9)
    studio.run(3)
    viewer, link = studio.viewer()
    for estimate, seconds in ((5_000_000, 4), (400_000, 2), (5_000_000, 8)):
        viewer.rtcp(rtcp.remb(9, estimate, [1]), studio.now)
        studio.run(seconds)
    assert [segment.layer for segment in viewer.segments][-3:] == [0, 1, 2]
    seen = [vp9.counters(packet, rtp.HEADER_BYTES) for packet in link.of_type(102)]
    told = [(found.picture_id, found.tl0) for found in seen if found is not None]
    assert len(told) == len(seen)
    steps = {(b[0] - a[0] & LONG, b[1] - a[1] & 0xFF) for a, b in pairwise(told)}
    assert steps == {(0, 0), (1, 1)}


def test_what_was_missed_before_a_climb_is_repaired_from_its_own_layer() -> None:
    studio = Studio()
    studio.run(3)
    viewer, link = studio.viewer()
    viewer.rtcp(rtcp.remb(9, 130_000, [1]), studio.now)
    studio.run(3)
    assert viewer.layer == 0
    lost = link.of_type(102)[-1]
    viewer.rtcp(rtcp.remb(9, 5_000_000, [1]), studio.now)
    studio.run(2)
    assert viewer.layer == 1
    source = rtp.parse(lost)
    assert source is not None
    viewer.rtcp(rtcp.nack(9, source.ssrc, [sequence_of(lost)]), studio.now)
    answer = link.of_type(103)[-1]
    assert answer[12:14] == lost[2:4]
    assert answer[14:] == lost[12:]


def test_what_was_missed_before_a_fall_is_left_to_the_key_frame_that_follows() -> None:
    studio = Studio()
    studio.run(3)
    viewer, link = studio.viewer()
    studio.run(2)
    (lost,) = link.of_type(102)[-1:]
    viewer.rtcp(rtcp.remb(9, 130_000, [1]), studio.now)
    studio.run(2)
    assert viewer.layer == 0
    last = link.of_type(102)[-1]
    before = len(link.of_type(103))
    for packet in (lost, last):
        viewer.rtcp(rtcp.nack(9, ssrc_of(packet), [sequence_of(packet)]), studio.now)
    assert [packet[14:] for packet in link.of_type(103)[before:]] == [last[12:]]


def test_a_layer_that_falls_silent_is_left() -> None:
    studio = Studio()
    studio.run(3)
    viewer, link = studio.viewer()
    viewer.rtcp(rtcp.remb(9, 5_000_000, [1]), studio.now)
    studio.run(4)
    studio.silent.add(2)
    studio.run(4)
    assert viewer.layer == 1
    assert unbroken(link.of_type(102))


def test_a_paused_viewer_gets_no_picture_and_goes_on_at_a_key_frame() -> None:
    studio = Studio()
    studio.run(3)
    viewer, link = studio.viewer()
    studio.run(1)
    studio.broadcast.wish(viewer, paused=True, max_height=None)
    shown = len(link.of_type(102))
    studio.run(2)
    assert len(link.of_type(102)) == shown
    studio.broadcast.wish(viewer, paused=False, max_height=None)
    studio.run(2)
    after = link.of_type(102)[shown:]
    assert after[0][12:].startswith(KEY)
    assert run_on(sequences(link.of_type(102)))


def test_a_key_frame_of_the_pause_shows_the_picture_at_once() -> None:
    studio = Studio()
    studio.run(3)
    viewer, link = studio.viewer()
    studio.run(1)
    studio.broadcast.wish(viewer, paused=True, max_height=None)
    studio.run(2.5)
    shown = len(link.of_type(102))
    studio.broadcast.wish(viewer, paused=False, max_height=None)
    assert link.of_type(102)[shown][12:].startswith(KEY)
    studio.run(1)
    assert unbroken(link.of_type(102))


def test_after_a_pause_without_a_key_frame_the_next_one_is_asked_for() -> None:
    studio = Studio()
    studio.run(3.2)
    viewer, link = studio.viewer()
    studio.run(0.2)
    shown = len(link.of_type(102))
    studio.broadcast.wish(viewer, paused=True, max_height=None)
    studio.run(0.2)
    studio.broadcast.wish(viewer, paused=False, max_height=None)
    assert len(link.of_type(102)) == shown
    studio.run(1)
    assert link.of_type(102)[shown][12:].startswith(KEY)
    assert unbroken(link.of_type(102))


def test_packets_tell_when_they_were_sent_to_who_measures() -> None:
    studio = Studio()
    studio.run(1)
    _, link = studio.viewer(Subscription(video=102, rtx=103, audio=None, abs_send_time=3))
    studio.run(1)
    for packet in link.packets:
        head = rtp.parse(packet)
        assert head is not None
        assert head.profile == rtp.ONE_BYTE_PROFILE
        assert packet[16] == 3 << 4 | 2
        assert packet[head.start :][:1] in (KEY[:1], DELTA[:1])
    stamps = [int.from_bytes(packet[17:20], "big") for packet in link.packets]
    assert 0.8 < ((stamps[-1] - stamps[0]) % 2**24) / 2**18 < 1.1
