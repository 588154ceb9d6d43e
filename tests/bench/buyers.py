"""Many buyers on raw sockets, each asking for the next thing when it was answered: one epoll.

What they send is made before it is needed, and of an answer no more is read than its status and
its length, so that the load costs a fraction of what the server's half does.
"""

import asyncio
import re
import select
import socket
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from tests.bench.audience import passed
from tests.bench.room import PING, masked, whole

PIECE_BYTES: Final = 65_536
EVENTS_PER_POLL: Final = 4096
HEAD_END: Final = b"\r\n\r\n"
LENGTH: Final = b"content-length: "
ANSWER: Final = re.compile(rb"\x91[\x80-\x8f]\xa4type(?:\xa4|\xa8)(held|not_held)")
"""How the frame begins that answers a hold: one map, its type first (msgpack)."""
OVER: Final = b""
"""What a buyer asks who asks for nothing any more."""


@dataclass(slots=True)
class Buyer:
    """One connection: `requests` what it asks for, one after another; `rest` half an answer."""

    socket: socket.socket
    requests: Iterator[bytes]
    asked_ns: int = 0
    rest: bytes = b""


@dataclass(slots=True)
class Buyers:
    """Those who ask over HTTP, or over websockets when they are in a room.

    `waits_ms`: how long each answer took; `statuses`: how many of each there were.
    """

    waits_ms: list[float] = field(default_factory=list)
    statuses: Counter[bytes] = field(default_factory=Counter)
    asking: int = 0
    in_room: bool = False
    done: asyncio.Event = field(default_factory=asyncio.Event)
    _buyers: dict[int, Buyer] = field(default_factory=dict)
    _epoll: select.epoll = field(default_factory=select.epoll)

    async def enter(self, url: str, requests: Sequence[Iterator[bytes]]) -> None:
        """Connect one buyer for each row of requests."""
        loop, port = asyncio.get_running_loop(), urlsplit(url).port
        for each in requests:
            connection = socket.socket()
            connection.setblocking(False)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await loop.sock_connect(connection, ("127.0.0.1", port or 80))
            self.add(connection, each)
        self.watch()

    def add(self, connection: socket.socket, requests: Iterator[bytes]) -> None:
        """One more, whose connection is open."""
        self._buyers[connection.fileno()] = Buyer(connection, requests)
        self._epoll.register(connection.fileno(), select.EPOLLIN)

    def watch(self) -> None:
        """Read in this loop from now on."""
        asyncio.get_running_loop().add_reader(self._epoll.fileno(), self.drain)

    def begin(self) -> None:
        """Let everybody ask for the first thing."""
        self.done.clear()
        self.asking = len(self._buyers)
        for buyer in self._buyers.values():
            self._ask(buyer)

    async def begin_within(self, seconds: float) -> None:
        """The same, one after another, spread evenly over the time."""
        self.done.clear()
        self.asking = len(self._buyers)
        buyers, began = [*self._buyers.values()], time.monotonic()
        for number, buyer in enumerate(buyers):
            if (early := began + seconds * number / len(buyers) - time.monotonic()) > 0:
                await passed(early)
            self._ask(buyer)

    def leave(self) -> None:
        """Close every connection."""
        asyncio.get_running_loop().remove_reader(self._epoll.fileno())
        self._epoll.close()
        for buyer in self._buyers.values():
            buyer.socket.close()
        self._buyers.clear()

    def drain(self) -> None:
        """Read what has come, once for each connection that has something."""
        for descriptor, _ in self._epoll.poll(0, EVENTS_PER_POLL):
            buyer = self._buyers[descriptor]
            piece = buyer.rest + buyer.socket.recv(PIECE_BYTES)
            if not piece:
                raise ConnectionResetError("the server let a buyer go")
            if self.in_room:
                status, buyer.rest = _told(buyer, piece)
            else:
                status = _status(piece)
                buyer.rest = b"" if status else piece
            if status is not None:
                self.waits_ms.append((time.monotonic_ns() - buyer.asked_ns) / 1e6)
                self.statuses[status] += 1
                self._ask(buyer)

    def _ask(self, buyer: Buyer) -> None:
        request = next(buyer.requests, OVER)
        if request is OVER:
            self.asking -= 1
            if not self.asking:
                self.done.set()
            return
        buyer.asked_ns = time.monotonic_ns()
        buyer.socket.send(request)


def _status(piece: bytes) -> bytes | None:
    """The status of a whole answer; None while it is not all there."""
    head = piece.find(HEAD_END)
    if head < 0:
        return None
    at = piece.index(LENGTH) + len(LENGTH)
    length = int(piece[at : piece.index(b"\r", at)])
    return piece[9:12] if len(piece) >= head + len(HEAD_END) + length else None


def _told(buyer: Buyer, piece: bytes) -> tuple[bytes | None, bytes]:
    """The kind of the answer among whole frames, and what is left; other events are passed over."""
    status = None
    while (cut := whole(piece)) is not None:
        head, end = cut
        if piece[0] == PING:
            buyer.socket.send(masked(0x8A, piece[head:end]))
        elif (answer := ANSWER.match(piece, head, end)) is not None:
            status = answer[1]
        piece = piece[end:]
    return status, piece


def post(path: str, token: str, key: str, body: bytes) -> bytes:
    """A request as bytes."""
    return b"".join(
        (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n".encode(),
            f"Authorization: Bearer {token}\r\n".encode(),
            f"Idempotency-Key: {key}\r\nContent-Type: application/json\r\n".encode(),
            f"Content-Length: {len(body)}\r\n\r\n".encode(),
            body,
        )
    )
