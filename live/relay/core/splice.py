"""One lane's packets made to continue another's: what lets a viewer change layers unnoticed.

Over any number of switches a viewer's sequence numbers run on without a hole, its timestamps
never go back, and the picture ids and TL0PICIDX of VP8 and VP9 run on (RFC 3550 §5.1, RFC 7741
§4.2, RFC 9628 §4.2).
"""

from dataclasses import dataclass
from struct import pack, unpack_from
from typing import Final

from live.relay.core import vp8, vp9
from live.relay.core.picture_counters import LONG, Read, moved
from live.relay.core.rtp import HEADER_BYTES

TIMESTAMP_STEP: Final = 90
"""The least by which a timestamp rises over a switch: a millisecond of video."""
COUNTERS: Final[dict[str, Read]] = {"VP8": vp8.counters, "VP9": vp9.counters}
"""By codec; others do not count pictures beside the sequence numbers."""


@dataclass(frozen=True, slots=True)
class Rewriting:
    """How a lane's packets become a viewer's: what is added to their numbers.

    `first`: the lane's packets before this number are not the viewer's. `picture_id` and `tl0`
    are added to the counters that `read` finds. Viewers with equal rewritings share their
    plaintext.
    """

    first: int = 0
    sequence: int = 0
    timestamp: int = 0
    picture_id: int = 0
    tl0: int = 0
    read: Read | None = None

    def apply(self, packet: bytes) -> bytes:
        """A lane's packet, with its twelve-byte header, as the viewer's."""
        if self.read is not None and (found := self.read(packet, HEADER_BYTES)) is not None:
            packet = moved(packet, found, self.picture_id, self.tl0)
        if not self.sequence and not self.timestamp:
            return packet
        sequence, timestamp = unpack_from("!HI", packet, 2)
        numbers = pack(
            "!HI", sequence + self.sequence & 0xFFFF, timestamp + self.timestamp & 0xFFFFFFFF
        )
        return packet[:2] + numbers + packet[8:]


AS_IT_IS: Final = Rewriting()
"""The rewriting of all who never switched."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where one lane stands: an extended number, its extended timestamp, and the packet there
    where it is remembered."""

    number: int
    timestamp: int
    packet: bytes | None


def splice(last: Place, before: Rewriting, first: Place, codec: str) -> Rewriting:
    """The rewriting that lets the lane of `first` continue, right there, after `last`, which the
    viewer got by `before`; both lanes carry `codec`, in capitals."""
    picture_id = tl0 = 0
    read = COUNTERS.get(codec)
    if read is not None and last.packet is not None and first.packet is not None:
        old, new = read(last.packet, HEADER_BYTES), read(first.packet, HEADER_BYTES)
        if old is not None and new is not None:
            picture_id = old.picture_id + before.picture_id + 1 - new.picture_id & LONG
            tl0 = old.tl0 + before.tl0 + 1 - new.tl0 & 0xFF
    behind = last.timestamp + before.timestamp + TIMESTAMP_STEP - first.timestamp
    return Rewriting(
        first.number,
        last.number + before.sequence + 1 - first.number,
        max(behind, 0),
        picture_id,
        tl0,
        read if picture_id or tl0 else None,
    )
