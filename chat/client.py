"""A client of a room for programs: in the room until it leaves or is sent away for good.

It comes back after every loss, after a random pause, and says what it knows already: whoever reads
its events gets each numbered one once and in order, or a `welcome` with `recovered` false. What is
said is said one after another and each answered once, over however many connections that takes.
`chat/PROTOCOL.md` tells the protocol.
"""

import asyncio
import random
import secrets
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.typing import Subprotocol

from chat.core.commands import (
    HEARTS_AT_ONCE,
    MESSAGE_BYTES,
    Command,
    Heart,
    Hello,
    Say,
    Sync,
    Want,
    WantedLine,
)
from chat.core.events import Accepted, Held, NotHeld, Refused
from chat.core.frames import Format
from chat.core.returning import MOST_S, Place, comes_back, pause_s
from chat.errors import DismissedError, TooManyError, UnavailableError

EVENTS_WAITING: Final = 1024
"""With so many events unread no more are taken from the network; rooms close slow readers."""
SAYINGS_WAITING: Final = 64
"""So many sayings may wait for their answers; more are refused (`TooManyError`)."""
WELCOME_S: Final = 10.0
"""Who is not welcomed for so long connects anew."""
HEARTBEAT_S: Final = 20.0
"""How often the connection is tried by a ping, and how long the pong may take."""
FRAME_BYTES: Final = 16 * 1024 * 1024
"""A larger frame is none of a room."""
SAY_AGAIN_S: Final = 240.0
"""A saying older than this is not repeated: the room might have forgotten that it was said."""
TOO_FAST_S: Final = 1.0
"""A repeated saying that came too fast is repeated after this."""

Event = dict[str, Any]
Answer = Accepted | Refused | Held | NotHeld
_ANSWERS: Final = frozenset({"accepted", "refused", "held", "not_held"})


class _Shape(msgspec.Struct):
    type: str
    offset: int = 0


class _Welcome(msgspec.Struct):
    epoch: str
    offset: int


_SHAPES: Final = {
    "welcome": _Welcome,
    "accepted": Accepted,
    "refused": Refused,
    "held": Held,
    "not_held": NotHeld,
}


@dataclass(slots=True)
class _Saying:
    id: str
    message: str | bytes
    begun_s: float
    answer: asyncio.Future[Answer] = field(default_factory=asyncio.Future)
    told: bool = False
    """Whether it was sent; then the room may know it."""


class RoomClient:
    """A place in a room; made by `open_room`. Iterating gives its events, `welcome` included.

    Iterating raises `DismissedError` once the room has sent the client away for good.
    `token`: the access token of the next hello.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str | None,
        wire: Format,
        chance: Callable[[], float],
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[object]],
        options: Mapping[str, Any],
    ) -> None:
        self.token = token
        self._url = url
        self._wire = wire
        self._chance = chance
        self._clock = clock
        self._sleep = sleep
        self._options = options
        self._visitor = secrets.token_urlsafe(9)
        self._place = Place()
        self._failures = 0
        self._connection: ClientConnection | None = None
        self._events: asyncio.Queue[Event | None] = asyncio.Queue(EVENTS_WAITING)
        self._sayings: deque[_Saying] = deque()
        self._spoken = asyncio.Event()
        self._asked: tuple[str, asyncio.Future[Answer]] | None = None
        self._gone: DismissedError | None = None
        self._over = False

    def __aiter__(self) -> AsyncIterator[Event]:
        return self

    async def __anext__(self) -> Event:
        """The next event; waits for it, also while there is no connection."""
        over = self._over and self._events.empty()
        event = None if over else await self._events.get()
        if event is None:
            raise self._gone or StopAsyncIteration
        return event

    async def say(
        self, text: str, *, question: bool = False, product: str | None = None
    ) -> Accepted | Refused:
        """Say something and wait for what becomes of it.

        `question`: the seller is to answer it, about a `product` of the show or about the show.
        Raises `TooManyError`; `UnavailableError` when it was not answered for so long that it is
        not known whether it was said; `DismissedError`; `ValueError` for what is no text.
        """
        say = Say(secrets.token_urlsafe(9), text, question, product)
        answer = await self._answered(say)
        if answer is None:
            return Refused(say.id, "too_long")
        assert isinstance(answer, Accepted | Refused)
        return answer

    async def hold(self, lines: Sequence[WantedLine], key: str | None = None) -> Held | NotHeld:
        """Hold all these units, or none, and wait until it is durable.

        `key`: by which a repeated one is the same; made up without one. Raises `TooManyError`,
        `UnavailableError`, `DismissedError`, and `ValueError` for a message above the limit.
        """
        answer = await self._answered(Want(key or secrets.token_urlsafe(9), [*lines]))
        if answer is None:
            raise ValueError("more lines than a message has room for")
        assert isinstance(answer, Held | NotHeld)
        return answer

    async def _answered(self, command: Say | Want) -> Answer | None:
        """What becomes of it, after all that was said before; None when it is too large."""
        if self._over:
            raise self._gone or UnavailableError("The room was left.")
        if len(self._sayings) >= SAYINGS_WAITING:
            raise TooManyError(facts={"limit": SAYINGS_WAITING})
        message = self._encode(command)
        if len(message.encode() if isinstance(message, str) else message) > MESSAGE_BYTES:
            return None
        saying = _Saying(command.id, message, self._clock())
        self._sayings.append(saying)
        self._spoken.set()
        return await saying.answer

    async def heart(self, count: int = 1) -> None:
        """Send hearts, at most `HEARTS_AT_ONCE`; without a connection they are lost."""
        if count > 0:
            await self._send(Heart(min(count, HEARTS_AT_ONCE)))

    async def sync(self) -> None:
        """Ask for a `welcome`; without a connection one comes anyway."""
        await self._send(Sync())

    async def stay(self) -> None:
        """Be in the room until sent away; to be run as a task."""
        try:
            while self._gone is None:
                least_s = await self._visit()
                if self._gone is None:
                    await self._sleep(least_s + pause_s(self._failures, self._chance()))
                    self._failures += 1
        finally:
            self._leave()

    def _leave(self) -> None:
        self._over = True
        for saying in self._sayings:
            if self._gone is None or saying.answer.done():
                saying.answer.cancel()
            else:
                saying.answer.set_exception(self._gone)
        with suppress(asyncio.QueueFull):
            self._events.put_nowait(None)

    async def _visit(self) -> float:
        """One connection, to its end; at least so many seconds to wait before the next."""
        try:
            connection = await connect(
                self._url,
                subprotocols=[Subprotocol(self._wire.value)],
                max_size=FRAME_BYTES,
                **{"ping_interval": HEARTBEAT_S, "ping_timeout": HEARTBEAT_S, **self._options},
            )
        except InvalidStatus as refused:
            return self._refused(refused)
        except (OSError, TimeoutError, InvalidHandshake):
            return 0.0
        async with connection:
            await self._attend(connection)
        code = connection.close_code
        assert code is not None, "it is closed"
        if not comes_back(code):
            self._gone = DismissedError(connection.close_reason or "", {"close": code})
        return 0.0

    def _refused(self, refused: InvalidStatus) -> float:
        status = refused.response.status_code
        if status < 500 and status != 429:
            self._gone = DismissedError(f"HTTP {status}", {"status": status})
        after = refused.response.headers.get("Retry-After", "")
        return min(float(after), MOST_S) if after.isascii() and after.isdigit() else 0.0

    async def _attend(self, connection: ClientConnection) -> None:
        with suppress(ConnectionClosed, TimeoutError):
            async with asyncio.timeout(WELCOME_S):
                hello = Hello(self.token, self._place.since, self._visitor)
                await connection.send(self._encode(hello))
                events = await self._receive(connection)
            if events and events[0]["type"] == "welcome":
                self._failures = 0
                self._connection = connection
                await self._converse(connection, events)
        self._connection = None

    async def _converse(self, connection: ClientConnection, events: list[Event]) -> None:
        async with asyncio.TaskGroup() as tasks:
            speaking = tasks.create_task(self._speak(connection))
            with suppress(ConnectionClosed):
                while True:
                    for event in events:
                        await self._take(event)
                    events = await self._receive(connection)
            speaking.cancel()

    async def _take(self, event: Event) -> None:
        if event["type"] in _ANSWERS:
            asked = self._asked
            if asked is not None and asked[0] == event["id"] and not asked[1].done():
                asked[1].set_result(msgspec.convert(event, Answer))
        elif not self._place.knows(event):
            await self._events.put(event)
            self._place.take(event)

    async def _speak(self, connection: ClientConnection) -> None:
        """Say what waits to be said, one after another; what is unanswered is repeated."""
        with suppress(ConnectionClosed):
            while True:
                while not self._sayings:
                    self._spoken.clear()
                    await self._spoken.wait()
                saying = self._sayings[0]
                if saying.answer.cancelled() or self._too_late(saying):
                    self._sayings.popleft()
                    continue
                repeated, saying.told = saying.told, True
                answer = await self._ask(connection, saying)
                if repeated and isinstance(answer, Refused) and answer.reason == "too_fast":
                    await self._sleep(TOO_FAST_S)
                    continue
                self._sayings.popleft()
                if not saying.answer.done():
                    saying.answer.set_result(answer)

    def _too_late(self, saying: _Saying) -> bool:
        late = saying.told and self._clock() - saying.begun_s > SAY_AGAIN_S
        if late:
            saying.answer.set_exception(UnavailableError("It is not known whether it was said."))
        return late

    async def _ask(self, connection: ClientConnection, saying: _Saying) -> Answer:
        answer: asyncio.Future[Answer] = asyncio.Future()
        self._asked = saying.id, answer
        await connection.send(saying.message)
        return await answer

    async def _send(self, command: Command) -> None:
        if self._connection is not None:
            with suppress(ConnectionClosed):
                await self._connection.send(self._encode(command))

    async def _receive(self, connection: ClientConnection) -> list[Event]:
        """The events of the next frame; one that is none of the protocol ends the connection."""
        frame = await connection.recv()
        try:
            return _read(frame)
        except (ValueError, RecursionError):
            await connection.close(1002)
            return await self._receive(connection)

    def _encode(self, command: Command) -> str | bytes:
        if self._wire is Format.JSON:
            return msgspec.json.encode(command).decode()
        return msgspec.msgpack.encode(command)


def _read(frame: str | bytes) -> list[Event]:
    """The events of a frame. Raises `ValueError` and `RecursionError`."""
    if isinstance(frame, str):
        events = msgspec.json.decode(frame, type=list[Event])
    else:
        events = msgspec.msgpack.decode(frame, type=list[Event])
    for event in events:
        msgspec.convert(event, _SHAPES.get(event.get("type", ""), _Shape))
    return events


@asynccontextmanager
async def open_room(
    url: str,
    *,
    token: str | None = None,
    wire: Format = Format.MSGPACK,
    chance: Callable[[], float] = random.random,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    **options: Any,
) -> AsyncIterator[RoomClient]:
    """Be in the room at `url` (`ws://host/shows/{id}/events`) while the block runs.

    `chance`: a draw from [0, 1). `clock`: seconds of a steady clock. `sleep`: waits so many of
    them. `options`: as `websockets.connect` takes them, such as `ssl` and `origin`.
    """
    client = RoomClient(
        url,
        token=token,
        wire=wire,
        chance=chance,
        clock=clock,
        sleep=sleep,
        options=options,
    )
    staying = asyncio.create_task(client.stay(), name=f"room {url}")
    try:
        yield client
    finally:
        staying.cancel()
        await asyncio.wait([staying])
    if not staying.cancelled():
        staying.result()
