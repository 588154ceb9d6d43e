"""One show over simulated networks: publishers and viewers around the real relay.

Everything the relay sends is checked as it leaves: one SSRC a kind, no number fresh twice.
"""

import asyncio
import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from types import FunctionType, ModuleType
from typing import Final
from unittest.mock import patch

from live.relay.core.seq import Unwrapper
from live.relay.relay import TICK_S, Relay
from signaling.ports import Batch, Sink
from tests.sim.clock import VirtualLoop
from tests.sim.network import Path, Wire
from tests.sim.publisher import Habits, Publisher
from tests.sim.viewer import RTX_TYPE, SUBSCRIPTION, VIDEO_TYPE, Viewer

SHOW: Final = "spring-sale"
CLEAN: Final = Path()


@dataclass(eq=False)
class Ledger:
    """What left the relay for one viewer: SSRCs by payload type, fresh numbers in order."""

    sources: dict[int, int] = field(default_factory=dict)
    numbers: dict[int, list[int]] = field(default_factory=dict)
    _unwrappers: dict[int, Unwrapper] = field(default_factory=dict)
    _seen: dict[int, set[int]] = field(default_factory=dict)

    def note(self, packet: bytes) -> None:
        kind = packet[1] & 127
        ssrc = int.from_bytes(packet[8:12], "big")
        assert self.sources.setdefault(kind, ssrc) == ssrc, "a second source of one kind"
        if kind == RTX_TYPE:
            return
        number = self._unwrappers.setdefault(kind, Unwrapper(16)).unwrap(
            int.from_bytes(packet[2:4], "big")
        )
        seen = self._seen.setdefault(kind, set())
        assert number not in seen, "a fresh packet twice"
        seen.add(number)
        self.numbers.setdefault(kind, []).append(number)

    def holes(self, kind: int = VIDEO_TYPE) -> int:
        """Numbers between the first and the last that never left."""
        numbers = self.numbers[kind]
        return max(numbers) - min(numbers) + 1 - len(numbers)


class SimLink:
    """A peer at the far end of a wire."""

    def __init__(self, wire: Wire, closed: Callable[[], None]) -> None:
        self.ledger = Ledger()
        self.closed = False
        self._wire = wire
        self._on_close = closed

    def send(self, batch: Batch) -> None:
        assert not self.closed
        for packet in batch.packets:
            self.ledger.note(packet)
            self._wire.send(packet)

    def send_rtcp(self, packet: bytes) -> None:
        assert not self.closed
        self._wire.send(packet)

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            self._on_close()


@dataclass(eq=False)
class Seat:
    """A viewer, its session, and the wires from and to the relay."""

    viewer: Viewer
    link: SimLink
    down: Wire
    up: Wire


class SimShow:
    """A relay with one show, and time to pass."""

    def __init__(self, loop: VirtualLoop, seed: int) -> None:
        self.loop = loop
        self.seats: list[Seat] = []
        self.publisher: Publisher
        self.ways: tuple[Wire, Wire]
        self._chance = Random(seed)
        self._epoch = 0
        self._leave: Callable[[], None] = lambda: None
        self.relay = Relay(on_stage=lambda _show, _on: None, clock=loop.time)
        self._tick()

    def publish(self, habits: Habits, up: Path = CLEAN, down: Path = CLEAN) -> Publisher:
        """A publisher comes and is connected; it sends over `up` and hears over `down`, which
        are `ways` then."""
        self._epoch += 1
        wire, back = self.ways = self._wire(up), self._wire(down)
        publisher = Publisher(self.loop, habits, self._epoch, self._seeded(), wire.send)
        back.deliver = publisher.hear
        sink = self.relay.publish(SHOW, f"p{self._epoch}", publisher.publication())
        link = self._connect(sink, wire, back, publisher.stop)
        publisher.start()
        self.publisher, self._leave = publisher, link.close
        return publisher

    def unpublish(self) -> None:
        """The publisher leaves."""
        self._leave()

    def watch(
        self,
        down: Path = CLEAN,
        up: Path = CLEAN,
        refuses: Callable[[bytes], bool] = lambda _: False,
    ) -> Seat:
        """A viewer comes and is connected; `refuses` is what its way to the relay swallows."""
        wire, back = self._wire(down), self._wire(up, refuses)
        viewer = Viewer(self.loop, back.send)
        wire.deliver = viewer.hear
        sink = self.relay.subscribe(SHOW, f"v{len(self.seats)}", SUBSCRIPTION)
        seat = Seat(viewer, self._connect(sink, back, wire, viewer.leave), wire, back)
        self.seats.append(seat)
        return seat

    def run(self, seconds: float) -> None:
        """Let time pass; the laws of every viewer hold all along."""
        self.loop.run_for(seconds)
        for seat in self.seats:
            for kind, sources in seat.viewer.sources.items():
                assert len(sources) == 1, f"payload type {kind} from {len(sources)} sources"

    def size(self) -> int:
        """Objects the relay holds on to: what must not grow with time."""
        return size_of(self.relay)

    def _connect(
        self, sink: Sink, inward: Wire, outward: Wire, ended: Callable[[], None]
    ) -> SimLink:
        """Connect a session whose peer is at the ends of these wires."""

        def gone() -> None:
            ended()
            sink.closed(self.loop.time())

        def arrive(datagram: bytes) -> None:
            if link.closed:
                return
            now = self.loop.time()
            is_rtcp = 192 <= datagram[1] <= 223
            (sink.rtcp if is_rtcp else sink.rtp)(datagram, now)
            sink.drained(now)

        link = SimLink(outward, gone)
        inward.deliver = arrive
        sink.connected(link, self.loop.time())
        return link

    def _wire(self, path: Path, refuses: Callable[[bytes], bool] = lambda _: False) -> Wire:
        return Wire(self.loop, path, self._seeded(), refuses)

    def _seeded(self) -> Random:
        return Random(self._chance.randrange(1 << 62))

    def _tick(self) -> None:
        self.relay.tick(self.loop.time())
        self.loop.call_later(TICK_S, self._tick)


def size_of(relay: Relay) -> int:
    """How many objects a relay holds on to, those of the tests left out."""
    seen: set[int] = set()
    waiting: list[object] = [relay]
    while waiting:
        thing = waiting.pop()
        if id(thing) in seen or isinstance(thing, (type, FunctionType, ModuleType)):
            continue
        seen.add(id(thing))
        if not type(thing).__module__.startswith(("tests.", "asyncio", "random")):
            waiting += gc.get_referents(thing)
    return len(seen)


@contextmanager
def simulated(seed: int) -> Iterator[SimShow]:
    """A show whose every chance comes from `seed`, the relay's own included."""
    loop = VirtualLoop()
    before = asyncio.events._get_running_loop()
    asyncio.events._set_running_loop(None)
    try:
        with patch("secrets.randbelow", Random(seed).randrange):
            yield SimShow(loop, seed)
    finally:
        loop.close()
        asyncio.events._set_running_loop(before)
