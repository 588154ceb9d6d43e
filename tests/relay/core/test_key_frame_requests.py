"""Key frames are asked for at once, then once a second until one comes."""

from dataclasses import replace

import pytest
from aiortc.rtp import RtcpPacket, RtcpPsfbPacket

from live.relay.core.key_frame_requests import EVERY_S, PATIENCE_S, KeyFrameRequests
from tests.relay.media import H264, track

TRACK = track(H264)


def asked(requests: KeyFrameRequests, now: float) -> RtcpPsfbPacket | None:
    """The request that is due, read by another."""
    told = requests.due(1, 0x1111, now)
    if not told:
        return None
    (packet,) = RtcpPacket.parse(told)
    assert isinstance(packet, RtcpPsfbPacket)
    return packet


def test_the_first_goes_at_once_and_many_wishes_are_one() -> None:
    requests = KeyFrameRequests(TRACK)
    assert asked(requests, 7.0) is None
    for _ in range(9):
        requests.want()
    packet = asked(requests, 7.0)
    assert packet is not None
    assert (packet.fmt, packet.media_ssrc) == (1, 0x1111)
    sent = 1
    for n in range(1, 400):
        requests.want()
        sent += asked(requests, 7.0 + n / 100) is not None
    assert sent == requests.count == 4


def test_it_is_repeated_until_one_comes() -> None:
    requests = KeyFrameRequests(TRACK)
    requests.want()
    times = [n / 50 for n in range(200)]
    assert sum(asked(requests, at) is not None for at in times) == 4
    requests.came(4.0)
    assert asked(requests, 9.0) is None


def test_one_that_came_does_not_make_the_next_wish_hasty() -> None:
    requests = KeyFrameRequests(TRACK)
    requests.want()
    assert asked(requests, 0.0) is not None
    requests.came(0.1)
    requests.want()
    assert asked(requests, EVERY_S - 0.01) is None
    assert asked(requests, EVERY_S) is not None


@pytest.mark.parametrize("times", [3, 300])
def test_where_only_fir_was_agreed_each_command_has_a_number_of_its_own(times: int) -> None:
    requests = KeyFrameRequests(replace(TRACK, pli=False, fir=True))
    requests.want()
    for n in range(times):
        packet = asked(requests, n * EVERY_S)
        assert packet is not None
        assert (packet.fmt, packet.media_ssrc) == (4, 0)
        assert packet.fci == (0x1111).to_bytes(4, "big") + bytes((n + 1 & 0xFF, 0, 0, 0))


def test_where_nothing_was_agreed_nothing_is_asked() -> None:
    requests = KeyFrameRequests(replace(TRACK, pli=False))
    requests.want()
    assert asked(requests, 1.0) is None


def test_the_patient_share_a_key_frame_that_is_asked_for_once_in_a_while() -> None:
    requests = KeyFrameRequests(TRACK)
    sent = []
    for n in range(1_000):
        now = n / 100
        requests.want(patient=True)
        if asked(requests, now) is not None:
            sent.append(now)
            requests.came(now)
    assert sent == [0.0, PATIENCE_S, 2 * PATIENCE_S]


def test_the_patient_are_served_by_what_comes_anyway_and_with_those_in_need() -> None:
    requests = KeyFrameRequests(TRACK)
    for n in range(20):
        requests.came(n * 0.5)
        requests.want(patient=True)
        assert asked(requests, n * 0.5 + 0.4) is None
    requests.want()
    assert asked(requests, 9.9) is not None


def test_what_the_patient_asked_for_is_repeated_like_any_other() -> None:
    requests = KeyFrameRequests(TRACK)
    requests.want(patient=True)
    assert [asked(requests, n / 2) is not None for n in range(5)] == [True, False] * 2 + [True]
