"""Packets on their way to the viewers: gathered for a moment, written once, sent by viewer.

All who get the same layer in the same way share a feed, and a packet is written once for each
feed; only its encryption is the viewer's own. Where a round of sending takes long, packets wait
for others about as long as the last one took, so that a node with much to do does it in fewer
system calls and one with little does it at once. The end of a frame never waits.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

from live.relay.core.feed import Feed, Pending, written
from live.relay.core.runs import batch
from live.relay.viewer import Viewer

GATHER_LEAST_S: Final = 0.006
"""A round that took less than this makes nobody wait. A browser's pacer sends every 5 ms: what
waits less than that finds no company, and only comes late."""
GATHER_MOST_S: Final = 0.020


class Fanout:
    """Who gets what is published; `feeds` are the viewers by what they get."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.packets_out = 0
        self._clock = clock
        self._pending: list[Pending] = []
        self._feeds: dict[Feed, set[Viewer]] = {}
        self._joined: dict[Viewer, Feed] = {}
        self._round_s = 0.0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def feeds(self) -> Mapping[Feed, set[Viewer]]:
        """The viewers of each feed; no feed is without one."""
        return self._feeds

    def feed_of(self, viewer: Viewer) -> Feed | None:
        """What a viewer gets; None when it has not joined."""
        return self._joined.get(viewer)

    def join(self, viewer: Viewer, feed: Feed) -> None:
        """From the next packet on a viewer gets this feed and no other."""
        self.leave(viewer)
        self._joined[viewer] = feed
        self._feeds.setdefault(feed, set()).add(viewer)

    def leave(self, viewer: Viewer) -> None:
        """A viewer gets nothing more."""
        feed = self._joined.pop(viewer, None)
        if feed is not None:
            self._feeds[feed].discard(viewer)
            if not self._feeds[feed]:
                del self._feeds[feed]

    def add(self, packet: Pending) -> None:
        """A packet waits to be sent."""
        self._pending.append(packet)

    def flush_soon(self) -> None:
        """Send what waits, now or a little later."""
        if self._round_s < GATHER_LEAST_S:
            self.flush()
        elif self._pending and self._timer is None:
            wait_s = min(self._round_s, GATHER_MOST_S)
            self._timer = asyncio.get_running_loop().call_later(wait_s, self.flush)

    def flush(self) -> None:
        """Send what waits."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        pending, self._pending = self._pending, []
        if not pending:
            return
        # Sound after picture: fewer changes of size make longer runs.
        pending.sort(key=_is_audio)
        began = self._clock()
        for feed, viewers in self._feeds.items():
            packets = written(feed, pending, began)
            if not packets:
                continue
            gathered, count = batch(packets), len(packets)
            self.packets_out += count * len(viewers)
            for viewer in viewers:
                if viewer.link is not None:
                    viewer.packets += count
                    viewer.link.send(gathered)
        self._round_s = self._clock() - began


def _is_audio(packet: Pending) -> bool:
    return packet[0] == "audio"
