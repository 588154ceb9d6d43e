"""`kkot serve` as a process of its own, the way an operator runs it.

A server is ready when it says so on its standard output, and ends by SIGTERM with exit code 0;
what it logged lies beside its data folder and is told when it does not come up.
"""

import asyncio
import os
import signal
import socket
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

READY: Final = b"Kkot is ready: "
START_WITHIN_S: Final = 40
STOP_WITHIN_S: Final = 20
KKOT: Final = (sys.executable, "-m", "live.server.cli")


@dataclass(frozen=True, slots=True)
class Server:
    """A running node: where its pages are, the port of its media, and the process."""

    url: str
    media_port: str
    process: Process


def free_port(kind: socket.SocketKind) -> int:
    """A port nobody has now."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def environment(data_dir: Path, settings: Mapping[str, str]) -> dict[str, str]:
    """The environment of a command: nobody's settings but these, and a data folder of its own."""
    inherited = {name: text for name, text in os.environ.items() if not name.startswith("KKOT_")}
    return {**inherited, "KKOT_DATA_DIR": str(data_dir), **settings}


async def migrate(data_dir: Path, settings: Mapping[str, str]) -> None:
    """`kkot migrate`, which must succeed."""
    process = await asyncio.create_subprocess_exec(
        *KKOT, "migrate", env=environment(data_dir, settings), stdout=DEVNULL
    )
    async with asyncio.timeout(START_WITHIN_S):
        assert await process.wait() == 0


@asynccontextmanager
async def serving(
    data_dir: Path, settings: Mapping[str, str] | None = None
) -> AsyncIterator[Server]:
    """Run a node on free ports; it must come up, stay up and stop cleanly."""
    ports = {
        "KKOT_HTTP_PORT": str(free_port(socket.SOCK_STREAM)),
        "KKOT_MEDIA_PORT": str(free_port(socket.SOCK_DGRAM)),
        "KKOT_MEDIA_TCP_PORT": "0",
    }
    data_dir.mkdir(parents=True, exist_ok=True)
    log = data_dir.parent / f"{data_dir.name}.log"
    with log.open("wb") as stderr:
        process = await asyncio.create_subprocess_exec(
            *(*KKOT, "serve"),
            env=environment(data_dir, {**ports, **(settings or {})}),
            stdout=PIPE,
            stderr=stderr,
        )
    try:
        yield Server(await _ready(process, log), ports["KKOT_MEDIA_PORT"], process)
        assert process.returncode is None, f"the server died:\n{log.read_text()[-4000:]}"
    finally:
        code = await _stop(process)
    assert code == 0, f"the server ended with {code}:\n{log.read_text()[-4000:]}"


def sharing(database_url: str, redis_url: str) -> dict[str, str]:
    """The settings of nodes that are one service."""
    return {
        "KKOT_DATABASE_URL": database_url,
        "KKOT_REDIS_URL": redis_url,
        "KKOT_SECRET": "the same on every node, and no secret here",
    }


@asynccontextmanager
async def two_nodes(
    folder: Path, database_url: str, redis_url: str
) -> AsyncIterator[tuple[Server, Server]]:
    """Run two nodes that are one service on a migrated database; both must come up, stay up and
    stop cleanly.
    """
    shared = sharing(database_url, redis_url)
    async with serving(folder / "a", shared) as here, serving(folder / "b", shared) as there:
        yield here, there


async def _ready(process: Process, log: Path) -> str:
    assert process.stdout is not None
    async with asyncio.timeout(START_WITHIN_S):
        async for line in process.stdout:
            if line.startswith(READY):
                return line.removeprefix(READY).decode().strip()
    raise AssertionError(f"the server did not come up:\n{log.read_text()[-4000:]}")


async def _stop(process: Process) -> int:
    if process.returncode is None:
        process.send_signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(STOP_WITHIN_S):
            return await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
        raise
