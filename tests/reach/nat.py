"""An address translator in user space: what a home router or a cloud does to UDP (RFC 4787).

Endpoint-independent: the host inside has one outside port for everybody, and everybody may write to
it. Inside, each peer from outside is seen as a port of the translator's own.
"""

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

Address = tuple[str, int]
Heard = Callable[[bytes, Address], None]

INSIDE: Final = "127.0.0.1"
OUTSIDE: Final = "127.0.0.7"


class Leg:
    """One socket of the translator; what a full one refuses is lost."""

    def __init__(self, host: str, heard: Heard) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((host, 0))
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self._heard = heard
        asyncio.get_running_loop().add_reader(self._socket, self._read)

    @property
    def name(self) -> Address:
        """Where it is bound."""
        host, port = self._socket.getsockname()
        return host, port

    def send(self, datagram: bytes, to: Address) -> None:
        """Pass a datagram on."""
        with suppress(OSError):
            self._socket.sendto(datagram, to)

    def close(self) -> None:
        """Stop."""
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()

    def _read(self) -> None:
        with suppress(OSError):
            while True:
                self._heard(*self._socket.recvfrom(2_048))


class Nat:
    """Translates for one host inside, known once it has written to `server`, which stands inside
    for the STUN server outside.

    `deaf`: the STUN server's answers are lost. `questions`: how often it was asked. `peers`: who
    wrote from outside.
    """

    def __init__(self, stun_server: Address) -> None:
        self.deaf = False
        self.questions = 0
        self.peers: dict[Address, Leg] = {}
        self._stun_server = stun_server
        self._host: Address | None = None
        self._in = Leg(INSIDE, self._from_inside)
        self._out = Leg(OUTSIDE, self._from_outside)

    @property
    def server(self) -> Address:
        """The STUN server as the host inside knows it."""
        return self._in.name

    @property
    def outside(self) -> Address:
        """The host's public address."""
        return self._out.name

    def move(self) -> None:
        """Take another public address, as a router does that was started again."""
        self._out.close()
        self._out = Leg(OUTSIDE, self._from_outside)

    def close(self) -> None:
        """Stop."""
        for leg in (self._in, self._out, *self.peers.values()):
            leg.close()

    def _from_inside(self, datagram: bytes, host: Address) -> None:
        self._host = host
        self.questions += 1
        self._out.send(datagram, self._stun_server)

    def _from_outside(self, datagram: bytes, peer: Address) -> None:
        if self._host is None:
            return
        if peer == self._stun_server:
            if not self.deaf:
                self._in.send(datagram, self._host)
            return
        if peer not in self.peers:
            self.peers[peer] = Leg(INSIDE, lambda reply, _: self._out.send(reply, peer))
        self.peers[peer].send(datagram, self._host)


@contextmanager
def nat(stun_server: Address) -> Iterator[Nat]:
    """A translator between a host and a STUN server, for the time of the block."""
    translator = Nat(stun_server)
    try:
        yield translator
    finally:
        translator.close()
