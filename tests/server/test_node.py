"""A node in this process: it serves, says when it is ready, and stops when told."""

import asyncio
import os
import signal
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from live.server.app import Doors
from live.server.errors import StartError
from live.server.ground import Ground, public_url
from live.server.node import House, serve
from live.server.schema import make_engine, migrate
from live.server.settings import Settings
from live.server.stores import Stores
from live.server.tls import trial_certificate
from tests.server.test_operations import Named


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@pytest.fixture
def settings(database_url: str, redis_url: str, tmp_path: Path) -> Settings:
    """A node on the session's stores, as an operator with stores of their own has it."""
    return Settings(
        http_port=free_port(), data_dir=tmp_path, database_url=database_url, redis_url=redis_url
    )


@dataclass
class Diary:
    """What happened in the house, in order."""

    lines: list[str] = field(default_factory=list)
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def open(self, ground: Ground) -> AsyncIterator[House]:
        """A house with one slow room."""

        async def slow(_request: Request) -> Response:
            self.asked.set()
            await self.go_on.wait()
            return PlainTextResponse("at last")

        async def drain() -> None:
            self.lines.append("drained")
            self.go_on.set()

        async def work() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                self.lines.append("task ended")

        yield House(
            doors=[Doors(routes=[Route("/slow", slow)])],
            identity=Named(),
            tasks=lambda _app: [work()],
            drain=drain,
        )
        self.lines.append(f"closed {len(ground.node) > 0}")


async def run_until_ready(settings: Settings, diary: Diary) -> tuple[asyncio.Task[None], str]:
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    running = asyncio.create_task(serve(settings, diary.open, announce=ready.set_result))
    running.add_done_callback(lambda _task: ready.done() or ready.cancel())
    return running, await ready


async def test_a_node_serves_and_stops(settings: Settings) -> None:
    engine = make_engine(settings.database_url)
    await migrate(engine)
    await engine.dispose()
    diary = Diary()
    running, url = await run_until_ready(settings, diary)
    assert url == f"http://127.0.0.1:{settings.http_port}"
    async with httpx.AsyncClient(base_url=url) as client:
        ready = (await client.get("/readyz")).json()
        assert ready == {"ready": True, "staying": True, "postgres": True, "redis": True}
        slow = asyncio.create_task(client.get("/slow"))
        await diary.asked.wait()
        os.kill(os.getpid(), signal.SIGTERM)
        assert (await slow).text == "at last"
    async with asyncio.timeout(5):
        await running
    assert diary.lines == ["drained", "task ended", "closed True"]


async def test_an_old_schema_stops_the_start(settings: Settings) -> None:
    with pytest.raises(StartError, match="kkot migrate"):
        await serve(settings, Diary().open)


async def test_a_taken_port_is_told(settings: Settings) -> None:
    with (
        socket.create_server(("127.0.0.1", settings.http_port)),
        pytest.raises(StartError, match="KKOT_HTTP_PORT"),
    ):
        await serve(settings, Diary().open)


async def test_tls(settings: Settings, stores: Stores) -> None:
    engine = make_engine(settings.database_url)
    await migrate(engine)
    await engine.dispose()
    assert stores.redis_url == settings.redis_url
    certificate = trial_certificate(settings.data_dir)
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    running = asyncio.create_task(
        serve(settings, Diary().open, certificate=certificate, announce=ready.set_result)
    )
    url = await ready
    assert url.startswith("https://")
    trust = ssl.create_default_context(cafile=str(certificate.authority))
    async with httpx.AsyncClient(base_url=url, verify=trust) as client:
        answer = await client.get("/kkot-ca.crt")
        assert answer.content == certificate.authority.read_bytes()
        assert answer.headers["content-type"] == "application/x-x509-ca-cert"
    os.kill(os.getpid(), signal.SIGINT)
    async with asyncio.timeout(5):
        await running


def test_where_a_node_is_found() -> None:
    settings = Settings(http_port=80)
    assert public_url(settings, tls=False) == "http://127.0.0.1:80"
    assert public_url(replace(settings, http_host="::1"), tls=True) == "https://[::1]:80"
    everywhere = public_url(replace(settings, http_host="0.0.0.0"), tls=False)
    assert "0.0.0.0" not in everywhere
    named = replace(settings, public_url="https://shop.example")
    assert public_url(named, tls=False) == "https://shop.example"
