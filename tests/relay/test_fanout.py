"""Packets wait for each other as long as sending takes, and come out in order, in virtual time."""

import asyncio
from collections.abc import Iterator

import pytest

from live.relay.core.feed import Feed
from live.relay.core.lane import Lane
from live.relay.core.rtp import header
from live.relay.fanout import GATHER_LEAST_S, GATHER_MOST_S, Fanout
from live.relay.viewer import Viewer
from tests.relay.media import DELTA, H264, SUBSCRIPTION, FakeLink, sequence_of
from tests.sim.clock import VirtualLoop

VIDEO_ONLY = Feed(102, None, None)


class Crowd:
    """Viewers of one feed; sending to each takes `cost_s`."""

    def __init__(self, loop: VirtualLoop, viewers: int, cost_s: float) -> None:
        self.loop = loop
        self.spent = 0.0
        self.fanout = Fanout(lambda: loop.time() + self.spent)
        self.links = [FakeLink(on_send=lambda: self.spend(cost_s)) for _ in range(viewers)]
        lanes = [Lane(H264, 1, 2, 0x10000)]
        for link in self.links:
            viewer = Viewer("v", SUBSCRIPTION, lanes, [], _ignore, _ignore, _ignore)
            viewer.link = link
            self.fanout.join(viewer, VIDEO_ONLY)

    def spend(self, seconds: float) -> None:
        self.spent += seconds

    def packet(self, number: int) -> None:
        """A packet comes, and the socket is empty then."""
        self.fanout.add(("video", 0, number, header(False, 0, number, 0, 1) + DELTA))
        self.fanout.flush_soon()

    def got(self) -> set[tuple[int, ...]]:
        """The numbers each viewer got; one member when all got the same."""
        return {tuple(sequence_of(packet) for packet in link.packets) for link in self.links}


def _ignore(*_: object) -> None:
    pass


@pytest.fixture
def loop() -> Iterator[VirtualLoop]:
    loop = VirtualLoop()
    before = asyncio.events._get_running_loop()
    asyncio.events._set_running_loop(None)
    yield loop
    loop.close()
    asyncio.events._set_running_loop(before)


def later(loop: VirtualLoop, crowd: Crowd, number: int, delay_s: float) -> None:
    loop.call_later(delay_s, crowd.packet, number)


def test_a_round_that_is_quickly_done_makes_nobody_wait(loop: VirtualLoop) -> None:
    crowd = Crowd(loop, viewers=40, cost_s=0.8 * GATHER_LEAST_S / 40)
    for number in range(3):
        crowd.packet(number)
    assert crowd.got() == {(0, 1, 2)}


def test_a_crowds_packets_wait_as_long_as_the_last_round_took(loop: VirtualLoop) -> None:
    crowd = Crowd(loop, viewers=40, cost_s=0.00025)
    later(loop, crowd, 1, 0.1)
    later(loop, crowd, 2, 0.2)
    later(loop, crowd, 3, 0.208)
    loop.run_for(0.201)
    assert crowd.got() == {(1,)}
    loop.run_for(0.008)
    assert crowd.got() == {(1,)}
    loop.run_for(0.0015)
    assert crowd.got() == {(1, 2, 3)}


def test_nobody_waits_longer_than_the_bound(loop: VirtualLoop) -> None:
    crowd = Crowd(loop, viewers=40, cost_s=0.01)
    later(loop, crowd, 1, 0.1)
    later(loop, crowd, 2, 0.2)
    loop.run_for(0.2 + GATHER_MOST_S + 0.001)
    assert crowd.got() == {(1, 2)}


def test_what_cannot_wait_takes_along_what_does(loop: VirtualLoop) -> None:
    crowd = Crowd(loop, viewers=40, cost_s=0.00025)
    later(loop, crowd, 1, 0.1)
    later(loop, crowd, 2, 0.2)
    loop.call_later(0.2005, crowd.fanout.flush)
    loop.run_for(0.201)
    assert crowd.got() == {(1, 2)}
    loop.run_for(0.1)
    assert crowd.got() == {(1, 2)}
