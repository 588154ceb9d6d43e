"""Every first byte, and RTP told from RTCP by every second one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling.core.demux import Protocol, classify

FIRST_BYTES = (
    *[(byte, Protocol.STUN) for byte in range(4)],
    *[(byte, Protocol.UNKNOWN) for byte in range(4, 20)],
    *[(byte, Protocol.DTLS) for byte in range(20, 64)],
    *[(byte, Protocol.UNKNOWN) for byte in range(64, 128)],
    *[(byte, Protocol.RTP) for byte in range(128, 192)],
    *[(byte, Protocol.UNKNOWN) for byte in range(192, 256)],
)


def test_every_first_byte() -> None:
    assert len(FIRST_BYTES) == 256
    assert [(byte, classify(bytes([byte, 0]))) for byte in range(256)] == list(FIRST_BYTES)


@pytest.mark.parametrize("second", [191, 192, 200, 201, 206, 223, 224])
def test_rtcp_is_told_by_its_packet_type(second: int) -> None:
    expected = Protocol.RTCP if 192 <= second <= 223 else Protocol.RTP
    assert classify(bytes([0x80, second])) is expected


@pytest.mark.parametrize("payload_type", [*range(64), *range(96, 128)])
@pytest.mark.parametrize("marker", [0, 128])
def test_rtp_with_a_usable_payload_type_is_never_taken_for_rtcp(
    payload_type: int, marker: int
) -> None:
    assert classify(bytes([0x90, marker | payload_type])) is Protocol.RTP


@given(st.binary(max_size=1))
def test_less_than_two_bytes_is_nothing(datagram: bytes) -> None:
    assert classify(datagram) is Protocol.UNKNOWN
