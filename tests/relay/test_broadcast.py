"""A show on the air, in virtual time: who joins, leaves, takes over, misses and repairs."""

import random
from collections.abc import Sequence
from itertools import pairwise

from aiortc.rtp import RtcpPacket, RtcpPsfbPacket, RtcpRtpfbPacket, RtcpSrPacket

from live.relay.core import rtcp
from live.relay.relay import TICK_S, Relay
from live.relay.viewer import BURST_BYTES, BURST_PACKETS, PACE_LEAST_BPS
from signaling.ports import Codec, Publication, Sink, Subscription
from tests.relay.media import (
    DELTA,
    H264,
    KEY,
    OPUS,
    SUBSCRIPTION,
    VIDEO_SSRC,
    VP8,
    FakeLink,
    audio,
    publication,
    repeated,
    sequence_of,
    ssrc_of,
    timestamp_of,
    track,
    video,
)

SHOW = "spring-sale"
OUTRUN = 1_700


class Stage:
    """A relay whose clock stands still until it is told to go on."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.told: list[bool] = []
        self.relay = Relay(
            on_stage=lambda _show, on_air: self.told.append(on_air), clock=lambda: self.now
        )

    def pass_time(self, seconds: float) -> None:
        """Tick as often as the relay would."""
        for _ in range(round(seconds / TICK_S)):
            self.now += TICK_S
            self.relay.tick(self.now)

    def publisher(self, *codecs: Codec) -> tuple[Sink, FakeLink]:
        """A connected publisher."""
        sink, link = self.relay.publish(SHOW, "p", publication(*codecs)), FakeLink()
        sink.connected(link, self.now)
        return sink, link

    def viewer(self, subscription: Subscription = SUBSCRIPTION) -> tuple[Sink, FakeLink]:
        """A connected viewer."""
        sink, link = self.relay.subscribe(SHOW, "v", subscription), FakeLink()
        sink.connected(link, self.now)
        return sink, link

    def send(self, sink: Sink, *packets: bytes) -> None:
        """The publisher's packets come, in one wake-up."""
        for packet in packets:
            sink.rtp(packet, self.now)
        sink.drained(self.now)


def frames(first: int, count: int) -> list[bytes]:
    """A key frame and what follows it, one packet a frame."""
    return [
        video(first + n, DELTA if n else KEY, timestamp=(first + n) * 3000) for n in range(count)
    ]


def sequences(packets: Sequence[bytes]) -> list[int]:
    return [sequence_of(packet) for packet in packets]


def run_on(numbers: list[int]) -> bool:
    """Whether 16-bit numbers go up by one each."""
    return all((b - a) & 0xFFFF == 1 for a, b in pairwise(numbers))


def requests(link: FakeLink) -> int:
    """Key frames asked for."""
    heard = [packet for report in link.reports for packet in RtcpPacket.parse(report)]
    return sum(isinstance(packet, RtcpPsfbPacket) and packet.fmt == 1 for packet in heard)


def test_late_viewer_gets_the_key_frame_at_once_and_every_packet_once() -> None:
    stage = Stage()
    sink, _ = stage.publisher()
    stage.send(sink, *frames(65_400, 300))
    _, link = stage.viewer()
    assert link.packets[0].endswith(KEY)
    sent = 300
    while len(link.packets) < sent:
        stage.send(sink, video(65_400 + sent, timestamp=sent))
        sent += 1
        stage.pass_time(TICK_S)
    stage.send(sink, *(video(65_400 + sent + n) for n in range(50)))
    numbers = sequences(link.of_type(102))
    assert len(numbers) == sent + 50
    assert run_on(numbers)


def test_the_past_is_sent_at_a_pace_the_viewer_can_take() -> None:
    stage = Stage()
    sink, _ = stage.publisher()
    big = DELTA + bytes(1_000)
    for n in range(400):
        stage.send(sink, video(n, big if n else KEY, timestamp=n * 900))
        stage.now += 0.005
    _, link = stage.viewer()
    at_once = sum(map(len, link.packets))
    assert BURST_PACKETS * 900 < at_once < BURST_BYTES + 2_000
    began = stage.now
    while len(link.packets) < 400:
        stage.pass_time(TICK_S)
    rest = sum(map(len, link.packets)) - at_once
    assert 0.25 < stage.now - began < 1.0
    assert rest * 8 / (stage.now - began) < 2 * PACE_LEAST_BPS


def test_packets_gathered_when_a_viewer_arrives_come_to_it_once() -> None:
    stage = Stage()
    sink, _ = stage.publisher()
    _, early = stage.viewer()
    sink.rtp(video(1, KEY, marker=False), stage.now)
    _, link = stage.viewer()
    sink.rtp(video(2), stage.now)
    sink.drained(stage.now)
    stage.pass_time(TICK_S)
    assert len(link.of_type(102)) == len(early.of_type(102)) == 2
    assert run_on(sequences(link.of_type(102)))


def test_viewer_waits_for_a_key_frame_that_is_asked_for_each_second() -> None:
    stage = Stage()
    sink, publisher = stage.publisher()
    stage.send(sink, video(1))
    viewer, link = stage.viewer()
    for _ in range(5):
        viewer.rtcp(rtcp.picture_loss(9, 9), stage.now)
    stage.pass_time(3)
    assert not link.packets
    assert 3 <= requests(publisher) <= 4
    stage.send(sink, video(2, KEY, timestamp=1))
    before = requests(publisher)
    stage.pass_time(3)
    assert requests(publisher) == before
    assert [p[12:] for p in link.of_type(102)] == [KEY]


def test_key_frame_begun_by_a_repeated_packet_starts_the_waiting_where_it_begins() -> None:
    stage = Stage()
    sink, _ = stage.publisher()
    stage.send(sink, video(1))
    _, link = stage.viewer()
    rest = [video(n, DELTA, timestamp=9, marker=n == 5) for n in (3, 4, 5)]
    stage.send(sink, *rest)
    stage.send(sink, repeated(video(2, KEY, timestamp=9, marker=False)))
    stage.pass_time(TICK_S)
    assert [p[12:] for p in link.of_type(102)] == [KEY, DELTA, DELTA, DELTA]


def test_lost_for_good_means_a_key_frame_even_where_nothing_is_repeated() -> None:
    stage = Stage()
    sink = stage.relay.publish(SHOW, "p", Publication((track(H264, nack=False),)))
    link = FakeLink()
    sink.connected(link, stage.now)
    stage.send(sink, video(1, KEY), video(4))
    stage.pass_time(0.5)
    assert requests(link) == 1
    assert not any(
        isinstance(packet, RtcpRtpfbPacket) and packet.fmt == rtcp.NACK
        for report in link.reports
        for packet in RtcpPacket.parse(report)
    )


def test_who_starts_far_back_has_the_key_frame_renewed_for_those_to_come() -> None:
    stage = Stage()
    sink, publisher = stage.publisher()
    stage.send(sink, video(0, KEY))
    asked = []
    for second in range(1, 8):
        stage.send(sink, video(second, KEY if second == 5 else DELTA, timestamp=second))
        stage.pass_time(1)
        _, link = stage.viewer()
        assert link.packets[0].endswith(KEY)
        stage.pass_time(TICK_S)
        asked.append(requests(publisher))
    # once, after four seconds; the key frame that comes then serves the rest
    assert [count - asked[0] for count in asked] == [0, 0, 0, 1, 1, 1, 1]


def test_an_old_key_frame_starts_nobody() -> None:
    stage = Stage()
    sink, publisher = stage.publisher()
    stage.send(sink, *frames(1, 2))
    stage.pass_time(13)
    before = requests(publisher)
    _, link = stage.viewer()
    stage.pass_time(TICK_S)
    assert not link.packets
    assert requests(publisher) == before + 1


def test_publisher_comes_back_and_numbers_run_on_for_who_stayed() -> None:
    stage = Stage()
    sink, _ = stage.publisher()
    _, link = stage.viewer()
    stage.send(sink, *frames(100, 10), audio(7))
    stage.pass_time(TICK_S)
    sink.closed(stage.now)
    stage.pass_time(4)
    again, _ = stage.publisher()
    stage.send(again, *frames(40_000, 10), audio(60_000))
    stage.pass_time(1)
    assert not link.closed
    shown = link.of_type(102)
    assert len(shown) == 20
    assert run_on(sequences(shown))
    assert len({ssrc_of(packet) for packet in shown}) == 1
    gap = timestamp_of(shown[10]) - timestamp_of(shown[0]) & 0xFFFFFFFF
    assert abs(gap - 4 * 90_000) < 90_000 / 10


def test_newest_publisher_wins_and_the_older_is_no_longer_heard() -> None:
    stage = Stage()
    old, old_link = stage.publisher()
    _, link = stage.viewer()
    stage.send(old, *frames(100, 5))
    stage.pass_time(TICK_S)
    new, new_link = stage.publisher()
    assert old_link.closed
    assert not new_link.closed
    stage.send(old, *(video(105 + n) for n in range(5)))
    stage.send(new, *frames(50_000, 5))
    old.closed(stage.now)
    stage.send(new, video(50_005))
    assert len(link.of_type(102)) == 11
    assert run_on(sequences(link.of_type(102)))
    assert stage.relay.stats()["publishers"] == 1


def test_other_codecs_send_viewers_away() -> None:
    stage = Stage()
    sink, _ = stage.publisher()
    viewer, link = stage.viewer()
    stage.send(sink, *frames(1, 3))
    stage.pass_time(TICK_S)
    late = stage.relay.subscribe(SHOW, "late", SUBSCRIPTION)
    stage.publisher(VP8, OPUS)
    viewer.closed(stage.now)
    assert link.closed
    late_link = FakeLink()
    late.connected(late_link, stage.now)
    assert late_link.closed
    assert stage.relay.stats()["viewers"] == 0


def test_missed_packet_comes_again_as_rtx_under_its_own_number() -> None:
    stage = Stage()
    sink, _ = stage.publisher()
    viewer, link = stage.viewer()
    stage.send(sink, *frames(1, 20))
    stage.pass_time(TICK_S)
    lost = link.of_type(102)[7]
    viewer.rtcp(rtcp.nack(9, ssrc_of(lost), [sequence_of(lost)]), stage.now)
    (answer,) = link.of_type(103)
    stream = stage.relay.stream(SHOW)
    assert stream is not None
    assert ssrc_of(answer) == stream.tracks[0].rtx_ssrc
    assert answer[12:14] == lost[2:4]
    assert answer[14:] == lost[12:]
    assert answer[4:8] == lost[4:8]


def test_repairs_of_one_viewer_are_bounded() -> None:
    stage = Stage()
    sink, _ = stage.publisher()
    viewer, link = stage.viewer()
    stage.send(sink, *frames(1, 20))
    stage.pass_time(TICK_S)
    lost = link.of_type(102)[7]
    for _ in range(2_000):
        viewer.rtcp(rtcp.nack(9, ssrc_of(lost), [sequence_of(lost)]), stage.now)
    assert len(link.of_type(103)) == 1
    stage.pass_time(1.1)
    viewer.rtcp(rtcp.nack(9, ssrc_of(lost), [sequence_of(lost)]), stage.now)
    assert len(link.of_type(103)) == 2


def test_without_rtx_what_srtp_would_refuse_is_not_sent_again() -> None:
    stage = Stage()
    sink, _ = stage.publisher()
    viewer, link = stage.viewer(Subscription(video=102, rtx=None, audio=109))
    stage.send(sink, *frames(1, 1_200))
    stage.pass_time(1)
    shown = link.of_type(102)
    old, young = shown[10], shown[-10]
    viewer.rtcp(rtcp.nack(9, ssrc_of(old), [sequence_of(old), sequence_of(young)]), stage.now)
    assert link.packets[1_200:] == [young]


def test_stage_is_told_when_media_flows_and_five_seconds_after_it_stopped() -> None:
    stage = Stage()
    sink, _ = stage.publisher()
    stage.pass_time(1)
    assert stage.told == []
    stage.send(sink, video(1, KEY))
    stage.pass_time(4.9)
    assert stage.told == [True]
    stage.pass_time(0.2)
    assert stage.told == [True, False]
    stage.send(sink, video(2))
    stage.pass_time(TICK_S)
    sink.closed(stage.now)
    assert stage.told == [True, False, True, False]


def test_show_without_publisher_is_forgotten_after_a_minute() -> None:
    stage = Stage()
    sink, _ = stage.publisher()
    stage.send(sink, video(1, KEY))
    sink.closed(stage.now)
    stage.pass_time(59)
    assert stage.relay.stream(SHOW) is not None
    late, link = stage.relay.subscribe(SHOW, "late", SUBSCRIPTION), FakeLink()
    stage.pass_time(2)
    assert stage.relay.stream(SHOW) is None
    assert stage.relay.stats()["shows"] == 0
    late.connected(link, stage.now)
    assert link.closed


def test_end_closes_everybody() -> None:
    stage = Stage()
    _, publisher = stage.publisher()
    _, viewer = stage.viewer()
    stage.relay.end(SHOW)
    assert publisher.closed
    assert viewer.closed
    assert stage.relay.stream(SHOW) is None


def test_viewers_get_the_publishers_clock_and_a_name() -> None:
    stage = Stage()
    sink, _ = stage.publisher()
    _, link = stage.viewer()
    stage.send(sink, *frames(1, 2))
    sink.rtcp(rtcp.sender_report(VIDEO_SSRC, 7 << 32, 6000, 2, 30, "p"), stage.now)
    stage.pass_time(1.1)
    report = RtcpPacket.parse(link.reports[-1])[0]
    assert isinstance(report, RtcpSrPacket)
    assert report.ssrc == ssrc_of(link.of_type(102)[0])
    assert 7 <= report.sender_info.ntp_timestamp / 2**32 < 8.2


def answer_nacks(stage: Stage, sink: Sink, link: FakeLink, sent: dict[int, bytes]) -> None:
    """Do as a publisher does that is asked to send again."""
    reports, link.reports[:] = link.reports[:], []
    for report in reports:
        for heard in RtcpPacket.parse(report):
            if isinstance(heard, RtcpRtpfbPacket) and heard.media_ssrc == VIDEO_SSRC:
                if heard.fmt != rtcp.NACK:
                    continue
                stage.send(sink, *(repeated(sent[n]) for n in heard.lost if n in sent))


def test_lossy_publisher_is_whole_for_its_viewers() -> None:
    for seed in range(6):
        chance, stage = random.Random(seed), Stage()
        sink, link = stage.publisher()
        _, viewer = stage.viewer()
        sent: dict[int, bytes] = {}
        held: list[bytes] = []
        for n in range(800):
            number = 65_000 + n & 0xFFFF
            packet = sent[number] = video(number, DELTA if n else KEY, timestamp=n)
            fate = chance.random() if n else 1.0
            if fate < 0.10:
                continue
            if fate < 0.20:
                held.append(packet)
                continue
            stage.send(sink, packet, *held, *([packet] if fate < 0.30 else []))
            held.clear()
            stage.pass_time(TICK_S)
            answer_nacks(stage, sink, link, sent)
        stage.send(sink, video(65_800, timestamp=900))
        for _ in range(60):
            stage.pass_time(TICK_S)
            answer_nacks(stage, sink, link, sent)
        came = sequences(viewer.of_type(102))
        assert len(came) == len(set(came)) == 801, seed
        assert run_on(sorted(came)), seed


def test_numbers_that_leap_are_not_passed_on() -> None:
    stage = Stage()
    sink, _ = stage.publisher()
    _, link = stage.viewer()
    stage.send(sink, *frames(1, 3))
    stage.pass_time(TICK_S)
    for n in range(20):
        stage.send(sink, video(n * 30_000))
    stage.pass_time(TICK_S)
    came = sequences(link.of_type(102))
    assert len(came) > 10
    assert all((b - a) & 0xFFFF <= 2 for a, b in pairwise(came))


def test_whom_the_history_outran_has_to_begin_anew() -> None:
    stage = Stage()
    sink, _ = stage.publisher()
    stage.send(sink, *frames(1, 1_500))
    _, link = stage.viewer()
    stage.send(sink, *(video(1_501 + n) for n in range(OUTRUN)))
    stage.pass_time(TICK_S)
    assert link.closed
    assert stage.relay.stats()["viewers"] == 0


def test_viewer_of_sound_only_needs_no_key_frame() -> None:
    stage = Stage()
    sink, _ = stage.publisher(H264, OPUS)
    _, link = stage.viewer(Subscription(video=None, rtx=None, audio=109))
    stage.send(sink, video(1), audio(5), audio(6))
    assert len(link.packets) == len(link.of_type(109)) == 2


def test_viewer_who_waits_for_a_picture_hears_the_sound() -> None:
    stage = Stage()
    sink, _ = stage.publisher(H264, OPUS)
    _, link = stage.viewer()
    stage.send(sink, video(1), audio(5), audio(6))
    assert len(link.packets) == len(link.of_type(109)) == 2
    stage.send(sink, video(2, KEY, timestamp=3000))
    stage.pass_time(TICK_S)
    stage.send(sink, video(3, timestamp=6000), audio(7))
    assert len(link.of_type(102)) == 2
    assert len(link.of_type(109)) == 3


def test_source_that_counts_anew_is_followed_and_viewers_notice_nothing() -> None:
    stage = Stage()
    sink, _ = stage.publisher()
    stage.send(sink, *frames(30_000, 10))
    _, viewer = stage.viewer()
    stage.send(sink, video(7_000), video(7_001, KEY, timestamp=500_000), video(7_002))
    assert viewer.packets[-2].endswith(KEY)
    assert run_on(sequences(viewer.of_type(102)))


def test_new_source_takes_over_from_a_silent_one() -> None:
    stage = Stage()
    sink, _ = stage.publisher()
    stage.send(sink, *frames(1, 10))
    _, viewer = stage.viewer()
    other = [video(9_000 + n)[:8] + b"\0\0\x77\x77" + DELTA for n in range(3)]
    stage.send(sink, other[0])
    assert len(viewer.packets) == 10
    stage.pass_time(1.1)
    stage.send(sink, *other[1:])
    assert len(viewer.packets) == 12
    assert run_on(sequences(viewer.of_type(102)))


def test_statistics_tell_who_publishes_and_what_a_viewer_gets() -> None:
    stage = Stage()
    sink, _ = stage.publisher()
    stage.viewer()
    stage.send(sink, *frames(1, 20))
    stage.pass_time(1.1)
    assert stage.relay.report(SHOW, "v", freezes=2, frozen_s=0.5)
    assert stage.relay.wish(SHOW, "v", paused=True, max_height=360)
    assert not stage.relay.wish(SHOW, "nobody", paused=True, max_height=None)
    told = stage.relay.statistics(SHOW)
    assert told is not None
    assert told.publisher is not None
    assert told.publisher.video == "H264"
    (viewer,) = told.viewers
    assert (viewer.packets, viewer.freezes, viewer.paused) == (20, 2, True)
