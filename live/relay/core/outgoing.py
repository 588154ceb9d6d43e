"""The last touch before a packet leaves: a viewer's payload type, and when it is sent."""

from struct import pack
from typing import Final

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
