"""One node from start to stop.

Start: the listening socket (so that a taken port is told at once), the ground, the house, the
application, the tasks, then the first request. Stop, on SIGTERM or SIGINT: not ready any more, the
rooms are told, the web server lets go within `GRACE_S`, tasks end, the house and the ground close
in the opposite order of their opening.
"""

import asyncio
import gc
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    asynccontextmanager,
    contextmanager,
    nullcontext,
)
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version
from typing import Any, Final

import structlog
import uvicorn
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from live.server import asyncapi
from live.server.adapters.http1 import BoundedHttp
from live.server.app import Check, Doors, build_app
from live.server.errors import StartError
from live.server.ground import Ground, open_ground
from live.server.metrics import READY, watch_loop
from live.server.operations import Identity
from live.server.settings import Settings
from live.server.tls import AUTHORITY_PATH, Certificate

log = structlog.get_logger()

GRACE_S: Final = 3
"""How long requests in flight may go on after a stop was asked for."""

DRAIN_S: Final = 2.5
"""How long the rooms may take to say goodbye."""

BACKLOG: Final = 2048
COLLECT_AFTER: Final = (20_000, 20, 50)
"""When garbage is collected. Packets leave no cycles behind, and a full collection stops every
stream for tens of milliseconds: what lives since the start is left out, the rest is done rarely."""

WEBSOCKET_BYTES: Final = 64 * 1024

Task = Coroutine[Any, Any, None]


async def _nothing() -> None:
    """Nothing to say."""


@dataclass(frozen=True, slots=True)
class House:
    """All packages, opened and wired.

    `websocket`: uvicorn's websocket class. `tasks`: what must run while the application serves.
    `drain`: tells the rooms that this node goes.
    """

    doors: Sequence[Doors]
    identity: Identity
    websocket: type[asyncio.Protocol] | None = None
    tasks: Callable[[ASGIApp], Sequence[Task]] = field(default=lambda _app: ())
    drain: Callable[[], Awaitable[None]] = _nothing


OpenHouse = Callable[[Ground], AbstractAsyncContextManager[House]]
Beside = Callable[[Ground, House], AbstractAsyncContextManager[object]]


async def serve(
    settings: Settings,
    open_house: OpenHouse,
    *,
    certificate: Certificate | None = None,
    announce: Callable[[str], None] = lambda _url: None,
    beside: Beside | None = None,
) -> None:
    """Run a node until it is told to stop; a word that comes while it starts stops it after.

    `announce`: called with the node's URL once it serves. `beside`: what runs next to the serving
    node, such as the demo. Raises `StartError` and `StoreError`.
    """
    stop = asyncio.Event()
    with _signals(stop), _listener(settings) as listener:
        async with (
            open_ground(settings, tls=certificate is not None) as ground,
            open_house(ground) as house,
        ):
            app = node_app(ground, house, stop, certificate)
            server = _Server(_config(app, house, certificate, settings.trusted_proxies))
            async with _tasks([watch_loop(), *house.tasks(app)]), _serving(server, listener):
                _collect_rarely()
                announce(ground.public_url)
                async with beside(ground, house) if beside else nullcontext():
                    await stop.wait()
                log.info("stopping")
                await _drain(house)


def _collect_rarely() -> None:
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)


def node_app(
    ground: Ground, house: House, stop: asyncio.Event, certificate: Certificate | None
) -> ASGIApp:
    """The node's application; `stop` set means not ready any more."""

    async def staying() -> None:
        if stop.is_set():
            raise StartError("the node is stopping")

    async def postgres() -> None:
        async with ground.engine.connect() as connection:
            await connection.exec_driver_sql("SELECT 1")

    async def redis() -> None:
        await ground.redis.ping()

    checks: dict[str, Check] = {"staying": staying, "postgres": postgres, "redis": redis}
    protocol = Doors(routes=[asyncapi.route(_version())])
    doors = [*house.doors, protocol, _authority_door(certificate)]
    return build_app(doors, house.identity, checks, version=_version())


def _authority_door(certificate: Certificate | None) -> Doors:
    if certificate is None:
        return Doors()

    async def authority(_request: Request) -> Response:
        return FileResponse(certificate.authority, media_type="application/x-x509-ca-cert")

    return Doors(routes=[Route(AUTHORITY_PATH, authority)])


def _config(
    app: ASGIApp, house: House, certificate: Certificate | None, proxies: str
) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=BoundedHttp,
        ws=house.websocket or "websockets-sansio",
        ws_max_size=WEBSOCKET_BYTES,
        ws_per_message_deflate=False,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        forwarded_allow_ips=proxies,
        backlog=BACKLOG,
        timeout_graceful_shutdown=GRACE_S,
        ssl_certfile=certificate.certificate if certificate else None,
        ssl_keyfile=certificate.key if certificate else None,
    )


class _Server(uvicorn.Server):
    """uvicorn without its own signal handlers; `up` is set when it takes requests."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()


@asynccontextmanager
async def _serving(server: _Server, listener: socket.socket) -> AsyncIterator[None]:
    """The web server takes requests inside; leaving lets those in flight end."""
    async with asyncio.TaskGroup() as group:
        group.create_task(server.serve([listener]), name="web server")
        try:
            await server.up.wait()
            yield
        finally:
            READY.set(0)
            server.should_exit = True


@asynccontextmanager
async def _tasks(tasks: Sequence[Task]) -> AsyncIterator[None]:
    """The tasks run inside; one that fails takes the node down."""
    async with asyncio.TaskGroup() as group:
        running = [group.create_task(task) for task in tasks]
        try:
            yield
        finally:
            for task in running:
                task.cancel()


async def _drain(house: House) -> None:
    try:
        async with asyncio.timeout(DRAIN_S):
            await house.drain()
    except TimeoutError:
        log.warning("rooms were not told in time")


@contextmanager
def _signals(stop: asyncio.Event) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    wanted = (signal.SIGTERM, signal.SIGINT)
    for each in wanted:
        loop.add_signal_handler(each, stop.set)
    try:
        yield
    finally:
        for each in wanted:
            loop.remove_signal_handler(each)


@contextmanager
def _listener(settings: Settings) -> Iterator[socket.socket]:
    address = (settings.http_host, settings.http_port)
    family = socket.AF_INET6 if ":" in settings.http_host else socket.AF_INET
    try:
        listener = socket.create_server(address, family=family, backlog=BACKLOG)
    except OSError as error:
        raise StartError(
            f"cannot listen on {settings.http_host} port {settings.http_port} ({error.strerror}): "
            "set KKOT_HTTP_HOST and KKOT_HTTP_PORT"
        ) from None
    with listener:
        listener.setblocking(False)
        yield listener


def _version() -> str:
    try:
        return installed_version("kkot")
    except PackageNotFoundError:
        return "0"
