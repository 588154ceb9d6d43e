"""Lips and voice stay together: what a viewer is told of the clocks maps both to one moment."""

from aiortc.rtp import RtcpPacket, RtcpSrPacket

from live.relay.core import rtcp
from live.relay.core.rtp import header
from signaling.ports import Publication, Sink
from tests.relay.media import (
    AUDIO_SSRC,
    AUDIO_TYPE,
    DELTA,
    H264,
    KEY,
    OPUS,
    VIDEO_SSRC,
    VIDEO_TYPE,
    FakeLink,
    ssrc_of,
    timestamp_of,
    track,
)
from tests.relay.test_broadcast import SHOW, Stage

FRAME_S = 1 / 25
WALL_S = 3_900_000_000.0
"""The publisher's wall clock, NTP seconds, at its beginning."""


class Speaker:
    """A publisher whose sound comes late, and whose clocks start anywhere and run by its own
    wall clock."""

    def __init__(self, stage: Stage, session: str, video_zero: int, audio_zero: int) -> None:
        self.stage = stage
        self.zero = {VIDEO_TYPE: video_zero, AUDIO_TYPE: audio_zero}
        self.sink: Sink = stage.relay.publish(
            SHOW, session, Publication((track(H264), track(OPUS)))
        )
        self.sink.connected(FakeLink(), stage.now)
        self.began = stage.now
        self.frame = 0

    def run(self, seconds: float) -> None:
        """Frame by frame: a picture of this moment, and sound recorded 80 ms ago."""
        for _ in range(round(seconds / FRAME_S)):
            moment = self.frame * FRAME_S
            picture = self._packet(VIDEO_TYPE, moment, 90_000, VIDEO_SSRC)
            sound = self._packet(AUDIO_TYPE, moment - 0.08, 48_000, AUDIO_SSRC)
            self.stage.send(self.sink, picture, sound)
            if self.frame % 25 == 5:
                for kind, rate, ssrc in (
                    (VIDEO_TYPE, 90_000, VIDEO_SSRC),
                    (AUDIO_TYPE, 48_000, AUDIO_SSRC),
                ):
                    ntp = int((WALL_S + moment) * 2**32)
                    stamp = self.zero[kind] + int(moment * rate)
                    self.sink.rtcp(rtcp.sender_report(ssrc, ntp, stamp, 1, 1, "p"), self.stage.now)
            self.frame += 1
            self.stage.pass_time(FRAME_S)

    def _packet(self, kind: int, moment: float, rate: int, ssrc: int) -> bytes:
        """A packet whose payload tells the moment it shows."""
        stamp = self.zero[kind] + round(moment * rate) & 0xFFFFFFFF
        payload = KEY if kind == VIDEO_TYPE and self.frame % 25 == 0 else DELTA
        told = payload + round((moment + 1) * 1000).to_bytes(4, "big")
        return header(kind == VIDEO_TYPE, kind, self.frame, stamp, ssrc) + told


def shown_at_s(link: FakeLink, packet: bytes, rate: int) -> float:
    """The wall clock a viewer works out for a packet, by the last report of its source."""
    reports = [
        heard.sender_info
        for report in link.reports
        for heard in RtcpPacket.parse(report)
        if isinstance(heard, RtcpSrPacket) and heard.ssrc == ssrc_of(packet)
    ]
    behind = reports[-1].rtp_timestamp - timestamp_of(packet) & 0xFFFFFFFF
    behind -= (behind >> 31) << 32
    return reports[-1].ntp_timestamp / 2**32 - behind / rate


def true_s(packet: bytes) -> float:
    """The wall clock at which the publisher saw, or heard, what is in a packet."""
    return WALL_S + int.from_bytes(packet[-4:], "big") / 1000 - 1


def skew_s(link: FakeLink) -> float:
    """How far picture and sound of one moment lie apart for a viewer."""
    picture, sound = link.of_type(102)[-1], link.of_type(109)[-1]
    off_picture = shown_at_s(link, picture, 90_000) - true_s(picture)
    off_sound = shown_at_s(link, sound, 48_000) - true_s(sound)
    return abs(off_picture - off_sound)


def test_viewer_of_any_time_sees_lips_and_hears_voice_together() -> None:
    stage = Stage()
    speaker = Speaker(stage, "p", 4_000_000_000, 77)
    speaker.run(2.0)
    _, link = stage.viewer()
    assert link.reports, "the clocks come with the first packets"
    speaker.run(0.08)
    assert skew_s(link) < 0.002
    speaker.run(3.0)
    assert skew_s(link) < 0.002


def test_so_does_one_who_stays_when_the_publisher_comes_back_with_other_clocks() -> None:
    stage = Stage()
    Speaker(stage, "p", 4_000_000_000, 77).run(2.0)
    _, link = stage.viewer()
    stage.pass_time(3.0)
    again = Speaker(stage, "q", 12, 3_000_000_000)
    again.run(2.0)
    assert not link.closed
    assert skew_s(link) < 0.002


def test_by_arrival_alone_they_would_lie_apart() -> None:
    stage = Stage()
    speaker = Speaker(stage, "p", 4_000_000_000, 77)
    speaker.run(2.0)
    _, link = stage.viewer()
    speaker.run(1.0)
    picture, sound = link.of_type(102)[-1], link.of_type(109)[-1]
    apart = true_s(picture) - true_s(sound)
    assert abs(apart) > 0.04, "the sound of this publisher comes late"
