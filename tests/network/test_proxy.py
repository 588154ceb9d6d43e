"""The proxy in virtual time, with real sockets on both sides: each client has a way of its own,
and orders change it while it carries."""

import contextlib
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from tests.network import proxy as proxies
from tests.network.proxy import Proxy
from tests.sim.clock import VirtualLoop

PACE_S = 0.01


class World:
    """Clients, the proxy, and a server that sends everything back."""

    def __init__(self) -> None:
        self.loop = VirtualLoop()
        self.server = _socket()
        self.sources: list[tuple[str, int]] = []
        self.proxy = Proxy(self.loop, self.server.getsockname(), seed=1)
        self.loop.add_reader(self.server, self._echo)

    def client(self) -> socket.socket:
        """One more."""
        client = _socket()
        client.connect(self.proxy.front.getsockname())
        return client

    def exchange(self, client: socket.socket, count: int, size: int = 100) -> int:
        """How many of so many datagrams, sent steadily, came back."""
        for number in range(count):
            self.loop.call_later(number * PACE_S, client.send, bytes(size))
        self.loop.run_for(count * PACE_S + 2)
        came = 0
        with contextlib.suppress(BlockingIOError):
            while client.recv(size):
                came += 1
        return came

    def _echo(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                datagram, source = self.server.recvfrom(2_048)
                self.sources.append(source)
                self.server.sendto(datagram, source)


def _socket() -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind(("127.0.0.1", 0))
    made.setblocking(False)
    return made


@pytest.fixture
def world() -> Iterator[World]:
    world = World()
    try:
        yield world
    finally:
        world.proxy.close()
        world.server.close()
        world.loop.close()


def order(world: World, **what: Any) -> dict[str, dict[str, int]]:
    return world.proxy.order(what)


def test_clean_way_brings_everything(world: World) -> None:
    with world.client() as client:
        assert world.exchange(client, 50) == 50
    assert order(world)["up"] == {"sent": 50, "lost": 0, "overflowed": 0, "octets": 5_000}


def test_each_client_has_a_socket_of_its_own_towards_the_server(world: World) -> None:
    with world.client() as one, world.client() as other:
        assert world.exchange(one, 3) == world.exchange(other, 3) == 3
    assert len(set(world.sources)) == 2


def test_orders_change_a_way_that_is_in_use(world: World) -> None:
    with world.client() as client:
        world.exchange(client, 10)
        order(world, down={"loss": 1.0})
        assert world.exchange(client, 10) == 0
        counts = order(world, down={"loss": 0.0})
        assert (counts["up"]["lost"], counts["down"]["lost"]) == (0, 10)
        assert world.exchange(client, 10) == 10


def test_outage_is_over_by_itself(world: World) -> None:
    with world.client() as client:
        world.exchange(client, 1)
        order(world, outage_s=0.495)
        assert world.exchange(client, 100) == 50


def test_narrow_way_drops_what_does_not_fit_its_queue(world: World) -> None:
    with world.client() as client:
        order(world, down={"bandwidth_bps": 160_000, "queue_s": 0.3})
        came = world.exchange(client, 300, 400)
    counts = order(world)["down"]
    assert came == pytest.approx(165, abs=3)
    assert counts["overflowed"] == counts["lost"] == 300 - came


def test_strangers_beyond_the_limit_are_not_served(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proxies, "CLIENTS_MOST", 1)
    with world.client() as one, world.client() as other:
        assert world.exchange(one, 3) == 3
        assert world.exchange(other, 3) == 0
