"""One show's media on this node: a publisher who may come and go, and viewers who stay.

Every viewer gets the same numbers, so a packet is written once for all who call its codec by the
same payload type; only its encryption is the viewer's own. Packets wait for each other for at
most `GATHER_MOST_S`, the longer the more viewers there are, and leave at once at a frame's end.
"""

import asyncio
import math
import secrets
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from live.relay.core import rtcp, rtp
from live.relay.core.lane import Lane
from live.relay.core.runs import batch
from live.relay.publisher import Publisher
from live.relay.viewer import BURST_FIRST, BURST_TICK, Viewer, numbered
from signaling.ports import Kind, Publication, Stream, StreamTrack, Subscription, Track

GATHER_FROM_VIEWERS: Final = 20
GATHER_MOST_VIEWERS: Final = 400
GATHER_MOST_S: Final = 0.005
AWAY_LIMIT_S: Final = 60.0
"""So long viewers may wait for a publisher to come back."""
REPORT_EVERY_S: Final = 1.0


class Broadcast:
    """The relay of one show."""

    def __init__(self, show: str, on_stage: Callable[[str, bool], None], now: float) -> None:
        self.show = show
        self.publisher: Publisher | None = None
        self.viewers: set[Viewer] = set()
        self.packets_in = 0
        self.packets_out = 0
        self._on_stage = on_stage
        self._on_air = False
        self._lanes: dict[Kind, Lane] = {}
        self._left_at = now
        self._pending: list[tuple[Kind, bytes]] = []
        self._live: dict[Subscription, set[Viewer]] = {}
        self._joined: dict[Viewer, Subscription] = {}
        self._catching_up: set[Viewer] = set()
        self._waiting: set[Viewer] = set()
        self._flush_handle: asyncio.TimerHandle | None = None
        self._report_at = 0.0

    # What signaling asks.

    def publish(self, publication: Publication, now: float) -> Publisher:
        """A publisher's session begins; it takes over once it is connected."""
        self._left_at = now
        return Publisher(publication, self)

    def stream(self, now: float) -> Stream | None:
        """What viewers get; None when nobody publishes, or has not for too long."""
        if not self._lanes or self.is_over(now):
            return None
        tracks = tuple(
            StreamTrack(kind, lane.codec, lane.ssrc, lane.rtx_ssrc if kind == "video" else None)
            for kind, lane in self._lanes.items()
        )
        return Stream(f"kkot-{self.show}", tracks)

    def subscribe(self, subscription: Subscription) -> Viewer:
        """A viewer's session begins."""
        return Viewer(
            subscription,
            self._lanes.get("video"),
            self._lanes.get("audio"),
            self._arrived,
            self._request_key_frame,
            self._forget,
        )

    # What a publisher does.

    def live(self, publisher: Publisher) -> None:
        """The newest publisher wins; viewers stay when it sends the same codecs."""
        self._flush()
        before, self.publisher = self.publisher, publisher
        if before is not None:
            before.dismiss()
        tracks = publisher.publication.tracks
        if {t.kind: t.codec.name for t in tracks} == {
            kind: lane.codec.name for kind, lane in self._lanes.items()
        }:
            for lane in self._lanes.values():
                lane.restart()
        else:
            self._send_away()
            self._lanes = {track.kind: _lane(track) for track in tracks}
        publisher.request_key_frame()

    def packet(
        self, kind: Kind, packet: bytes, head: rtp.Header, number: int, start: int, now: float
    ) -> None:
        """A packet of the publisher's media."""
        lane = self._lanes.get(kind)
        forwarded = lane and lane.forward(packet, head, number, start, now)
        if not forwarded:
            return
        self.packets_in += 1
        self._pending.append((kind, forwarded[1]))
        if forwarded[2]:
            self._key_frame_began(forwarded[0])
        if head.marker and kind == "video":
            self._flush()

    def renumbered(self, kind: Kind) -> None:
        """The publisher counts anew; viewers notice nothing."""
        if (lane := self._lanes.get(kind)) is not None:
            self._flush()
            lane.restart()

    def clocks(self, kind: Kind, ntp: int, timestamp: int, now: float) -> None:
        """The publisher's clocks."""
        if (lane := self._lanes.get(kind)) is not None:
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
        if publisher is self.publisher:
            self.publisher = None
            self._left_at = now
            self._tell_stage(now)

    # What happens in between.

    def tick(self, now: float) -> None:
        """Feed those who catch up, feed the publisher back, tell the viewers the clocks."""
        for viewer in list(self._catching_up):
            self._feed(viewer, BURST_TICK)
        if self.publisher is not None:
            if self._waiting:
                self.publisher.request_key_frame()
            self.publisher.tick(now)
        self._tell_stage(now)
        if now >= self._report_at:
            self._report_at = now + REPORT_EVERY_S
            self._report(now)

    def is_over(self, now: float) -> bool:
        """Whether nobody has published for too long."""
        return self.publisher is None and now - self._left_at > AWAY_LIMIT_S

    def end(self) -> None:
        """Close every session."""
        if self.publisher is not None:
            self.publisher.dismiss()
        self._send_away()
        self._lanes.clear()
        self._left_at = -math.inf

    def _arrived(self, viewer: Viewer, now: float) -> None:
        video = self._lanes.get("video")
        if self.is_over(now) or not viewer.watches(video, self._lanes.get("audio")):
            viewer.dismiss()
            return
        self.viewers.add(viewer)
        if video is None or viewer.subscription.video is None:
            self._join(viewer, viewer.subscription)
            return
        self._join(viewer, replace(viewer.subscription, video=None, rtx=None))
        viewer.cursor = video.fast_start(now)
        if viewer.cursor is None:
            self._waiting.add(viewer)
            self._request_key_frame()
        else:
            self._catching_up.add(viewer)
            self._feed(viewer, BURST_FIRST)

    def _feed(self, viewer: Viewer, most: int) -> None:
        if viewer.catch_up(most):
            # What is pending is in the history this viewer has just got: it must not come twice.
            self._flush()
            self._catching_up.discard(viewer)
            viewer.cursor = None
            self._join(viewer, viewer.subscription)

    def _join(self, viewer: Viewer, live: Subscription) -> None:
        """Let a viewer have `live` as it comes: the sound at once, the picture once caught up."""
        self._leave(viewer)
        if viewer.link is not None:
            self._joined[viewer] = live
            self._live.setdefault(live, set()).add(viewer)

    def _leave(self, viewer: Viewer) -> None:
        live = self._joined.pop(viewer, None)
        if live is not None:
            self._live[live].discard(viewer)
            if not self._live[live]:
                del self._live[live]

    def _key_frame_began(self, number: int) -> None:
        if self.publisher is not None:
            self.publisher.key_frame_came()
        for viewer in self._waiting:
            viewer.cursor = number
            self._catching_up.add(viewer)
        self._waiting.clear()

    def _flush(self) -> None:
        if self._flush_handle is not None:
            self._flush_handle.cancel()
            self._flush_handle = None
        pending, self._pending = self._pending, []
        if not pending:
            return
        # Sound after picture: fewer changes of size make longer runs.
        pending.sort(key=_is_audio)
        for subscription, viewers in self._live.items():
            types = {"video": subscription.video, "audio": subscription.audio}
            packets = [
                numbered(packet, payload_type)
                for kind, packet in pending
                if (payload_type := types[kind]) is not None
            ]
            if not packets:
                continue
            gathered = batch(packets)
            self.packets_out += len(packets) * len(viewers)
            for viewer in viewers:
                if viewer.link is not None:
                    viewer.link.send(gathered)

    def _report(self, now: float) -> None:
        reports = []
        for lane in self._lanes.values():
            clocks = lane.clocks_now(now)
            if clocks is not None:
                cname = f"kkot-{self.show}"
                reports.append(
                    rtcp.sender_report(lane.ssrc, *clocks, lane.packets, lane.octets, cname)
                )
        if reports:
            compound = b"".join(reports)
            for viewer in self.viewers:
                if viewer.link is not None:
                    viewer.link.send_rtcp(compound)

    def _request_key_frame(self) -> None:
        if self.publisher is not None:
            self.publisher.request_key_frame()

    def _forget(self, viewer: Viewer) -> None:
        self.viewers.discard(viewer)
        self._catching_up.discard(viewer)
        self._waiting.discard(viewer)
        self._leave(viewer)

    def _send_away(self) -> None:
        for viewer in list(self.viewers):
            viewer.dismiss()

    def _tell_stage(self, now: float) -> None:
        on_air = self.publisher is not None and self.publisher.on_air(now)
        if on_air != self._on_air:
            self._on_air = on_air
            self._on_stage(self.show, on_air)


def _lane(track: Track) -> Lane:
    ssrc, rtx_ssrc = (secrets.randbelow(0xFFFFFFF0) + 2 for _ in range(2))
    return Lane(track.codec, ssrc, rtx_ssrc, 0x10000 + secrets.randbelow(0x8000))


def _is_audio(packet: tuple[Kind, bytes]) -> bool:
    return packet[0] == "audio"


def _gathering(viewers: int) -> float:
    """Seconds packets may wait for more, by how many watch."""
    span = GATHER_MOST_VIEWERS - GATHER_FROM_VIEWERS
    share = min(max((viewers - GATHER_FROM_VIEWERS) / span, 0.0), 1.0)
    return GATHER_MOST_S * share
