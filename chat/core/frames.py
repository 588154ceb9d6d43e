"""Events as bytes: packed once, then only ever copied.

An event is a msgpack map. Towards viewers many events make one array, and the array one whole
websocket frame (RFC 6455 section 5.2: final, unmasked), built once for all who get the same. The
msgpack array is the packed maps one after another. Those who negotiated it get the frame deflated
(RFC 7692) without context takeover, so that it too is the same for all of them.
"""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

import msgspec

EVENT_BYTES: Final = 65_536
"""The largest packed event; a larger one is a fault of whoever publishes it."""
DEFLATE_FROM_BYTES: Final = 128
"""Smaller payloads are not worth deflating."""
WINDOW_BITS: Final = 15
"""The LZ77 window of deflated frames (RFC 7692 section 7.1.2)."""
SNAPSHOT_MEMBERS: Final = 15
"""The most members of a snapshot: what a msgpack fixmap counts."""


class Format(Enum):
    """How a client wants its frames; the value is the websocket subprotocol's name."""

    MSGPACK = "kkot.v1+msgpack"
    JSON = "kkot.v1+json"


class Lane(Enum):
    """How an event is to be treated."""

    SHOP = "shop"
    """Numbered: whoever it is for gets it once, in order, or is told how things are instead."""
    TALK = "talk"
    """For everybody; a slow reader goes without."""
    HEARTS = "hearts"
    """A number of hearts, to be added up."""


@dataclass(frozen=True, slots=True)
class Event:
    """An event ready to be copied: `packed` is a msgpack map (HEARTS: four bytes, big-endian).

    `to`: who it is for (see `addressee`). `offset`: a SHOP event's number.
    """

    lane: Lane
    packed: bytes
    to: str = ""
    offset: int = 0


def pack(event: Mapping[str, Any] | msgspec.Struct) -> bytes:
    """An event as a msgpack map."""
    return msgspec.msgpack.encode(event)


_OFFSET: Final = msgspec.msgpack.encode("offset")


def unpack(packed: bytes) -> dict[str, Any]:
    """The map that `pack` packed."""
    return msgspec.msgpack.decode(packed, type=dict[str, Any])


def numbered(packed: bytes, offset: int) -> bytes:
    """A packed event with its number as one member more."""
    if 0x80 <= packed[0] < 0x8F:
        return bytes((packed[0] + 1,)) + packed[1:] + _OFFSET + msgspec.msgpack.encode(offset)
    return pack({**unpack(packed), "offset": offset})


def websocket_frame(wire: Format, payload: bytes, *, deflated: bool = False) -> bytes:
    """A whole server frame: binary for msgpack, text for JSON (RFC 6455 section 5.2).

    `deflated`: the payload is what `deflate` made; RSV1 tells so (RFC 7692 section 6).
    """
    opcode = 0x82 if wire is Format.MSGPACK else 0x81
    if deflated:
        opcode |= 0x40
    size = len(payload)
    if size < 126:
        return bytes((opcode, size)) + payload
    if size < 65_536:
        return bytes((opcode, 126)) + size.to_bytes(2) + payload
    return bytes((opcode, 127)) + size.to_bytes(8) + payload


def array_frame(wire: Format, packed: Sequence[bytes], *, deflated: bool = False) -> bytes:
    """One frame with an array of packed events, in their order.

    `deflated`: made smaller where that makes it smaller. Nothing that only some may know belongs
    in such a frame beside what others wrote: its size tells of both.
    """
    if wire is Format.MSGPACK:
        payload = _array_header(len(packed)) + b"".join(packed)
    else:
        payload = b"[" + b",".join(map(_to_json, packed)) + b"]"
    if deflated and len(payload) >= DEFLATE_FROM_BYTES:
        smaller = deflate(payload)
        if len(smaller) < len(payload):
            return websocket_frame(wire, smaller, deflated=True)
    return websocket_frame(wire, payload)


def deflate(payload: bytes) -> bytes:
    """A message's payload compressed, remembering none before it (RFC 7692 section 7.2.1)."""
    compressor = zlib.compressobj(wbits=-WINDOW_BITS)
    return (compressor.compress(payload) + compressor.flush(zlib.Z_SYNC_FLUSH))[:-4]


def _array_header(count: int) -> bytes:
    if count < 16:
        return bytes((0x90 | count,))
    if count < 65_536:
        return b"\xdc" + count.to_bytes(2)
    return b"\xdd" + count.to_bytes(4)


def _to_json(packed: bytes) -> bytes:
    return msgspec.json.encode(msgspec.msgpack.decode(packed))


class Snapshot:
    """A welcome without what is a viewer's own: packed once, completed for each by copying."""

    def __init__(self, members: Mapping[str, Any]) -> None:
        assert 0 < len(members) <= SNAPSHOT_MEMBERS
        self._members = msgspec.msgpack.encode(members)[1:]
        self._header = b"\xde" + (len(members) + 3).to_bytes(2)

    def welcome(self, you: Mapping[str, Any] | None, offset: int, *, recovered: bool) -> bytes:
        """The packed welcome for one viewer, who is told every event after `offset`."""
        own = msgspec.msgpack.encode({"you": you, "offset": offset, "recovered": recovered})
        return self._header + own[1:] + self._members
