"""A small house around the room: two shows, some persons, real servers and real clients."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

import msgspec
import uvicorn
from starlette.applications import Starlette
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from chat.adapters.protocol import RoomProtocol
from chat.adapters.routes import routes
from chat.adapters.service import Chat, open_chat
from chat.core.moderation import Rules
from chat.ports import Customers, Person, Room

PATIENCE_S: Final = 10.0
MSGPACK: Final = "kkot.v1+msgpack"
JSON: Final = "kkot.v1+json"
Event = dict[str, Any]


class House:
    """What shows are like; tests change `stock` and `pinned` as a shop would."""

    def __init__(self) -> None:
        self.stock: dict[str, int] = {"tulip": 5}
        self.version = 0
        self.pinned: str | None = None
        self.on_air = True
        self.buyers: set[str] = set()
        self.followers: set[str] = set()
        self.asked: list[str] = []
        """Whose orders were looked at."""
        self.rules = Rules()
        self.looks = 0
        """How often anybody looked how a show is."""
        self.looked_at = asyncio.Event()
        self.open = asyncio.Event()
        """Cleared: nobody gets to know how a show is until it is set again."""
        self.open.set()

    async def identify(self, token: str | None) -> Person | None:
        """A token is `token-` and the person's name."""
        if token is None or not token.startswith("token-"):
            return None
        name = token.removeprefix("token-")
        return Person(f"id-{name}", name)

    async def buys(self, account: str, _store: str) -> bool:
        """Whoever is in `buyers`; a thief's orders cannot be looked at."""
        self.asked.append(account)
        if account == "id-thief":
            raise OSError("the database is away")
        return account in self.buyers

    async def follows(self, account: str, _store: str) -> bool:
        """Whoever is in `followers`."""
        return account in self.followers

    async def describe(self, show: str) -> Room | None:
        """Two shows, both sold by `dal` and moderated by `haru`; a third cannot be described."""
        self.looks += 1
        self.looked_at.set()
        await self.open.wait()
        if show == "broken":
            raise OSError("the database is away")
        if show not in {"spring", "autumn"}:
            return None
        products = [
            {"id": product, "free": free, "version": self.version}
            for product, free in self.stock.items()
        ]
        moderators = frozenset({"id-haru"})
        shop = ("id-dal", moderators, "flowers", self.rules)
        names = {"id-dal": "dal", "id-haru": "haru"}
        return Room("live", self.on_air, self.pinned, products, *shop, names=names)


class Server(uvicorn.Server):
    """A server whose readiness can be awaited."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say so."""
        await super().startup(sockets)
        self.ready.set()


class Node:
    """One node: its room and its server's port."""

    def __init__(self, chat: Chat, server: Server, port: int) -> None:
        self.chat = chat
        self.server = server
        self.port = port

    def url(self, show: str = "spring") -> str:
        """Where its rooms are."""
        return f"ws://127.0.0.1:{self.port}/shows/{show}/events"


def origin_allowed(origin: str | None, host: str | None) -> bool:
    """Only pages of the server itself, and clients that are no pages."""
    return origin is None or origin == f"http://{host}"


@asynccontextmanager
async def open_node(
    redis_url: str,
    house: House,
    name: str = "one",
    websocket: type[RoomProtocol] = RoomProtocol,
) -> AsyncIterator[Node]:
    """A node of the house, with a uvicorn server in this loop."""
    async with open_chat(
        redis_url,
        node=name,
        identify=house.identify,
        describe=house.describe,
        customers=Customers(house.buys, house.follows),
        origin_allowed=origin_allowed,
    ) as chat:
        config = uvicorn.Config(
            Starlette(routes=routes(chat)),
            ws=websocket,
            ws_per_message_deflate=False,
            lifespan="off",
            log_config=None,
            timeout_graceful_shutdown=5,
        )
        listening = socket.create_server(("127.0.0.1", 0))
        server = Server(config)
        serving = asyncio.create_task(server.serve([listening]))
        await server.ready.wait()
        try:
            yield Node(chat, server, listening.getsockname()[1])
        finally:
            server.should_exit = True
            await serving
            listening.close()


class Viewer:
    """A client that remembers everything it was told."""

    def __init__(self, connection: ClientConnection, wire: str) -> None:
        self.connection = connection
        self.wire = wire
        self.seen: list[Event] = []
        self._looked_at = 0

    async def send(self, message: object) -> None:
        """Send one message."""
        if self.wire == JSON:
            await self.connection.send(msgspec.json.encode(message).decode())
        else:
            await self.connection.send(msgspec.msgpack.encode(message))

    async def say(self, text: str, client_id: str = "1") -> None:
        """Say something."""
        await self.send({"type": "say", "id": client_id, "text": text})

    async def until(self, wanted: str, where: Callable[[Event], bool] = lambda _: True) -> Event:
        """The next event of a type, among those not looked at yet."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                while self._looked_at < len(self.seen):
                    event = self.seen[self._looked_at]
                    self._looked_at += 1
                    if event["type"] == wanted and where(event):
                        return event
                self.seen.extend(await self.receive())

    async def until_member(self, wanted: str, name: str, value: object) -> Event:
        """The next event of a type with this value in one of its members."""
        return await self.until(wanted, lambda event: event[name] == value)

    async def answer(self, client_id: str) -> Event:
        """The answer to what was said by this id of the client's."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                for event in self.seen:
                    if event["type"] in {"accepted", "refused"} and event["id"] == client_id:
                        return event
                self.seen.extend(await self.receive())

    async def receive(self) -> list[Event]:
        """The next frame's events."""
        frame = await self.connection.recv()
        assert isinstance(frame, str) is (self.wire == JSON)
        if isinstance(frame, str):
            return msgspec.json.decode(frame, type=list[Event])
        return msgspec.msgpack.decode(frame, type=list[Event])

    async def closed(self) -> int | None:
        """The close code, once the connection has ended; events on the way are remembered."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while True:
                    self.seen.extend(await self.receive())
        except ConnectionClosed:
            return self.connection.close_code


@asynccontextmanager
async def at_the_door(
    node: Node, show: str = "spring", wire: str = MSGPACK, **options: Any
) -> AsyncIterator[Viewer]:
    """A client that has not said hello."""
    async with connect(
        node.url(show),
        subprotocols=[Subprotocol(wire)],
        compression=None,
        close_timeout=1,
        **options,
    ) as connection:
        yield Viewer(connection, wire)


@asynccontextmanager
async def watching(
    node: Node, name: str | None = None, show: str = "spring", wire: str = MSGPACK
) -> AsyncIterator[Viewer]:
    """A client that was welcomed, signed in when it has a name."""
    async with at_the_door(node, show, wire) as viewer:
        hello = {"type": "hello"} if name is None else {"type": "hello", "token": f"token-{name}"}
        await viewer.send(hello)
        await viewer.until("welcome")
        yield viewer


@asynccontextmanager
async def back(
    node: Node, name: str, epoch: str, offset: int, show: str = "spring"
) -> AsyncIterator[Viewer]:
    """A client that comes back and says what it knows; it has not read its welcome."""
    async with at_the_door(node, show) as viewer:
        since = {"epoch": epoch, "offset": offset}
        await viewer.send({"type": "hello", "token": f"token-{name}", "since": since})
        yield viewer
