"""The server under test: the real command in its own process, on a core of its own."""

import asyncio
import os
import secrets
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from live.server.adapters.postgres import Postgres
from tests.bench.machine import free_port, pin

READY: Final = b"Kkot is ready"
START_S: Final = 60.0
STOP_S: Final = 20.0
HOLD_S: Final = 3_600
"""Longer than any benchmark: what is held in it does not end beside what is measured."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running node and a client of its API; `secret` signs its tokens."""

    pid: int
    http: httpx.AsyncClient
    media_port: str
    database_url: str
    redis_url: str
    secret: str


@asynccontextmanager
async def running(core: int, beside: Server | None = None) -> AsyncIterator[Server]:
    """A node that stays on `core`; its stores are those of the node beside, or fresh and here."""
    with tempfile.TemporaryDirectory(prefix="kkot-bench-") as folder:
        run = Path(folder) / "run"
        database_url = Postgres(Path(folder) / "postgres", run / "pg").url()
        redis_url, secret = f"unix://{run}/valkey.sock", secrets.token_urlsafe(32)
        shared = {}
        if beside is not None:
            database_url, redis_url, secret = beside.database_url, beside.redis_url, beside.secret
            shared = {"KKOT_DATABASE_URL": database_url, "KKOT_REDIS_URL": redis_url}
        port, media_port = free_port(socket.SOCK_STREAM), str(free_port(socket.SOCK_DGRAM))
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("KKOT_")},
            "KKOT_DATA_DIR": folder,
            "KKOT_SECRET": secret,
            **shared,
            "KKOT_HTTP_PORT": str(port),
            "KKOT_MEDIA_PORT": media_port,
            "KKOT_MEDIA_TCP_PORT": "0",
            "KKOT_PUBLIC_IP": "127.0.0.1",
            "KKOT_HOLD_SECONDS": str(HOLD_S),
            "KKOT_LOG_LEVEL": "warning",
        }
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "live.server.cli", "serve"),
            env=environment,
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            assert process.stdout is not None
            async with asyncio.timeout(START_S):
                while not (line := await process.stdout.readline()).startswith(READY):
                    if not line:
                        raise RuntimeError("the server did not start")
            pin(process.pid, core)
            limits = httpx.Limits(max_connections=16)
            url = f"http://127.0.0.1:{port}"
            async with httpx.AsyncClient(base_url=url, timeout=30, limits=limits) as http:
                yield Server(process.pid, http, media_port, database_url, redis_url, secret)
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGINT)
            try:
                async with asyncio.timeout(STOP_S):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()


async def make_show(http: httpx.AsyncClient) -> tuple[str, str]:
    """A show and its publish key, made through the API like anybody's."""
    account = {
        "email": f"seller-{secrets.token_hex(4)}@kkot.example",
        "password": secrets.token_urlsafe(16),
        "name": "bench",
    }
    token = (await _post(http, "/accounts", account))["access_token"]
    http.headers["Authorization"] = f"Bearer {token}"
    slug = f"bench-{secrets.token_hex(4)}"
    store = await _post(http, "/stores", {"slug": slug, "name": "Bench", "story": "Measured."})
    show = await _post(http, "/shows", {"store": store["slug"], "title": "Bench"})
    key = (await _post(http, f"/shows/{show['id']}/publish-key", None))["key"]
    http.headers.pop("Authorization")
    http.cookies.clear()
    return show["id"], key


async def _post(http: httpx.AsyncClient, path: str, body: Any) -> dict[str, Any]:
    answer = await http.post(path, json=body) if body else await http.post(path)
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found
