"""Whatever publishers and viewers send, the show goes on and nothing is raised."""

from struct import pack

import pytest

from live.relay.core import rtcp
from tests.relay.media import DELTA, KEY, VIDEO_SSRC, VIDEO_TYPE, FakeLink, repeated, video
from tests.relay.test_broadcast import Stage, frames, run_on, sequences

SOUND = video(500)
EXTENDED = b"\x90" + SOUND[1:12]
ONES = 0xFFFFFFFF

HOSTILE_RTP = [
    b"",
    b"\x80",
    SOUND[:11],
    b"\x00" + SOUND[1:],
    b"\xc0" + SOUND[1:],
    b"\xff" * 12,
    b"\xff" * 1200,
    b"\x8f" + SOUND[1:],
    b"\xa0" + SOUND[1:12],
    b"\xa0" + SOUND[1:] + b"\x00",
    b"\xa0" + SOUND[1:] + b"\xff",
    EXTENDED,
    EXTENDED + b"\xbe\xde\xff\xff",
    EXTENDED + b"\xbe\xde\x00\x01\x50",
    EXTENDED + b"\xbe\xde\x00\x01\x5f\x00\x00\x00",
    EXTENDED + b"\xbe\xde\x00\x01\xf1\x51\x00\x01",
    EXTENDED + b"\x10\x00\x00\x01\x05\xff\x00\x00",
    EXTENDED + b"\x10\x00\x00\x01\x00\x00\x00\x05",
    EXTENDED + b"\x12\x34\x00\x00" + DELTA,
    bytes((0x80, 127)) + SOUND[2:],
    SOUND[:8] + b"\x99\x99\x99\x99" + SOUND[12:],
    repeated(SOUND)[:12],
    repeated(SOUND)[:13],
    repeated(video(40_000)),
    SOUND[:12] + b"\x78" + b"\x00" * 600,
    SOUND[:12] + b"\x7c",
    SOUND[:4] + b"\xff\xff\xff\xff" + SOUND[8:],
    bytes((0xB0, VIDEO_TYPE)) + SOUND[2:12] + b"\xbe\xde\x00\x01\x51\x00\x01\x00\x05",
]

HOSTILE_RTCP = [
    b"",
    b"\x80",
    b"\x80\xc8\x00\x00",
    b"\x80\xc8\xff\xff" + b"\x00" * 24,
    b"\x00\xc8\x00\x06" + b"\x00" * 24,
    b"\xff" * 8,
    b"\xff" * 1200,
    b"\x80\xc8\x00\x00" * 300,
    b"\x80\xc8\x00\x05" + b"\x00" * 20,
    b"\x9f\xc8\x00\x06" + pack("!IQIII", VIDEO_SSRC, 2**64 - 1, ONES, ONES, ONES),
    rtcp.sender_report(VIDEO_SSRC, 2**64 - 1, ONES, ONES, ONES, "x" * 400),
    b"\x81\xcd\x00\x01" + b"\x00" * 4,
    b"\x81\xcd\x00\x02" + b"\x00" * 8,
    b"\x81\xcd\x00\x03" + pack("!III", 1, VIDEO_SSRC, ONES),
    rtcp.nack(1, VIDEO_SSRC, range(0, 60_000, 17))[:65_532],
    rtcp.nack(1, ONES, [1, 2, 3]),
    b"\x8f\xcd\x00\x03" + b"\xff" * 12,
    b"\x81\xce\x00\x01" + b"\x00" * 4,
    rtcp.picture_loss(1, ONES),
    b"\x84\xce\x00\x02" + b"\x00" * 8,
    b"\x84\xce\x00\x04" + b"\xff" * 16,
    b"\x8f\xce\x00\x02" + b"\x00" * 8,
    b"\x8f\xce\x00\x05" + b"\x00" * 8 + b"REMB\xff\xff\xff\xff" + b"\x00" * 4,
    b"\x9f\xca\x00\x02" + b"\xff" * 8,
    b"\x9f\xcb\x00\x01" + b"\xff" * 4,
    rtcp.picture_loss(1, VIDEO_SSRC) * 200,
]


def goes_on(stage: Stage, viewer: FakeLink, publisher: FakeLink) -> bool:
    """Whether ticks still come through, and both peers are still here."""
    stage.pass_time(1.5)
    return not viewer.closed and not publisher.closed


@pytest.mark.parametrize("packet", HOSTILE_RTP, ids=range(len(HOSTILE_RTP)))
def test_hostile_rtp_from_either_side_disturbs_nobody(packet: bytes) -> None:
    stage = Stage()
    fresh, fresh_link = stage.publisher()
    stage.send(fresh, packet)
    assert goes_on(stage, FakeLink(), fresh_link)
    sink, link = stage.publisher()
    viewer, seen = stage.viewer()
    stage.send(sink, *frames(1, 5))
    stage.send(sink, packet)
    viewer.rtp(packet, stage.now)
    assert goes_on(stage, seen, link)
    before = len(seen.packets)
    stage.send(sink, *(video(n, KEY, timestamp=n) for n in range(600, 605)))
    assert len(seen.packets) >= before + 5
    assert run_on(sequences(seen.packets)[-5:])


@pytest.mark.parametrize("compound", HOSTILE_RTCP, ids=range(len(HOSTILE_RTCP)))
def test_hostile_rtcp_from_either_side_disturbs_nobody(compound: bytes) -> None:
    stage = Stage()
    sink, link = stage.publisher()
    viewer, seen = stage.viewer()
    stage.send(sink, *frames(1, 5))
    for peer in (sink, viewer):
        peer.rtcp(compound, stage.now)
    assert goes_on(stage, seen, link)
    stage.send(sink, video(6))
    assert len(seen.of_type(102)) == 6


def test_compounds_are_looked_at_only_so_far() -> None:
    assert len(list(rtcp.parse(rtcp.picture_loss(1, 2) * 200))) == rtcp.PACKET_LIMIT
