"""Who a publisher's packet is from: its payload type tells the track and the form, its rid the
layer (RFC 8852 §3, RFC 8853 §5.4).

A layer's packets carry the rid only until the publisher thinks it is known; so an SSRC that was
learnt needs none. At most one SSRC of media and one of repetitions is known for each inlet.
"""

from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

from live.relay.core.rtp import Header, extension
from signaling.ports import Track

Form = Literal["media", "red", "rtx"]

TYPE_BITS: Final = 7


class Origin(NamedTuple):
    """The number of a packet's inlet, counted over all tracks and their layers; whether it is
    media, redundant audio (RFC 2198) or a repetition (RFC 4588); whether it said so itself, by a
    rid."""

    inlet: int
    form: Form
    named: bool


class _Carried(NamedTuple):
    """What a payload type carries: `first` is the number of its track's first inlet."""

    form: Form
    first: int
    rids: dict[bytes, int]
    rid_ids: tuple[int, ...]


class Sources:
    """The publisher's SSRCs as they become known."""

    def __init__(self, tracks: Sequence[Track]) -> None:
        self._known: dict[int, Origin] = {}
        self._carried: dict[int, _Carried] = {}
        first = 0
        for track in tracks:
            rids = {rid.encode(): n for n, rid in enumerate(track.layers)}
            own = tuple(i for i in (track.rid_id,) if i is not None)
            repaired = tuple(i for i in (track.repaired_rid_id, track.rid_id) if i is not None)
            codec = track.codec
            self._carried[codec.payload_type] = _Carried("media", first, rids, own)
            if codec.red_payload_type is not None:
                self._carried[codec.red_payload_type] = _Carried("red", first, rids, own)
            if codec.rtx_payload_type is not None:
                self._carried[codec.rtx_payload_type] = _Carried("rtx", first, rids, repaired)
            first += len(rids) or 1

    def known(self, head: Header) -> Origin | None:
        """Where packets of this SSRC and payload type were learnt to belong."""
        return self._known.get(head.ssrc << TYPE_BITS | head.payload_type)

    def identify(self, packet: bytes, head: Header) -> Origin | None:
        """Where a packet of an unknown SSRC says it belongs; None when it does not tell."""
        carried = self._carried.get(head.payload_type)
        if carried is None:
            return None
        if not carried.rids:
            return Origin(carried.first, carried.form, named=False)
        for identifier in carried.rid_ids:
            rid = extension(packet, head, identifier)
            if rid is not None and (layer := carried.rids.get(rid)) is not None:
                return Origin(carried.first + layer, carried.form, named=True)
        return None

    def learn(self, head: Header, origin: Origin) -> None:
        """From now on this SSRC is the inlet's, and what was before is not known any more."""
        self._known = {
            key: known
            for key, known in self._known.items()
            if known.inlet != origin.inlet
            or (known.form == "rtx") is not (origin.form == "rtx")
            or key >> TYPE_BITS == head.ssrc
        }
        self._known[head.ssrc << TYPE_BITS | head.payload_type] = origin
