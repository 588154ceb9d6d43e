"""Events as bytes: packed once, then only ever copied.

An event travels between nodes as one lane byte and a msgpack map. Towards viewers many events make
one array, and the array one whole websocket frame (RFC 6455 section 5.2: final, unmasked), built
once for all who get the same. The msgpack array is the packed maps one after another.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

import msgspec

EVENT_BYTES: Final = 65_536
"""The largest packed event; a larger one is a fault of whoever publishes it."""
SNAPSHOT_MEMBERS: Final = 14
"""The most members of a snapshot besides `you`: what a msgpack fixmap can count, less one."""


class Format(Enum):
    """How a client wants its frames; the value is the websocket subprotocol's name."""

    MSGPACK = "kkot.v1+msgpack"
    JSON = "kkot.v1+json"


class Lane(bytes, Enum):
    """How an event is to be treated; the value is its first byte between nodes."""

    SHOP = b"a"
    """For everybody, never dropped."""
    SELLER = b"s"
    """For the seller's own connections, never dropped."""
    TALK = b"t"
    """For everybody; a slow reader goes without."""
    HEARTS = b"h"
    """A number of hearts, to be added up."""


@dataclass(frozen=True, slots=True)
class Event:
    """An event ready to be copied: `packed` is a msgpack map (HEARTS: four bytes, big-endian)."""

    lane: Lane
    packed: bytes


def pack(event: Mapping[str, Any]) -> bytes:
    """An event as a msgpack map."""
    return msgspec.msgpack.encode(event)


def unpack(packed: bytes) -> dict[str, Any]:
    """The map that `pack` packed."""
    return msgspec.msgpack.decode(packed, type=dict[str, Any])


def to_bus(event: Event) -> bytes:
    """An event as nodes tell it to each other."""
    return event.lane.value + event.packed


def from_bus(message: bytes) -> Event | None:
    """The event in a bus message; None for a lane this node does not know."""
    try:
        return Event(Lane(message[:1]), message[1:])
    except ValueError:
        return None


def hearts(count: int) -> Event:
    """So many hearts, as nodes tell each other."""
    return Event(Lane.HEARTS, count.to_bytes(4))


def websocket_frame(wire: Format, payload: bytes) -> bytes:
    """A whole server frame: binary for msgpack, text for JSON (RFC 6455 section 5.2)."""
    opcode = 0x82 if wire is Format.MSGPACK else 0x81
    size = len(payload)
    if size < 126:
        return bytes((opcode, size)) + payload
    if size < 65_536:
        return bytes((opcode, 126)) + size.to_bytes(2) + payload
    return bytes((opcode, 127)) + size.to_bytes(8) + payload


def array_frame(wire: Format, packed: Sequence[bytes]) -> bytes:
    """One frame with an array of packed events, in their order."""
    if wire is Format.MSGPACK:
        payload = _array_header(len(packed)) + b"".join(packed)
    else:
        payload = b"[" + b",".join(map(_to_json, packed)) + b"]"
    return websocket_frame(wire, payload)


def _array_header(count: int) -> bytes:
    if count < 16:
        return bytes((0x90 | count,))
    if count < 65_536:
        return b"\xdc" + count.to_bytes(2)
    return b"\xdd" + count.to_bytes(4)


def _to_json(packed: bytes) -> bytes:
    return msgspec.json.encode(msgspec.msgpack.decode(packed))


_YOU = msgspec.msgpack.encode("you")


class Snapshot:
    """A welcome without its `you`: packed once, completed for each viewer by copying."""

    def __init__(self, members: Mapping[str, Any]) -> None:
        assert 0 < len(members) <= SNAPSHOT_MEMBERS
        assert "you" not in members
        self.said = frozenset(said["id"] for said in members.get("talk", ()))
        self._members = msgspec.msgpack.encode(members)[1:]
        self._header = bytes((0x80 | len(members) + 1,))

    def welcome(self, you: Mapping[str, Any] | None) -> bytes:
        """The packed welcome for one viewer."""
        return self._header + _YOU + msgspec.msgpack.encode(you) + self._members
