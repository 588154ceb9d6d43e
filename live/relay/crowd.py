"""A show's viewers as one, told without a record for each: a thousand must not stop a stream."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Set
from dataclasses import dataclass
from typing import NamedTuple

from live.relay.core.feed import Feed
from live.relay.lanes import Lanes
from live.relay.viewer import Viewer


@dataclass(frozen=True, slots=True)
class AudienceStatistics:
    """All who watch now: sums, but `loss` and `rtt_ms` are means of those that told.

    `layers`: how many see each layer of the picture, by rid.
    """

    viewers: int
    paused: int
    layers: Mapping[str, int]
    bitrate_bps: int
    loss: float
    rtt_ms: float | None
    retransmissions: int
    key_frame_requests: int
    freezes: int
    frozen_s: float


NOBODY = AudienceStatistics(0, 0, {}, 0, 0.0, None, 0, 0, 0, 0.0)


class Sighting(NamedTuple):
    """What one viewer sees: the lines of its picture where they are known, and how it gets it."""

    lines: int | None
    paused: bool
    loss: float
    rtt_s: float | None


def audience_statistics(
    viewers: Collection[Viewer],
    feeds: Mapping[Feed, Set[Viewer]],
    lanes: Lanes,
    rids: tuple[str, ...],
) -> AudienceStatistics:
    """The viewers as one; `rids` are the publisher's layers, () while there is just one."""
    rtts = [viewer.rtt_s for viewer in viewers if viewer.rtt_s is not None]
    seen = Counter(v.layer for v in viewers if not v.paused and v.layer is not None)
    return AudienceStatistics(
        viewers=len(viewers),
        paused=sum(viewer.paused for viewer in viewers),
        layers={rids[n] if n < len(rids) else "": count for n, count in seen.items()},
        bitrate_bps=sum(bitrate(feed, lanes) * len(fed) for feed, fed in feeds.items()),
        loss=sum(viewer.loss for viewer in viewers) / len(viewers) if viewers else 0.0,
        rtt_ms=sum(rtts) / len(rtts) * 1000 if rtts else None,
        retransmissions=sum(viewer.repetitions.sent for viewer in viewers),
        key_frame_requests=sum(viewer.key_frame_requests for viewer in viewers),
        freezes=sum(viewer.freezes for viewer in viewers),
        frozen_s=sum(viewer.frozen_s for viewer in viewers),
    )


def sightings(feeds: Mapping[Feed, Set[Viewer]], lanes: Lanes) -> Iterator[Sighting]:
    """What each viewer sees."""
    for feed, viewers in feeds.items():
        lane = lanes.find("video", feed.layer) if feed.video is not None else None
        lines = None if lane is None else lane.height
        for viewer in viewers:
            yield Sighting(lines, viewer.paused, viewer.loss, viewer.rtt_s)


def bitrate(feed: Feed | None, lanes: Lanes) -> int:
    """Bits per second of what a feed brings."""
    if feed is None:
        return 0
    picture = lanes.find("video", feed.layer) if feed.video is not None else None
    sound = lanes.find("audio", 0) if feed.audio is not None else None
    return sum(lane.bitrate for lane in (picture, sound) if lane is not None)
