"""A bad network as a process of its own: `python -m tests.network.proxy PORT SEED`.

Datagrams sent to the port it names go on to 127.0.0.1:PORT, and the answers back, each client's
over a socket and a pair of wires of its own. Orders come as lines of JSON on standard input:
`{"up": {…}, "down": {…}}` gives a direction new qualities (the fields of `Path`), `{"outage_s":
0.5}` takes everything away for so long, both ways. Each order, an empty one too, is answered by a
line with what was carried and lost so far. It ends with its standard input.
"""

import asyncio
import contextlib
import json
import socket
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import Any, Final

from tests.sim.network import Path, Wire

CLIENTS_MOST: Final = 64
"""Datagrams of further sources are dropped."""
BUFFER_BYTES: Final = 1 << 20
DATAGRAM_BYTES: Final = 2_048
Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Way:
    """One client's: up to the server and down from it, by a socket of its own."""

    up: Wire
    down: Wire
    back: socket.socket


class Proxy:
    """The ways of all clients; their qualities are the same, their chances are not."""

    def __init__(self, loop: asyncio.AbstractEventLoop, upstream: Address, seed: int) -> None:
        self.front = _socket(("127.0.0.1", 0))
        self._loop = loop
        self._upstream = upstream
        self._seed = seed
        self._paths = {"up": Path(delay_s=0), "down": Path(delay_s=0)}
        self._ways: dict[Address, Way] = {}
        loop.add_reader(self.front, _drain, self.front, self._from_client)

    def order(self, order: Mapping[str, Any]) -> dict[str, dict[str, int]]:
        """Change what is told to change; the counts so far."""
        for name in self._paths.keys() & order.keys():
            self._paths[name] = Path(**order[name])
        if (outage_s := order.get("outage_s")) is not None:
            now = self._loop.time()
            for name, path in self._paths.items():
                self._paths[name] = replace(path, outages=((now, now + outage_s),))
        for way in self._ways.values():
            way.up.path, way.down.path = self._paths["up"], self._paths["down"]
        ways = list(self._ways.values())
        return {"up": _counts([w.up for w in ways]), "down": _counts([w.down for w in ways])}

    def close(self) -> None:
        """Carry nothing any more."""
        for each in (self.front, *(way.back for way in self._ways.values())):
            self._loop.remove_reader(each)
            each.close()

    def _from_client(self, datagram: bytes, source: Address) -> None:
        way = self._ways.get(source)
        if way is None and len(self._ways) < CLIENTS_MOST:
            way = self._ways[source] = self._way(source)
        if way is not None:
            way.up.send(datagram)

    def _way(self, client: Address) -> Way:
        back = _socket(("127.0.0.1", 0))
        back.connect(self._upstream)
        chances = [Random(f"{self._seed} {len(self._ways)} {name}") for name in self._paths]
        up, down = (
            Wire(self._loop, path, chance)
            for path, chance in zip(self._paths.values(), chances, strict=True)
        )
        up.deliver = lambda datagram: _send(back.send, datagram)
        down.deliver = lambda datagram: _send(self.front.sendto, datagram, client)
        self._loop.add_reader(back, _drain, back, lambda datagram, _: down.send(datagram))
        return Way(up, down, back)


def _counts(wires: list[Wire]) -> dict[str, int]:
    names = ("sent", "lost", "overflowed", "octets")
    return {name: sum(getattr(wire, name) for wire in wires) for name in names}


def _socket(address: Address) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.setblocking(False)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
    made.bind(address)
    return made


def _drain(source: socket.socket, take: Callable[[bytes, Address], None]) -> None:
    try:
        while True:
            take(*source.recvfrom(DATAGRAM_BYTES))
    except (BlockingIOError, ConnectionError):
        pass  # read empty, or nobody is there any more


def _send(send: Callable[..., object], *given: object) -> None:
    with contextlib.suppress(BlockingIOError, ConnectionError):  # what cannot be carried is lost
        send(*given)


async def main(port: int, seed: int) -> None:
    """Carry until standard input ends."""
    loop = asyncio.get_running_loop()
    proxy = Proxy(loop, ("127.0.0.1", port), seed)
    orders = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    print(proxy.front.getsockname()[1], flush=True)
    async for line in orders:
        print(json.dumps(proxy.order(json.loads(line))), flush=True)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
