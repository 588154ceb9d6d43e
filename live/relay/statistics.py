"""What the relay tells of a show's media: bits and packets, losses, round trips, freezes.

A session's id is the right to end it, so nothing here has one: peers are told apart by `id`s.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from heapq import nlargest

from live.relay.core.feed import Feed
from live.relay.core.inlet import Inlet
from live.relay.core.lane import Lane
from live.relay.crowd import AudienceStatistics, bitrate
from live.relay.lanes import Lanes
from live.relay.publisher import Publisher
from live.relay.viewer import Viewer
from signaling.ports import Kind, Track


@dataclass(frozen=True, slots=True)
class LayerStatistics:
    """One published layer, or the sound; counts are totals.

    `lost` is what did not come by itself; `nacks` how often a packet was asked for, of which
    `repaired` came then.
    """

    rid: str
    kind: str
    bitrate_bps: int
    packets: int
    lost: int
    jitter_ms: float
    nacks: int
    repaired: int
    key_frames: int
    key_frame_requests: int


@dataclass(frozen=True, slots=True)
class PublisherStatistics:
    """Who publishes: `video` and `audio` are the names of its codecs; `rtt_ms` is how long its
    repetitions take, None before the first."""

    id: str
    video: str | None
    audio: str | None
    rtt_ms: float | None
    layers: tuple[LayerStatistics, ...]


@dataclass(frozen=True, slots=True)
class ViewerStatistics:
    """One viewer; `height` is the lines of its picture, `loss` the share of the last second,
    `freezes` what its page counted."""

    id: str
    layer: str
    height: int | None
    paused: bool
    bitrate_bps: int
    packets: int
    loss: float
    rtt_ms: float | None
    jitter_ms: float
    estimate_bps: int | None
    retransmissions: int
    key_frame_requests: int
    freezes: int
    frozen_s: float


@dataclass(frozen=True, slots=True)
class ShowStatistics:
    """One show on this node; `viewers`: as many as were asked for, the worst off first."""

    show: str
    publisher: PublisherStatistics | None
    audience: AudienceStatistics
    viewers: tuple[ViewerStatistics, ...]


def worst_first(viewers: Iterable[Viewer], most: int) -> list[Viewer]:
    """At most so many viewers, those who fare worst first."""
    return nlargest(most, viewers, key=lambda one: (one.frozen_s, one.loss))


def publisher_statistics(publisher: Publisher, lanes: Lanes) -> PublisherStatistics:
    """What comes from the publisher, layer by layer."""
    names: dict[Kind, str] = {t.kind: t.codec.name for t in publisher.publication.tracks}
    rtt_s = publisher.round_trip.smoothed_s
    return PublisherStatistics(
        id=_opaque(publisher.session),
        video=names.get("video"),
        audio=names.get("audio"),
        rtt_ms=None if rtt_s is None else rtt_s * 1000,
        layers=tuple(
            _layer_statistics(inlet, lane)
            for inlet in publisher.inlets
            if (lane := lanes.find(inlet.kind, inlet.layer)) is not None
        ),
    )


def _layer_statistics(inlet: Inlet, lane: Lane) -> LayerStatistics:
    return LayerStatistics(
        rid=_rid(inlet.track, inlet.layer),
        kind=inlet.kind,
        bitrate_bps=lane.bitrate,
        packets=lane.packets,
        lost=inlet.lost,
        jitter_ms=0.0 if inlet.log is None else inlet.log.jitter_s * 1000,
        nacks=inlet.repairs.asked,
        repaired=inlet.repairs.repaired,
        key_frames=lane.key_frames,
        key_frame_requests=inlet.key_frames.count,
    )


def viewer_statistics(
    viewer: Viewer, feed: Feed | None, lanes: Lanes, tracks: Sequence[Track]
) -> ViewerStatistics:
    """What a viewer gets; `tracks` are the publisher's, () while there is none."""
    rid = next((_rid(t, viewer.layer or 0) for t in tracks if t.kind == "video"), "")
    picture = lanes.find("video", feed.layer) if feed and feed.video is not None else None
    return ViewerStatistics(
        id=_opaque(viewer.session),
        layer=rid,
        height=None if picture is None else picture.height,
        paused=viewer.paused,
        bitrate_bps=bitrate(feed, lanes),
        packets=viewer.packets,
        loss=viewer.loss,
        rtt_ms=None if viewer.rtt_s is None else viewer.rtt_s * 1000,
        jitter_ms=viewer.jitter / 90,
        estimate_bps=viewer.estimate,
        retransmissions=viewer.repetitions.sent,
        key_frame_requests=viewer.key_frame_requests,
        freezes=viewer.freezes,
        frozen_s=viewer.frozen_s,
    )


def _rid(track: Track, layer: int) -> str:
    return track.layers[layer] if layer < len(track.layers) else ""


def _opaque(session: str) -> str:
    """A name that tells sessions apart and cannot be turned back into one."""
    return hashlib.sha256(session.encode()).hexdigest()[:12]
