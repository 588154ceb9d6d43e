"""What a group of viewers gets in the same way: a packet is written once for all of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from live.relay.core.outgoing import outgoing, outgoing_audio, send_time
from live.relay.core.splice import AS_IT_IS, Rewriting
from signaling.ports import Kind

Pending = tuple[Kind, int, int, bytes]
"""A packet on its way: its kind, its layer, its extended number, its bytes with payload type 0, or
`RED` for redundant sound."""


@dataclass(frozen=True, slots=True)
class Feed:
    """What a group of viewers gets, written the same way; None for what they do not get."""

    video: int | None
    audio: int | None
    abs_send_time: int | None
    layer: int = 0
    rewriting: Rewriting = AS_IT_IS
    red: int | None = None


def written(feed: Feed, pending: Sequence[Pending], now: float) -> list[bytes]:
    """The pending packets that are this feed's, as its viewers get them."""
    extension = b"" if feed.abs_send_time is None else send_time(feed.abs_send_time, now)
    rewriting = feed.rewriting
    apply = None if rewriting is AS_IT_IS else rewriting.apply
    packets = []
    for kind, layer, number, packet in pending:
        if kind == "audio":
            if feed.audio is not None:
                packets.append(outgoing_audio(packet, feed.audio, feed.red, extension))
        elif feed.video is not None and layer == feed.layer and number >= rewriting.first:
            whole = packet if apply is None else apply(packet)
            packets.append(outgoing(whole, feed.video, extension))
    return packets
