"""Redundant audio: a packet that repeats the blocks before its own (RFC 2198 §3).

Within the house such a packet has payload type `RED`, where one of plain sound has 0; its blocks
keep the publisher's payload type until they leave.
"""

from typing import Final

RED: Final = 1
BLOCK_LIMIT: Final = 10
"""Blocks of one packet, the primary among them; a packet of more is refused."""
BLOCK_HEAD: Final = 4


def is_sound(payload: bytes, payload_type: int) -> bool:
    """Whether all blocks are of this payload type, lie within the packet, and the last, which is
    the primary, is not empty."""
    at, length = 0, 0
    for _ in range(BLOCK_LIMIT):
        if at >= len(payload) or payload[at] & 0x7F != payload_type:
            return False
        if not payload[at] & 0x80:
            return at + 1 + length < len(payload)
        if at + BLOCK_HEAD > len(payload):
            return False
        length += (payload[at + 2] & 3) << 8 | payload[at + 3]
        at += BLOCK_HEAD
    return False


def primary(payload: bytes) -> bytes:
    """The packet's own sound, of a payload that `is_sound`."""
    at, length = 0, 0
    while payload[at] & 0x80:
        length += (payload[at + 2] & 3) << 8 | payload[at + 3]
        at += BLOCK_HEAD
    return payload[at + 1 + length :]


def numbered(payload: bytes, payload_type: int) -> bytes:
    """The payload, which `is_sound`, with this payload type for every block."""
    changed = bytearray(payload)
    at = 0
    while changed[at] & 0x80:
        changed[at] = 0x80 | payload_type
        at += BLOCK_HEAD
    changed[at] = payload_type
    return bytes(changed)
