"""Many light websocket viewers of one room, read by one epoll: what each was told is counted.

All viewers get the same bytes, so a piece read from a socket is looked up before it is taken apart:
each frame is decoded once, whoever gets it.
"""

import asyncio
import itertools
import random
import select
import socket
import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

import msgpack

from tests.bench.audience import passed

PER_ADDRESS: Final = 10_000
"""Connections from one 127.0.0.x: the kernel has about 28,000 ports for each."""
JOINING_AT_ONCE: Final = 64
FIRST_S: Final = 0.5
MOST_S: Final = 4.0
"""A client pauses anywhere between nothing and the doubling limit."""
PIECE_BYTES: Final = 65_536
PIECES_KNOWN: Final = 4096
SLOW_BUFFER_BYTES: Final = 4096
EVENTS_PER_POLL: Final = 8192
PING: Final = 0x89
CLOSE: Final = 0x88
DEFLATED: Final = 0x40
OFFER: Final = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
"""What a browser offers."""


@dataclass(slots=True)
class Frame:
    """A server's frame: who said what in it, its shop events, and how far it has come.

    `said` and `shop`: our own numbers of what was said and published; `offset`: the last one's.
    """

    raw: bytes
    events: list[dict[str, Any]]
    said: list[int]
    shop: list[int]
    offset: int | None
    welcome: int | None
    answers: int
    told: bool
    """Whether it is told to everybody."""
    recovered: bool
    seen: int = 0
    last_ns: int = 0


@dataclass(slots=True)
class Guest:
    """One connection: `rest` is the beginning of a frame, `offset` the last one it was told.

    `shop`: the last of our own numbers it was told, or began after.
    """

    socket: socket.socket
    offset: int = -1
    shop: int = 0
    rest: bytes = b""
    frames: int = 0
    said: int = 0
    lost: int = 0
    closed: int = 0
    welcomed_ns: int = 0
    recovered: bool = False


def masked(opcode: int, payload: bytes) -> bytes:
    """A client's frame (RFC 6455 section 5.2), its mask zero."""
    size = len(payload)
    head = bytes((opcode, 0x80 | size)) if size < 126 else bytes((opcode, 0xFE)) + size.to_bytes(2)
    return head + bytes(4) + payload


def command(**members: Any) -> bytes:
    """A command of the room's protocol as a whole frame."""
    packed: bytes = msgpack.packb(members)
    return masked(0x82, packed)


@dataclass(slots=True)
class Audience:
    """Those who joined; `drain` reads whatever has come."""

    guests: dict[int, Guest] = field(default_factory=dict)
    frames: dict[bytes, Frame] = field(default_factory=dict)
    _pieces: dict[bytes, list[Frame]] = field(default_factory=dict)
    _epoll: select.epoll = field(default_factory=select.epoll)

    def watch(self) -> None:
        """Read in this loop from now on."""
        asyncio.get_running_loop().add_reader(self._epoll.fileno(), self.drain)

    def leave(self) -> None:
        """Close every connection."""
        asyncio.get_running_loop().remove_reader(self._epoll.fileno())
        self._epoll.close()
        for guest in self.guests.values():
            guest.socket.close()
        self.guests.clear()

    def clear(self) -> None:
        """Count anew from here on."""
        self.frames.clear()
        self._pieces.clear()
        for guest in self.guests.values():
            guest.frames = guest.said = guest.lost = 0

    def add(self, connection: socket.socket, guest: Guest | None = None) -> Guest:
        """Read this one too, a new guest's or one's who is known."""
        guest = guest or Guest(connection)
        self.guests[connection.fileno()] = guest
        self._epoll.register(connection.fileno(), select.EPOLLIN)
        return guest

    def drain(self) -> None:
        """Read what has come, once for each connection that has something."""
        for descriptor, _ in self._epoll.poll(0, EVENTS_PER_POLL):
            guest = self.guests[descriptor]
            try:
                piece = guest.socket.recv(PIECE_BYTES)
            except BlockingIOError:
                continue
            except ConnectionError:
                piece = b""
            if not piece:
                self._epoll.unregister(descriptor)
                guest.closed = guest.closed or 1006
                self.lost(guest)
                continue
            self._note(guest, guest.rest + piece if guest.rest else piece)

    def _note(self, guest: Guest, piece: bytes) -> None:
        frames = self._pieces.get(piece)
        if frames is None:
            frames, rest = self._take_apart(piece, guest)
            guest.rest = rest
            if not rest and frames:
                if len(self._pieces) > PIECES_KNOWN:
                    self._pieces.clear()
                self._pieces[piece] = frames
        else:
            guest.rest = b""
        now = time.monotonic_ns()
        for frame in frames:
            frame.seen += 1
            frame.last_ns = now
            self.hear(guest, frame, now)

    def hear(self, guest: Guest, frame: Frame, now: int) -> None:
        """What a guest makes of a frame; `now`: ns of the steady clock."""
        guest.frames += 1
        guest.said += len(frame.said)
        if frame.welcome is not None:
            guest.offset, guest.recovered = frame.welcome, frame.recovered
            guest.welcomed_ns = now
        if frame.offset is not None:
            guest.offset = frame.offset
        for number in frame.shop:
            guest.lost += abs(number - guest.shop - 1)
            guest.shop = number

    def lost(self, guest: Guest) -> None:
        """A guest's connection is over."""

    def _take_apart(self, piece: bytes, guest: Guest) -> tuple[list[Frame], bytes]:
        frames: list[Frame] = []
        while (cut := whole(piece)) is not None:
            head, end = cut
            raw, piece = piece[:end], piece[end:]
            if raw[0] == PING:
                guest.socket.send(masked(0x8A, raw[head:]))
            elif raw[0] == CLOSE:
                guest.closed = int.from_bytes(raw[head : head + 2])
            else:
                frame = self.frames.get(raw)
                if frame is None:
                    frame = self.frames[raw] = _frame(raw, head)
                frames.append(frame)
        return frames, piece


def whole(piece: bytes) -> tuple[int, int] | None:
    """Where the payload of the first frame begins and ends; None when it is not all there."""
    if len(piece) < 2:
        return None
    head, size = 2, piece[1]
    if size == 126:
        head, size = 4, int.from_bytes(piece[2:4])
    elif size == 127:
        head, size = 10, int.from_bytes(piece[2:10])
    return (head, head + size) if len(piece) >= head + size else None


def _frame(raw: bytes, head: int) -> Frame:
    payload = raw[head:]
    if raw[0] & DEFLATED:
        inflating = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
        payload = inflating.decompress(payload + b"\0\0\xff\xff")
    events = msgpack.unpackb(payload)
    said = [int(event["text"].split(" ")[0]) for event in events if event["type"] == "said"]
    shop = [event["number"] for event in events if event["type"] == "bench"]
    offsets = [event["offset"] for event in events if event.get("offset")]
    welcomes = [event["offset"] for event in events if event["type"] == "welcome"]
    answers = sum(event["type"] in {"accepted", "refused"} for event in events)
    told = not welcomes and not answers
    recovered = any(event.get("recovered", False) for event in events)
    last, welcome = offsets[-1] if offsets else None, welcomes[0] if welcomes else None
    return Frame(raw, events, said, shop, last, welcome, answers, told, recovered)


async def join(
    url: str,
    show: str,
    tokens: Sequence[str | None],
    audience: Audience,
    *,
    deflate: bool = False,
) -> None:
    """Let one guest in for each token, some at a time, until all are welcomed."""
    turns = asyncio.Semaphore(JOINING_AT_ONCE)

    async def come(index: int, token: str | None) -> None:
        async with turns:
            audience.add(await enter(url, show, token, index, deflate=deflate))

    async with asyncio.TaskGroup() as coming:
        for index, token in enumerate(tokens):
            coming.create_task(come(index, token))


async def enter(
    url: str,
    show: str,
    token: str | None,
    index: int = 0,
    *,
    slow: bool = False,
    deflate: bool = False,
    since: dict[str, Any] | None = None,
) -> socket.socket:
    """A connection that has said hello, after as many tries as it takes, with full jitter.

    A slow one has small buffers. `deflate`: it takes deflated frames. `since`: what it knows.
    """
    for failures in itertools.count():
        try:
            connection = await shake_hands(url, show, index, slow=slow, deflate=deflate)
        except ConnectionError:
            await passed(random.uniform(0, min(MOST_S, FIRST_S * 2**failures)))
        else:
            hello = command(type="hello", token=token, since=since)
            await asyncio.get_running_loop().sock_sendall(connection, hello)
            return connection
    raise AssertionError("unreachable")


async def shake_hands(
    url: str, show: str, index: int, *, slow: bool = False, deflate: bool = False
) -> socket.socket:
    """A connection that has not said anything. Raises `ConnectionError` where it is not let in."""
    connection = socket.socket()
    try:
        if slow:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SLOW_BUFFER_BYTES)
        connection.setblocking(False)
        connection.bind((f"127.0.0.{2 + index // PER_ADDRESS}", 0))
        await _upgrade(connection, url, show, OFFER if deflate else "")
    except BaseException:
        connection.close()
        raise
    return connection


async def _upgrade(connection: socket.socket, url: str, show: str, offer: str) -> None:
    loop, parts = asyncio.get_running_loop(), urlsplit(url)
    await loop.sock_connect(connection, ("127.0.0.1", parts.port or 80))
    head = (
        f"GET /shows/{show}/events HTTP/1.1\r\nHost: {parts.netloc}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: a2tvdGtrb3Rra290a2tvdA==\r\n"
        f"Sec-WebSocket-Protocol: kkot.v1+msgpack\r\n{offer}\r\n"
    )
    await loop.sock_sendall(connection, head.encode())
    answer = b""
    while b"\r\n\r\n" not in answer and (more := await loop.sock_recv(connection, PIECE_BYTES)):
        answer += more
    if not answer.startswith(b"HTTP/1.1 101"):
        raise ConnectionRefusedError(f"no handshake: {answer[:80]!r}")


def left_unread(connection: socket.socket) -> tuple[int, bool]:
    """What still comes to one who did not read: its bytes, and whether the server closes it."""
    count = 0
    connection.setblocking(True)
    connection.settimeout(1.0)
    try:
        while piece := connection.recv(PIECE_BYTES):
            count += len(piece)
    except TimeoutError:
        return count, False
    except ConnectionError:
        pass
    return count, True
