"""A show's viewers: each is started at a key frame, caught up, and kept at the layer that fits it.

A viewer's picture begins, changes layers and goes on after a pause at key frames only. Until the
one it waits for comes it hears the sound, and sees the layer it had.
"""

from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Final

from live.relay.core import rtcp
from live.relay.core.feed import Feed
from live.relay.core.lane import Lane
from live.relay.core.layers import Sight
from live.relay.fanout import Fanout
from live.relay.lanes import Lanes
from live.relay.viewer import Viewer

DECIDE_EVERY_S: Final = 0.2
START_BPS: Final = 1_000_000
"""What a viewer is thought to take before it has told."""
SWITCH_AGE_S: Final = 0.3
"""A cached key frame older than this is not worth a switch: its past would have to be sent."""

RENEW_AGE_S: Final = 3.0
"""A cached key frame older than this starts a viewer, who has so much to catch up; but another is
wished for, so that a crowd has less. Publishers who send one each two seconds are never asked."""


class Audience:
    """The viewers of one show. `request_key_frame(layer, patient)` asks whoever publishes."""

    def __init__(
        self,
        show: str,
        lanes: Lanes,
        fanout: Fanout,
        request_key_frame: Callable[[int, bool], None],
        clock: Callable[[], float],
    ) -> None:
        self.viewers: set[Viewer] = set()
        self._cname = f"kkot-{show}"
        self._lanes = lanes
        self._fanout = fanout
        self._request_key_frame = request_key_frame
        self._clock = clock
        self._catching_up: set[Viewer] = set()
        self._waiting: dict[Viewer, int | None] = {}
        """The layer whose next key frame they wait for; None for any."""
        self._decide_at = 0.0

    def arrived(self, viewer: Viewer, now: float) -> None:
        """A viewer is connected: it gets the sound, and the picture from the last key frame on."""
        self.viewers.add(viewer)
        self._join(viewer, picture=False)
        if not self._lanes.video or viewer.subscription.video is None or viewer.paused:
            return
        sight = Sight(START_BPS, 0.0, viewer.max_height)
        layer = viewer.choice.decide(self._lanes.flowing(now), None, sight, now).layer
        lane = self._lanes.video[layer or 0]
        start = lane.fast_start(now)
        if start is None:
            self._wait_for(viewer, layer)
            return
        is_old = lane.key_at is not None and now - lane.key_at > RENEW_AGE_S
        if is_old and len(self._lanes.video) == 1:  # of several, climbers have theirs renewed
            self._request_key_frame(layer or 0, True)
        self._turn(viewer, layer or 0, start)

    def left(self, viewer: Viewer) -> None:
        """A viewer's session ended."""
        self.viewers.discard(viewer)
        self._catching_up.discard(viewer)
        self._waiting.pop(viewer, None)
        self._fanout.leave(viewer)

    def send_away(self) -> None:
        """Close every session."""
        for viewer in list(self.viewers):
            viewer.dismiss()

    def wish(self, viewer: Viewer, *, paused: bool, max_height: int | None) -> None:
        """A paused viewer gets no picture; it goes on at a key frame."""
        viewer.max_height = max_height
        if paused == viewer.paused:
            return
        viewer.paused = paused
        if paused:
            self._waiting.pop(viewer, None)
            self._catching_up.discard(viewer)
            viewer.pause(self._clock())
            self._join(viewer, picture=False)
        elif viewer.link is not None and viewer.subscription.video is not None:
            self._resume(viewer, self._clock())

    def key_frame_began(self, layer: int, number: int) -> None:
        """Whoever waited for it begins here."""
        for viewer, awaited in list(self._waiting.items()):
            if awaited is None or awaited == layer:
                self._turn(viewer, layer, number)

    def tick(self, now: float) -> None:
        """Send the past to those who catch up, ask for what is waited for, choose layers."""
        for viewer in list(self._catching_up):
            self._catch_up(viewer)
        for layer, patient in {self._wish(*waiting) for waiting in self._waiting.items()}:
            self._request_key_frame(layer, patient)
        if now >= self._decide_at:
            self._decide_at = now + DECIDE_EVERY_S
            self._lanes.measure(now)
            if len(self._lanes.video) > 1:
                self._decide(now)

    def report(self, now: float) -> None:
        """Tell the viewers the publisher's clocks, by the timestamps each of them gets."""
        for feed, viewers in self._fanout.feeds.items():
            picture = None if feed.video is None else self._lanes.find("video", feed.layer)
            self._tell_clocks(viewers, picture, feed.rewriting.timestamp, now)

    def _decide(self, now: float) -> None:
        """Let each viewer have the layer that fits it."""
        layers = self._lanes.flowing(now)
        for viewer in list(self.viewers):
            if viewer.paused or viewer.subscription.video is None:
                continue
            bound_for = self._waiting.get(viewer, viewer.layer)
            choice = viewer.choice.decide(layers, bound_for, viewer.sight(), now)
            viewer.probe_bps = choice.probe_bps
            if viewer.probe_bps:
                self._probe(viewer, now)
            if choice.layer is None or viewer in self._catching_up:
                continue
            if choice.layer == viewer.layer and self._sees(viewer):
                self._waiting.pop(viewer, None)
            elif self._waiting.get(viewer, -1) != choice.layer:
                self._switch(viewer, choice.layer, now)

    def _probe(self, viewer: Viewer, now: float) -> None:
        """Send as much as the next layer needs; clocks beside it, that reports may tell of any
        queue (RFC 3550 §6.4.1)."""
        viewer.probe(int(viewer.probe_bps * DECIDE_EVERY_S / 8), now)
        if viewer.segments:
            segment = viewer.segments[-1]
            self._tell_clocks((viewer,), segment.lane, segment.rewriting.timestamp, now)

    def _switch(self, viewer: Viewer, layer: int, now: float) -> None:
        """Go over at a key frame of this moment, or wait for the next; the old layer goes on."""
        lane = self._lanes.video[layer]
        start = lane.fast_start(now)
        if start is not None and lane.key_at is not None and now - lane.key_at < SWITCH_AGE_S:
            self._turn(viewer, layer, start)
        else:
            self._wait_for(viewer, layer)

    def _resume(self, viewer: Viewer, now: float) -> None:
        """Go on at a key frame that came during the pause; at the next one when there was none."""
        layer = viewer.layer or 0
        lane = self._lanes.find("video", layer)
        start = lane.fast_start(now) if lane is not None else None
        is_newer = lane is not None and (lane.key_at or 0.0) > viewer.paused_at
        if start is not None and (is_newer or not viewer.segments):
            self._turn(viewer, layer, start)
        else:
            self._wait_for(viewer, viewer.layer)

    def _wait_for(self, viewer: Viewer, layer: int | None) -> None:
        self._waiting[viewer] = layer
        self._request_key_frame(*self._wish(viewer, layer))

    def _wish(self, viewer: Viewer, layer: int | None) -> tuple[int, bool]:
        """The layer whose key frame it waits for; whether it has a smaller picture meanwhile."""
        video, here = self._lanes.video, viewer.layer
        if layer is None or here is None or not self._sees(viewer):
            return layer or 0, False
        climbs = here < len(video) and video[layer].bitrate > video[here].bitrate
        return layer, climbs and video[here].flows(self._clock())

    def _turn(self, viewer: Viewer, layer: int, number: int) -> None:
        """From here on the viewer's picture is this layer's, beginning with its key frame."""
        self._fanout.flush()
        self._waiting.pop(viewer, None)
        self._join(viewer, picture=False)
        now = self._clock()
        viewer.turn_to(layer, number, now)
        segment = viewer.segments[-1]
        self._tell_clocks((viewer,), segment.lane, segment.rewriting.timestamp, now)
        self._catching_up.add(viewer)
        self._catch_up(viewer)

    def _tell_clocks(
        self, viewers: Collection[Viewer], picture: Lane | None, offset: int, now: float
    ) -> None:
        """Sender reports: what keeps lips and voice together (RFC 3550 §6.4.1)."""
        reports = []
        for lane, moved in ((picture, offset), (self._lanes.find("audio", 0), 0)):
            clocks = lane.clocks_now(now) if lane is not None else None
            if lane is None or clocks is None:
                continue
            ntp, timestamp = clocks
            counts = lane.packets, lane.octets
            reports.append(
                rtcp.sender_report(lane.ssrc, ntp, timestamp + moved, *counts, self._cname)
            )
            if lane is picture:
                for viewer in viewers:
                    viewer.path.told_clock(ntp, now)
        for viewer in viewers if reports else ():
            if viewer.link is not None:
                viewer.link.send_rtcp(b"".join(reports))

    def _catch_up(self, viewer: Viewer) -> None:
        if viewer.catch_up(self._clock()):
            # What waits is in the history this viewer has just got: it must not come twice.
            self._fanout.flush()
            self._catching_up.discard(viewer)
            viewer.cursor = None
            self._join(viewer, picture=True)

    def _join(self, viewer: Viewer, *, picture: bool) -> None:
        """Let a viewer have its sound as it comes, and the picture once it has caught up."""
        if viewer.link is None:
            self._fanout.leave(viewer)
            return
        wanted = viewer.subscription
        feed = Feed(None, wanted.audio, wanted.abs_send_time, red=wanted.red)
        if picture and viewer.segments:
            last = viewer.segments[-1]
            feed = replace(feed, video=wanted.video, layer=last.layer, rewriting=last.rewriting)
        self._fanout.join(viewer, feed)

    def _sees(self, viewer: Viewer) -> bool:
        feed = self._fanout.feed_of(viewer)
        return feed is not None and feed.video is not None
