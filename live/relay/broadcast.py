"""One show's media on this node: a publisher who may come and go, and viewers who stay.

The publisher that was posted last wins. Its packets are numbered on in the show's lanes and
fanned out; what viewers miss of it, and when their picture may begin, is asked of it.
"""

import math
from collections.abc import Callable, Iterator
from typing import Final

from live.relay.audience import Audience
from live.relay.core import rtp
from live.relay.crowd import Sighting, audience_statistics, sightings
from live.relay.fanout import Fanout
from live.relay.lanes import Lanes
from live.relay.publisher import Publisher
from live.relay.statistics import (
    ShowStatistics,
    publisher_statistics,
    viewer_statistics,
    worst_first,
)
from live.relay.viewer import Viewer
from signaling.ports import Kind, Publication, Stream, Subscription

AWAY_LIMIT_S: Final = 60.0
"""So long viewers may wait for a publisher to come back."""
REPORT_EVERY_S: Final = 1.0


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
        self.packets_in = 0
        self._on_stage = on_stage
        self._on_replaced = on_replaced
        self._clock = clock
        self._on_air = False
        self._left_at = clock()
        self._lanes = Lanes(self._left_at)
        self._fanout = Fanout(clock)
        self._audience = Audience(show, self._lanes, self._fanout, self._request_key_frame, clock)
        self._posted: list[Publisher] = []
        self._report_at = 0.0

    @property
    def viewers(self) -> set[Viewer]:
        """Who watches."""
        return self._audience.viewers

    @property
    def packets_out(self) -> int:
        """Packets fanned out so far."""
        return self._fanout.packets_out

    # What signaling asks.

    def publish(self, session: str, publication: Publication, now: float) -> Publisher:
        """A publisher's session begins; it takes over once it is connected."""
        self._left_at = now
        publisher = Publisher(publication, self, session)
        self._posted.append(publisher)
        return publisher

    def stream(self, now: float) -> Stream | None:
        """What viewers get; None when nobody publishes, or has not for too long."""
        tracks = self._lanes.tracks()
        return None if not tracks or self.is_over(now) else Stream(f"kkot-{self.show}", tracks)

    def subscribe(self, session: str, subscription: Subscription) -> Viewer:
        """A viewer's session begins."""
        return Viewer(
            session,
            subscription,
            self._lanes.video,
            self._lanes.audio,
            self._arrived,
            self._wants_key_frame,
            self._audience.left,
        )

    # What a publisher does.

    def live(self, publisher: Publisher) -> None:
        """The one that was posted last wins; viewers stay when it sends what they decode."""
        if publisher not in self._posted:
            publisher.dismiss()
            return
        self._fanout.flush()
        del self._posted[: self._posted.index(publisher)]
        before, self.publisher = self.publisher, publisher
        if before is not None and before is not publisher:
            before.dismiss()
            self._on_replaced(self.show, before.session)
        tracks = publisher.publication.tracks
        if not self._lanes.carry_on(tracks):
            self._audience.send_away()
            self._lanes.begin(tracks)
        for layer in range(len(self._lanes.video)):
            publisher.request_key_frame(layer, self._clock())

    def packet(
        self,
        kind: Kind,
        layer: int,
        packet: bytes,
        head: rtp.Header,
        number: int,
        start: int,
        now: float,
        form: int = 0,
    ) -> None:
        """A packet of the publisher's media."""
        lane = self._lanes.find(kind, layer)
        forwarded = lane and lane.forward(packet, head, number, start, now, form)
        if not forwarded:
            return
        self.packets_in += 1
        outgoing, whole, is_new_key = forwarded
        self._fanout.add((kind, layer, outgoing, whole))
        if is_new_key:
            if self.publisher is not None:
                self.publisher.key_frame_came(layer, now)
            self._audience.key_frame_began(layer, outgoing)
        if head.marker and kind == "video":
            self._fanout.flush()

    def renumbered(self, kind: Kind, layer: int) -> None:
        """The publisher counts anew; viewers notice nothing."""
        if (lane := self._lanes.find(kind, layer)) is not None:
            self._fanout.flush()
            lane.restart()

    def clocks(self, kind: Kind, layer: int, ntp: int, timestamp: int, now: float) -> None:
        """The publisher's clocks."""
        if (lane := self._lanes.find(kind, layer)) is not None:
            lane.clocks(ntp, timestamp, now)

    def drained(self, now: float) -> None:
        """Send what is gathered, now or a little later."""
        self._fanout.flush_soon()

    def gone(self, publisher: Publisher, now: float) -> None:
        """A publisher left; viewers wait for the next one."""
        if publisher in self._posted:
            self._posted.remove(publisher)
        if publisher is self.publisher:
            self.publisher = None
            self._left_at = now
            self._tell_stage(now)

    # What the house asks.

    def wish(self, viewer: Viewer, *, paused: bool, max_height: int | None) -> None:
        """What a viewer's page wishes: no picture, or not more lines."""
        self._audience.wish(viewer, paused=paused, max_height=max_height)

    def tick(self, now: float) -> None:
        """Whatever is due."""
        self._audience.tick(now)
        if self.publisher is not None:
            self.publisher.tick(now)
        self._tell_stage(now)
        if now >= self._report_at:
            self._report_at = now + REPORT_EVERY_S
            self._audience.report(now)

    def is_over(self, now: float) -> bool:
        """Whether nobody has published for too long."""
        return self.publisher is None and now - self._left_at > AWAY_LIMIT_S

    def end(self) -> None:
        """Close every session."""
        for publisher in self._posted:
            publisher.dismiss()
        self._posted.clear()
        self._audience.send_away()
        self._lanes.clear()
        self._left_at = -math.inf

    def statistics(self, viewers: int) -> ShowStatistics:
        """The show's media as it is now; so many viewers at most are told one by one."""
        publisher, lanes, feeds = self.publisher, self._lanes, self._fanout
        tracks = publisher.publication.tracks if publisher is not None else ()
        rids = next((track.layers for track in tracks if track.kind == "video"), ())
        return ShowStatistics(
            self.show,
            None if publisher is None else publisher_statistics(publisher, lanes),
            audience_statistics(self.viewers, feeds.feeds, lanes, rids),
            tuple(
                viewer_statistics(viewer, feeds.feed_of(viewer), lanes, tracks)
                for viewer in worst_first(self.viewers, viewers)
            ),
        )

    def sightings(self) -> Iterator[Sighting]:
        """What each viewer sees."""
        return sightings(self._fanout.feeds, self._lanes)

    # What happens in between.

    def _arrived(self, viewer: Viewer, now: float) -> None:
        """Welcome a viewer, unless the show has changed its codecs, or ended, since it asked."""
        if self.is_over(now) or not viewer.watches(self._lanes.video, self._lanes.audio):
            viewer.dismiss()
        else:
            self._audience.arrived(viewer, now)

    def _wants_key_frame(self, viewer: Viewer) -> None:
        self._request_key_frame(viewer.layer or 0, False)

    def _request_key_frame(self, layer: int, patient: bool) -> None:
        if self.publisher is not None:
            self.publisher.request_key_frame(layer, self._clock(), patient=patient)

    def _tell_stage(self, now: float) -> None:
        on_air = self.publisher is not None and self.publisher.on_air(now)
        if on_air != self._on_air:
            self._on_air = on_air
            self._on_stage(self.show, on_air)
