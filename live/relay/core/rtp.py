"""RTP headers, read without copying the payload (RFC 3550 §5.1, RFC 8285)."""

from struct import Struct
from typing import Final, NamedTuple

HEADER_BYTES: Final = 12
ONE_BYTE_PROFILE: Final = 0xBEDE
TWO_BYTE_PROFILE: Final = 0x1000
ONE_BYTE_END: Final = 15
"""The identifier that ends a list of one-byte extensions (RFC 8285 §4.2)."""

_HEADER = Struct("!BBHII")
_EXTENSION = Struct("!HH")


class Header(NamedTuple):
    """Where things are in a packet; `start` and `stop` bound the payload without padding."""

    marker: bool
    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    profile: int
    extensions: int
    start: int
    stop: int


def parse(packet: bytes) -> Header | None:
    """Read the header; None when it is not sound RTP version 2."""
    if len(packet) < HEADER_BYTES:
        return None
    first, second, sequence, timestamp, ssrc = _HEADER.unpack_from(packet)
    if first >> 6 != 2:
        return None
    start = HEADER_BYTES + 4 * (first & 15)
    stop = len(packet)
    profile = extensions = 0
    if first & 0x10:
        if stop < start + 4:
            return None
        profile, words = _EXTENSION.unpack_from(packet, start)
        extensions = start + 4
        start = extensions + 4 * words
    if first & 0x20 and stop:
        stop -= packet[-1]
        if packet[-1] == 0:
            return None
    if start > stop:
        return None
    return Header(
        second >= 128, second & 127, sequence, timestamp, ssrc, profile, extensions, start, stop
    )


def extension(packet: bytes, header: Header, identifier: int) -> bytes | None:
    """A header extension's data (RFC 8285 §4); None when it is absent or cut short."""
    at, size = _locate(packet, header, identifier)
    return packet[at : at + size] if at and at + size <= header.start else None


def extension_u16(packet: bytes, header: Header, identifier: int) -> int | None:
    """A two-byte header extension; None when it is absent or cut short."""
    at, size = _locate(packet, header, identifier)
    whole = at and size >= 2 and at + 2 <= header.start
    return packet[at] << 8 | packet[at + 1] if whole else None


def _locate(packet: bytes, header: Header, identifier: int) -> tuple[int, int]:
    """Where an extension's data begins and how long it says it is; (0, 0) when it is absent."""
    one_byte = header.profile == ONE_BYTE_PROFILE
    if not one_byte and header.profile & 0xFFF0 != TWO_BYTE_PROFILE:
        return 0, 0
    offset, end = header.extensions, header.start
    while offset + 1 < end:
        first = packet[offset]
        if first == 0:
            offset += 1
            continue
        if one_byte and first >> 4 == ONE_BYTE_END:
            return 0, 0
        if one_byte:
            number, size, data = first >> 4, (first & 15) + 1, offset + 1
        else:
            number, size, data = first, packet[offset + 1], offset + 2
        if number == identifier:
            return data, size
        offset = data + size
    return 0, 0


def header(marker: bool, payload_type: int, sequence: int, timestamp: int, ssrc: int) -> bytes:
    """A bare twelve-byte header; numbers are taken modulo their size."""
    return _HEADER.pack(
        0x80,
        marker << 7 | payload_type,
        sequence & 0xFFFF,
        timestamp & 0xFFFFFFFF,
        ssrc,
    )
