"""One show's media on this node: a publisher who may come and go, and viewers who stay.

All who get the same layer in the same way share a feed, and a packet is written once for each
feed; only its encryption is the viewer's own. Who never changed layers gets a lane's own numbers.
Packets wait for each other for at most `GATHER_MOST_S`, the longer the more viewers there are,
and leave at once at a frame's end.
"""

import asyncio
import math
import secrets
from collections.abc import Callable
from typing import Final

from live.relay.core import rtcp, rtp
from live.relay.core.feed import Feed, written
from live.relay.core.lane import Lane
from live.relay.core.layers import Layer, Sight
from live.relay.core.runs import batch
from live.relay.publisher import Publisher
from live.relay.statistics import (
    LayerStatistics,
    PublisherStatistics,
    ShowStatistics,
    ViewerStatistics,
)
from live.relay.viewer import BURST_FIRST, BURST_TICK, Viewer
from signaling.ports import Codec, Kind, Publication, Stream, StreamTrack, Subscription, Track

GATHER_FROM_VIEWERS: Final = 20
GATHER_MOST_VIEWERS: Final = 400
GATHER_MOST_S: Final = 0.005
AWAY_LIMIT_S: Final = 60.0
"""So long viewers may wait for a publisher to come back."""
REPORT_EVERY_S: Final = 1.0
DECIDE_EVERY_S: Final = 0.2
START_BPS: Final = 1_000_000
"""What a viewer is thought to take before it has told."""
SWITCH_AGE_S: Final = 0.3
"""A cached key frame older than this is not worth a switch: its past would have to be sent."""


NOT_COUNTED: Final = (0, 0.0, 0, 0)
"""Lost, jitter, NACKs, repaired."""
NO_LANES: Final[list[Lane]] = []


class Broadcast:
    """The relay of one show."""

    def __init__(
        self,
        show: str,
        on_stage: Callable[[str, bool], None],
        on_replaced: Callable[[str, str], None],
        clock: Callable[[], float],
    ) -> None:
        self.show = show
        self.publisher: Publisher | None = None
        self.viewers: set[Viewer] = set()
        self.packets_in = 0
        self.packets_out = 0
        self._on_stage = on_stage
        self._on_replaced = on_replaced
        self._clock = clock
        self._on_air = False
        self._lanes: dict[Kind, list[Lane]] = {}
        self._epoch = self._left_at = clock()
        self._posted: list[Publisher] = []
        self._pending: list[tuple[Kind, int, int, bytes]] = []
        self._live: dict[Feed, set[Viewer]] = {}
        self._joined: dict[Viewer, Feed] = {}
        self._catching_up: set[Viewer] = set()
        self._waiting: dict[Viewer, int | None] = {}
        self._flush_handle: asyncio.TimerHandle | None = None
        self._report_at = self._decide_at = 0.0

    # What signaling asks.

    def publish(self, session: str, publication: Publication, now: float) -> Publisher:
        """A publisher's session begins; it takes over once it is connected."""
        self._left_at = now
        publisher = Publisher(publication, self, session)
        self._posted.append(publisher)
        return publisher

    def stream(self, now: float) -> Stream | None:
        """What viewers get; None when nobody publishes, or has not for too long."""
        if not self._lanes or self.is_over(now):
            return None
        tracks = tuple(
            StreamTrack(kind, lane.codec, lane.ssrc, lane.rtx_ssrc if kind == "video" else None)
            for kind, (lane, *_) in self._lanes.items()
        )
        return Stream(f"kkot-{self.show}", tracks)

    def subscribe(self, session: str, subscription: Subscription) -> Viewer:
        """A viewer's session begins."""
        return Viewer(
            session,
            subscription,
            self._lanes.get("video", NO_LANES),
            self._lanes.get("audio", NO_LANES),
            self._arrived,
            self._wants_key_frame,
            self._forget,
        )

    # What a publisher does.

    def live(self, publisher: Publisher) -> None:
        """The one that was posted last wins; viewers stay when it sends what they decode."""
        if publisher not in self._posted:
            publisher.dismiss()
            return
        self._flush()
        del self._posted[: self._posted.index(publisher)]
        before, self.publisher = self.publisher, publisher
        if before is not None and before is not publisher:
            before.dismiss()
            self._on_replaced(self.show, before.session)
        tracks = publisher.publication.tracks
        if {t.kind: _decoder(t.codec) for t in tracks} == {
            kind: _decoder(lanes[0].codec) for kind, lanes in self._lanes.items()
        }:
            for lane in (lane for lanes in self._lanes.values() for lane in lanes):
                lane.restart()
        else:
            self._send_away()
            self._lanes = {track.kind: [self._lane(track.codec)] for track in tracks}
        for track in tracks:
            lanes = self._lanes[track.kind]
            while len(lanes) < len(track.layers):
                lanes.append(self._lane(track.codec, lanes[0]))
        for layer in range(len(self._lanes.get("video", ()))):
            publisher.request_key_frame(layer)

    def packet(
        self,
        kind: Kind,
        layer: int,
        packet: bytes,
        head: rtp.Header,
        number: int,
        start: int,
        now: float,
    ) -> None:
        """A packet of the publisher's media."""
        lane = self._lane_of(kind, layer)
        forwarded = lane and lane.forward(packet, head, number, start, now)
        if not forwarded:
            return
        self.packets_in += 1
        self._pending.append((kind, layer, forwarded[0], forwarded[1]))
        if forwarded[2]:
            self._key_frame_began(layer, forwarded[0])
        if head.marker and kind == "video":
            self._flush()

    def renumbered(self, kind: Kind, layer: int) -> None:
        """The publisher counts anew; viewers notice nothing."""
        if (lane := self._lane_of(kind, layer)) is not None:
            self._flush()
            lane.restart()

    def clocks(self, kind: Kind, layer: int, ntp: int, timestamp: int, now: float) -> None:
        """The publisher's clocks."""
        if (lane := self._lane_of(kind, layer)) is not None:
            lane.clocks(ntp, timestamp, now)

    def drained(self, now: float) -> None:
        """Send what is gathered, now or a little later."""
        window = _gathering(len(self.viewers))
        if not window:
            self._flush()
        elif self._pending and self._flush_handle is None:
            self._flush_handle = asyncio.get_running_loop().call_later(window, self._flush)

    def gone(self, publisher: Publisher, now: float) -> None:
        """A publisher left; viewers wait for the next one."""
        if publisher in self._posted:
            self._posted.remove(publisher)
        if publisher is self.publisher:
            self.publisher = None
            self._left_at = now
            self._tell_stage(now)

    # What viewers wish.

    def wish(self, viewer: Viewer, *, paused: bool, max_height: int | None) -> None:
        """A paused viewer gets no picture; it goes on at a key frame."""
        viewer.max_height = max_height
        if paused == viewer.paused:
            return
        viewer.paused = paused
        if paused:
            self._waiting.pop(viewer, None)
            self._catching_up.discard(viewer)
            viewer.pause()
            self._join(viewer, picture=False)
        elif viewer.link is not None and viewer.subscription.video is not None:
            self._wait_for(viewer, viewer.layer)

    def statistics(self) -> ShowStatistics:
        """The show's media as it is now; what the publisher's own log counts is zero here."""
        publisher = None
        if self.publisher is not None:
            tracks = self.publisher.publication.tracks
            names: dict[Kind, str] = {track.kind: track.codec.name for track in tracks}
            layers = tuple(
                LayerStatistics(
                    _rid(track, n), track.kind, lane.bitrate, lane.packets, *NOT_COUNTED,
                    lane.key_frames, 0,
                )
                for track in tracks
                for n, lane in enumerate(self._lanes[track.kind])
            )  # fmt: skip
            publisher = PublisherStatistics(
                self.publisher.session, names.get("video"), names.get("audio"), None, layers
            )
        return ShowStatistics(self.show, publisher, tuple(map(self._statistics_of, self.viewers)))

    def _statistics_of(self, viewer: Viewer) -> ViewerStatistics:
        tracks = self.publisher.publication.tracks if self.publisher is not None else ()
        rid = next((_rid(t, viewer.layer or 0) for t in tracks if t.kind == "video"), "")
        feed = self._joined.get(viewer)
        picture = self._lane_of("video", feed.layer) if feed and feed.video is not None else None
        sound = self._lane_of("audio", 0) if feed and feed.audio is not None else None
        return ViewerStatistics(
            session=viewer.session,
            layer=rid,
            paused=viewer.paused,
            bitrate_bps=sum(lane.bitrate for lane in (picture, sound) if lane is not None),
            packets=viewer.packets,
            loss=viewer.loss,
            rtt_ms=None if viewer.rtt_s is None else viewer.rtt_s * 1000,
            jitter_ms=viewer.jitter / 90,
            estimate_bps=viewer.estimate,
            retransmissions=viewer.retransmissions,
            key_frame_requests=viewer.key_frame_requests,
            freezes=viewer.freezes,
            frozen_s=viewer.frozen_s,
        )

    # What happens in between.

    def tick(self, now: float) -> None:
        """Feed those who catch up, feed the publisher back, tell the viewers the clocks."""
        for viewer in list(self._catching_up):
            self._feed(viewer, BURST_TICK)
        if self.publisher is not None:
            for layer in set(self._waiting.values()):
                self.publisher.request_key_frame(layer or 0)
            self.publisher.tick(now)
        if now >= self._decide_at:
            self._decide_at = now + DECIDE_EVERY_S
            self._decide(now)
        self._tell_stage(now)
        if now >= self._report_at:
            self._report_at = now + REPORT_EVERY_S
            self._report(now)

    def is_over(self, now: float) -> bool:
        """Whether nobody has published for too long."""
        return self.publisher is None and now - self._left_at > AWAY_LIMIT_S

    def end(self) -> None:
        """Close every session."""
        for publisher in self._posted:
            publisher.dismiss()
        self._posted.clear()
        self._send_away()
        self._lanes.clear()
        self._left_at = -math.inf

    def _arrived(self, viewer: Viewer, now: float) -> None:
        video = self._lanes.get("video", NO_LANES)
        if self.is_over(now) or not viewer.watches(video, self._lanes.get("audio", NO_LANES)):
            viewer.dismiss()
            return
        self.viewers.add(viewer)
        self._join(viewer, picture=False)
        if not video or viewer.subscription.video is None or viewer.paused:
            return
        sight = Sight(START_BPS, 0.0, viewer.max_height)
        layer = viewer.choice.decide(self._layers(now), None, sight, now).layer
        start = video[layer or 0].fast_start(now)
        if start is None:
            self._wait_for(viewer, layer)
        else:
            self._turn(viewer, layer or 0, start)

    def _decide(self, now: float) -> None:
        """Let each viewer have the layer that fits it."""
        video = self._lanes.get("video", NO_LANES)
        for lane in (lane for lanes in self._lanes.values() for lane in lanes):
            lane.measure(now)
        if len(video) < 2:
            return
        layers = self._layers(now)
        for viewer in list(self.viewers):
            if viewer.paused or viewer.subscription.video is None:
                continue
            bound_for = self._waiting.get(viewer, viewer.layer)
            choice = viewer.choice.decide(layers, bound_for, viewer.sight(), now)
            viewer.probe_bps = choice.probe_bps
            if viewer.probe_bps:
                viewer.probe(int(viewer.probe_bps * DECIDE_EVERY_S / 8), now)
            if choice.layer is None or viewer in self._catching_up:
                continue
            if choice.layer == viewer.layer and self._sees(viewer):
                self._waiting.pop(viewer, None)
            elif self._waiting.get(viewer, -1) != choice.layer:
                self._switch(viewer, choice.layer, now)

    def _switch(self, viewer: Viewer, layer: int, now: float) -> None:
        """Go over at a key frame of this moment, or wait for the next; the old layer goes on."""
        lane = self._lanes["video"][layer]
        start = lane.fast_start(now)
        if start is not None and lane.key_at is not None and now - lane.key_at < SWITCH_AGE_S:
            self._turn(viewer, layer, start)
        else:
            self._wait_for(viewer, layer)

    def _wait_for(self, viewer: Viewer, layer: int | None) -> None:
        self._waiting[viewer] = layer
        if self.publisher is not None:
            self.publisher.request_key_frame(layer or 0)

    def _turn(self, viewer: Viewer, layer: int, number: int) -> None:
        """From here on the viewer's picture is this layer's, beginning with its key frame."""
        self._flush()
        self._waiting.pop(viewer, None)
        self._join(viewer, picture=False)
        viewer.turn_to(layer, number)
        self._catching_up.add(viewer)
        self._feed(viewer, BURST_FIRST)

    def _feed(self, viewer: Viewer, most: int) -> None:
        if viewer.catch_up(most, self._clock()):
            # What is pending is in the history this viewer has just got: it must not come twice.
            self._flush()
            self._catching_up.discard(viewer)
            viewer.cursor = None
            self._join(viewer, picture=True)

    def _join(self, viewer: Viewer, *, picture: bool) -> None:
        """Let a viewer have its sound as it comes, and the picture once it has caught up."""
        self._leave(viewer)
        if viewer.link is None:
            return
        wanted = viewer.subscription
        feed = Feed(None, wanted.audio, wanted.abs_send_time)
        if picture and viewer.segments:
            last = viewer.segments[-1]
            feed = Feed(
                wanted.video, wanted.audio, wanted.abs_send_time, last.layer, last.rewriting
            )
        self._joined[viewer] = feed
        self._live.setdefault(feed, set()).add(viewer)

    def _leave(self, viewer: Viewer) -> None:
        live = self._joined.pop(viewer, None)
        if live is not None:
            self._live[live].discard(viewer)
            if not self._live[live]:
                del self._live[live]

    def _sees(self, viewer: Viewer) -> bool:
        feed = self._joined.get(viewer)
        return feed is not None and feed.video is not None

    def _key_frame_began(self, layer: int, number: int) -> None:
        if self.publisher is not None:
            self.publisher.key_frame_came(layer)
        for viewer, awaited in list(self._waiting.items()):
            if awaited is None or awaited == layer:
                self._turn(viewer, layer, number)

    def _flush(self) -> None:
        if self._flush_handle is not None:
            self._flush_handle.cancel()
            self._flush_handle = None
        pending, self._pending = self._pending, []
        if not pending:
            return
        # Sound after picture: fewer changes of size make longer runs.
        pending.sort(key=_is_audio)
        now = self._clock()
        for feed, viewers in self._live.items():
            packets = written(feed, pending, now)
            if not packets:
                continue
            gathered = batch(packets)
            self.packets_out += len(packets) * len(viewers)
            for viewer in viewers:
                if viewer.link is not None:
                    viewer.packets += len(packets)
                    viewer.link.send(gathered)

    def _report(self, now: float) -> None:
        """Tell the viewers the publisher's clocks, by the timestamps each of them gets."""
        for feed, viewers in self._live.items():
            reports = []
            picture, sound = self._lane_of("video", feed.layer), self._lane_of("audio", 0)
            for lane, offset in ((picture, feed.rewriting.timestamp), (sound, 0)):
                clocks = lane.clocks_now(now) if lane is not None else None
                if lane is None or clocks is None:
                    continue
                sent, at = clocks[0], clocks[1] + offset
                counts, cname = (lane.packets, lane.octets), f"kkot-{self.show}"
                reports.append(rtcp.sender_report(lane.ssrc, sent, at, *counts, cname))
                if lane is picture:
                    for viewer in viewers:
                        viewer.sent_sr = (sent >> 16 & 0xFFFFFFFF, now)
            for viewer in viewers if reports else ():
                if viewer.link is not None:
                    viewer.link.send_rtcp(b"".join(reports))

    def _wants_key_frame(self, viewer: Viewer) -> None:
        if self.publisher is not None:
            self.publisher.request_key_frame(viewer.layer or 0)

    def _lane_of(self, kind: Kind, layer: int) -> Lane | None:
        lanes = self._lanes.get(kind, NO_LANES)
        return lanes[layer] if layer < len(lanes) else None

    def _layers(self, now: float) -> list[Layer]:
        lanes = self._lanes.get("video", NO_LANES)
        return [Layer(n, lane.bitrate) for n, lane in enumerate(lanes) if lane.flows(now)]

    def _lane(self, codec: Codec, beside: Lane | None = None) -> Lane:
        """A lane with sources of its own, or with those of its sibling layer."""
        ssrc, rtx_ssrc = (secrets.randbelow(0xFFFFFFF0) + 2 for _ in range(2))
        if beside is not None:
            ssrc, rtx_ssrc = beside.ssrc, beside.rtx_ssrc
        return Lane(codec, ssrc, rtx_ssrc, 0x10000 + secrets.randbelow(0x8000), self._epoch)

    def _forget(self, viewer: Viewer) -> None:
        self.viewers.discard(viewer)
        self._catching_up.discard(viewer)
        self._waiting.pop(viewer, None)
        self._leave(viewer)

    def _send_away(self) -> None:
        for viewer in list(self.viewers):
            viewer.dismiss()

    def _tell_stage(self, now: float) -> None:
        on_air = self.publisher is not None and self.publisher.on_air(now)
        if on_air != self._on_air:
            self._on_air = on_air
            self._on_stage(self.show, on_air)


def _decoder(codec: Codec) -> tuple[str, str]:
    """What must be the same for a viewer's decoder to go on: the codec and its profile; H.264's
    level may differ (RFC 6184 §8.1)."""
    given = codec.parameters
    profile = given.get("profile-level-id", "").lower()[:4]
    return codec.name.upper(), profile or given.get("profile-id", given.get("profile", ""))


def _rid(track: Track, layer: int) -> str:
    return track.layers[layer] if layer < len(track.layers) else ""


def _is_audio(packet: tuple[Kind, int, int, bytes]) -> bool:
    return packet[0] == "audio"


def _gathering(viewers: int) -> float:
    """Seconds packets may wait for more, by how many watch."""
    span = GATHER_MOST_VIEWERS - GATHER_FROM_VIEWERS
    share = min(max((viewers - GATHER_FROM_VIEWERS) / span, 0.0), 1.0)
    return GATHER_MOST_S * share
