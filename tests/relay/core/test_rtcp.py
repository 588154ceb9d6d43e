"""RTCP against another implementation: what it writes we read, what we write it reads."""

from aiortc.rtp import (
    RtcpPacket,
    RtcpPsfbPacket,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtcpSdesPacket,
    RtcpSrPacket,
    unpack_remb_fci,
)
from hypothesis import example, given
from hypothesis import strategies as st

from live.relay.core import rtcp

U32 = st.integers(0, 2**32 - 1)


@given(U32, st.sets(st.integers(0, 200), min_size=1), st.integers(0, 0xFFFF))
@example(1, {0, 1, 17}, 0xFFFF)
@example(1, {0, 1, 17}, 0xFFF0)
def test_nack_both_ways(media: int, offsets: set[int], base: int) -> None:
    wanted = [base + offset for offset in sorted(offsets)]
    lost = [n & 0xFFFF for n in wanted]
    written = rtcp.nack(1, media, wanted)
    (theirs,) = RtcpPacket.parse(written)
    assert isinstance(theirs, RtcpRtpfbPacket)
    assert (theirs.media_ssrc, [n & 0xFFFF for n in theirs.lost]) == (media, lost)
    assert list(rtcp.parse(written)) == [rtcp.Nack(media, tuple(lost))]
    if lost == sorted(lost):  # aiortc writes no list that wraps
        assert list(rtcp.parse(bytes(theirs))) == [rtcp.Nack(media, tuple(lost))]


def test_receiver_report() -> None:
    block = rtcp.ReportBlock(5, 12, 99_999_999, 0x1_0002_0003, 7, 8, 9)
    (theirs,) = RtcpPacket.parse(rtcp.receiver_report(1, [block, block]))
    assert isinstance(theirs, RtcpRrPacket)
    first = theirs.reports[0]
    assert (first.ssrc, first.fraction_lost, first.packets_lost) == (5, 12, 0x7FFFFF)
    assert (first.highest_sequence, first.jitter, first.lsr, first.dlsr) == (0x20003, 7, 8, 9)
    assert len(theirs.reports) == 2


@given(U32, st.integers(0, 2**64 - 1), U32, st.text(max_size=80))
def test_sender_report_both_ways(ssrc: int, ntp: int, timestamp: int, name: str) -> None:
    written = rtcp.sender_report(ssrc, ntp, timestamp, 2**32 + 3, 4, name)
    report, names = RtcpPacket.parse(written)
    assert isinstance(report, RtcpSrPacket)
    assert isinstance(names, RtcpSdesPacket)
    info = report.sender_info
    assert (info.ntp_timestamp, info.rtp_timestamp, info.packet_count) == (ntp, timestamp, 3)
    assert names.chunks[0].items == [(1, name.encode()[:255])]
    assert list(rtcp.parse(bytes(report))) == [rtcp.SenderReport(ssrc, ntp, timestamp)]


def test_picture_loss_both_ways() -> None:
    (theirs,) = RtcpPacket.parse(rtcp.picture_loss(1, 77))
    assert isinstance(theirs, RtcpPsfbPacket)
    assert (theirs.fmt, theirs.media_ssrc) == (1, 77)
    assert list(rtcp.parse(bytes(theirs))) == [rtcp.KeyFrameRequest(77)]


@given(st.integers(1, 2**40))
def test_remb(bitrate: int) -> None:
    (theirs,) = RtcpPacket.parse(rtcp.remb(1, bitrate, [5, 6]))
    assert isinstance(theirs, RtcpPsfbPacket)
    read, sources = unpack_remb_fci(theirs.fci)
    assert sources == [5, 6]
    assert bitrate * (1 - 2**-17) <= read <= bitrate


@given(st.binary(max_size=200))
def test_noise_in_a_compound_hides_only_what_follows(noise: bytes) -> None:
    heard = list(rtcp.parse(rtcp.picture_loss(1, 2) + noise))
    assert heard[0] == rtcp.KeyFrameRequest(2)
