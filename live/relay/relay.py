"""All shows on this node, as signaling sees them, and the one task that keeps them going."""

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import Final
from weakref import WeakValueDictionary

from live.relay.broadcast import Broadcast
from live.relay.crowd import Sighting
from live.relay.statistics import ShowStatistics
from live.relay.tally import Tally, Totals
from live.relay.viewer import Viewer
from signaling.ports import Publication, Sink, Stream, Subscription

TICK_S: Final = 0.02
VIEWERS_TOLD: Final = 200
"""So many viewers are listed one by one, the worst off first; the rest is in the totals."""


class Relay:
    """Implements signaling's `Media`. `on_stage(show, on_air)` hears when media flows or stops,
    `on_replaced(show, session)` when a newer publisher took over from that session."""

    def __init__(
        self,
        *,
        on_stage: Callable[[str, bool], None],
        on_replaced: Callable[[str, str], None] = lambda _show, _session: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._on_stage = on_stage
        self._on_replaced = on_replaced
        self._past = {"packets_in": 0, "packets_out": 0}
        self._clock = clock
        self._shows: dict[str, Broadcast] = {}
        self._tally = Tally()
        self._subscribed: WeakValueDictionary[str, Viewer] = WeakValueDictionary()

    async def run(self) -> None:
        """Tick until cancelled."""
        while True:
            await asyncio.sleep(TICK_S)
            self.tick(self._clock())

    def tick(self, now: float) -> None:
        """Whatever is due in every show; shows without anybody are forgotten."""
        for show, broadcast in list(self._shows.items()):
            broadcast.tick(now)
            if broadcast.is_over(now) and not broadcast.viewers:
                self._past["packets_in"] += broadcast.packets_in
                self._past["packets_out"] += broadcast.packets_out
                del self._shows[show]

    def publish(self, show: str, session: str, publication: Publication) -> Sink:
        """A publisher is welcome; the newest of a show wins."""
        now = self._clock()
        broadcast = self._shows.get(show)
        if broadcast is None:
            broadcast = self._shows[show] = Broadcast(
                show, self._on_stage, self._on_replaced, self._clock
            )
        publisher = broadcast.publish(session, publication, now)
        self._tally.follow(publisher)
        return publisher

    def stream(self, show: str) -> Stream | None:
        """What a viewer of the show can get here; None while nobody publishes here."""
        broadcast = self._shows.get(show)
        return None if broadcast is None else broadcast.stream(self._clock())

    def subscribe(self, show: str, session: str, subscription: Subscription) -> Sink:
        """A viewer of `stream(show)` is welcome."""
        viewer = self._shows[show].subscribe(session, subscription)
        self._subscribed[session] = viewer
        self._tally.follow(viewer)
        return viewer

    def on_air(self, show: str) -> bool:
        """Whether a publisher of the show sends to this node."""
        broadcast = self._shows.get(show)
        publisher = broadcast.publisher if broadcast is not None else None
        return publisher is not None and publisher.on_air(self._clock())

    def end(self, show: str) -> None:
        """The show is over: close its sessions here."""
        if (broadcast := self._shows.get(show)) is not None:
            broadcast.end()

    def watches(self, show: str, session: str) -> bool:
        """Whether a viewer of the show is here by this session."""
        return self._viewer(show, session) is not None

    def wish(self, show: str, session: str, *, paused: bool, max_height: int | None) -> bool:
        """What a viewer's page wishes: no picture, or not more lines; False when it is not here."""
        viewer = self._viewer(show, session)
        if viewer is not None:
            self._shows[show].wish(viewer, paused=paused, max_height=max_height)
        return viewer is not None

    def report(self, show: str, session: str, *, freezes: int, frozen_s: float) -> bool:
        """The totals a viewer's page counted, which never fall; False when it is not here."""
        viewer = self._viewer(show, session)
        if viewer is not None:
            viewer.freezes = max(viewer.freezes, freezes)
            viewer.frozen_s = max(viewer.frozen_s, frozen_s)
        return viewer is not None

    def statistics(self, show: str, viewers: int = VIEWERS_TOLD) -> ShowStatistics | None:
        """One show's media on this node, with so many viewers at most; None when it has none."""
        broadcast = self._shows.get(show)
        return None if broadcast is None else broadcast.statistics(viewers)

    def _viewer(self, show: str, session: str) -> Viewer | None:
        broadcast, viewer = self._shows.get(show), self._subscribed.get(session)
        is_here = broadcast is not None and viewer in broadcast.viewers
        return viewer if is_here else None

    def shows(self) -> Iterator[ShowStatistics]:
        """The media of every show on this node, without single viewers."""
        for broadcast in list(self._shows.values()):
            yield broadcast.statistics(0)

    def sightings(self) -> Iterator[Sighting]:
        """What each viewer on this node sees."""
        for broadcast in self._shows.values():
            yield from broadcast.sightings()

    def totals(self) -> Totals:
        """What happened here so far, to sessions that have ended too."""
        return self._tally.totals()

    def stats(self) -> dict[str, int]:
        """Counts over all shows on this node; packets are totals, of shows now forgotten too."""
        shows = self._shows.values()
        return {
            "shows": len(shows),
            "publishers": sum(show.publisher is not None for show in shows),
            "viewers": sum(len(show.viewers) for show in shows),
            "packets_in": self._past["packets_in"] + sum(show.packets_in for show in shows),
            "packets_out": self._past["packets_out"] + sum(show.packets_out for show in shows),
        }
