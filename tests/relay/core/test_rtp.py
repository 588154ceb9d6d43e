"""RTP headers: the payload's bounds, extensions of both forms, and nothing raised by noise."""

from hypothesis import given
from hypothesis import strategies as st

from live.relay.core.rtp import extension_u16, header, parse

BARE = header(True, 96, 7, 8, 9)


def extended(profile: bytes, data: bytes) -> bytes:
    """A packet with these extensions."""
    words = len(data) // 4
    return b"\x90" + BARE[1:] + profile + words.to_bytes(2, "big") + data + b"payload"


def u16(packet: bytes, identifier: int = 5) -> int | None:
    head = parse(packet)
    assert head is not None
    assert packet[head.start : head.stop] == b"payload"
    return extension_u16(packet, head, identifier)


@given(st.booleans(), st.integers(0, 127), *[st.integers(0, 2**n - 1) for n in (16, 32, 32)])
def test_header_is_read_as_written(m: bool, kind: int, number: int, at: int, ssrc: int) -> None:
    head = parse(header(m, kind, number, at, ssrc) + b"abc")
    assert head is not None
    assert head[:5] == (m, kind, number, at, ssrc)
    assert (head.start, head.stop) == (12, 15)


def test_sources_and_padding_bound_the_payload() -> None:
    head = parse(b"\xa2" + BARE[1:] + b"\0" * 8 + b"abc" + b"\0\0\3")
    assert head is not None
    assert (head.start, head.stop) == (20, 23)
    assert parse(b"\xa0" + BARE[1:] + b"abc\0") is None
    assert parse(b"\xa0" + BARE[1:] + b"abc\5") is None


def test_one_byte_extensions() -> None:
    assert u16(extended(b"\xbe\xde", b"\x10\xaa\x00\x51\x12\x34\x00\x00")) == 0x1234
    assert u16(extended(b"\xbe\xde", b"\x50\x12\x00\x00")) is None
    assert u16(extended(b"\xbe\xde", b"\x10\xaa\x00\x00")) is None
    assert u16(extended(b"\xbe\xde", b"\xf0\x51\x12\x34")) is None


def test_two_byte_extensions() -> None:
    assert u16(extended(b"\x10\x00", b"\x01\x00\x00\x05\x02\x12\x34\x00")) == 0x1234
    assert u16(extended(b"\x10\x0f", b"\x05\x01\x12\x00")) is None
    assert u16(extended(b"\x10\x00", b"\x05\xff\x12\x34")) == 0x1234
    assert u16(extended(b"\x20\x00", b"\x05\x02\x12\x34")) is None


@given(st.binary(max_size=80), st.sampled_from([b"\x90", b"\xb3", b"\xaf", b"\x80"]))
def test_noise_is_never_raised_nor_read_past_its_end(noise: bytes, first: bytes) -> None:
    for packet in (noise, first + noise, first + BARE[1:] + b"\xbe\xde" + noise):
        head = parse(packet)
        if head is not None:
            assert 12 <= head.start <= head.stop <= len(packet)
            assert extension_u16(packet, head, 5) in {None, *range(0x10000)}
