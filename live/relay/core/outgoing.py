"""The last touch before a packet leaves: a viewer's payload type, and when it is sent."""

from struct import pack
from typing import Final

from live.relay.core import red
from live.relay.core.rtp import HEADER_BYTES

ONE_BYTE: Final = b"\xbe\xde\x00\x01"


def send_time(identifier: int, now: float) -> bytes:
    """The abs-send-time extension of `now` seconds: 24 bits, 6.18 fixed point (RFC 8285 §4.2,
    draft-alvestrand-rmcat-remb-03 §2)."""
    stamp = int(now * (1 << 18)) & 0xFFFFFF
    return ONE_BYTE + pack("!I", (identifier << 4 | 2) << 24 | stamp)


def outgoing(packet: bytes, payload_type: int, extension: bytes = b"") -> bytes:
    """The packet, whose payload type is 0, with a viewer's own and, if any, the extension."""
    kind = bytes((packet[1] | payload_type,))
    if not extension:
        return b"\x80" + kind + packet[2:]
    return b"\x90" + kind + packet[2:12] + extension + packet[12:]


def outgoing_audio(
    packet: bytes, audio: int, redundant: int | None, extension: bytes = b""
) -> bytes:
    """A packet of sound, plain or `RED`, for a viewer who calls plain sound `audio` and redundant
    sound `redundant`; who does not take that gets its primary block (RFC 2198 §3)."""
    if not packet[1] & red.RED:
        return outgoing(packet, audio, extension)
    head = packet[:1] + bytes((packet[1] & 0x80,)) + packet[2:HEADER_BYTES]
    payload = packet[HEADER_BYTES:]
    if redundant is None:
        return outgoing(head + red.primary(payload), audio, extension)
    return outgoing(head + red.numbered(payload, audio), redundant, extension)
