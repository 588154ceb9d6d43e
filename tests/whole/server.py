"""`kkot serve` as a process of its own, on free ports and a data folder that outlives it.

Everything it says is kept as lines; whoever waits for something waits for the line that tells it.
"""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec
import psutil

PATIENCE_S: Final = 30.0
READY: Final = "Kkot is ready"
SERVE: Final = (sys.executable, "-m", "live.server.cli", "serve")
ROOT: Final = Path(__file__).parent.parent.parent

Line = dict[str, Any]


def free_port(kind: socket.SocketKind) -> int:
    """A port nobody has at this moment."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """One server; `start` and `stop` or `kill` may follow each other any number of times."""

    def __init__(self, data_dir: Path, **settings: str) -> None:
        self.port = free_port(socket.SOCK_STREAM)
        self.url = f"http://127.0.0.1:{self.port}"
        self.lines: list[Line] = []
        self._settings = {
            "KKOT_DATA_DIR": str(data_dir),
            "KKOT_HTTP_PORT": str(self.port),
            "KKOT_MEDIA_PORT": str(free_port(socket.SOCK_DGRAM)),
            "KKOT_MEDIA_TCP_PORT": "0",
            "KKOT_LOG_FORMAT": "json",
            **settings,
        }
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._said = asyncio.Condition()

    def configure(self, **settings: str) -> None:
        """Further settings, from the next start on."""
        self._settings |= settings

    async def start(self) -> None:
        """Return once the server says that it is ready."""
        begun = len(self.lines)
        self._process = await asyncio.create_subprocess_exec(
            *SERVE,
            cwd=ROOT,
            env=_without_ours(os.environ) | self._settings,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        self._reading = asyncio.create_task(self._read(self._process))
        await self.says(lambda line: line["event"].startswith(READY), since=begun)

    async def stop(self) -> int:
        """SIGTERM; the exit code."""
        return await self._end(signal.SIGTERM)

    async def kill(self) -> None:
        """SIGKILL: no time for anything."""
        await self._end(signal.SIGKILL)

    async def close(self) -> None:
        """Stop it if it runs."""
        if self.running:
            await self.stop()

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.returncode is None

    async def says(self, wanted: Callable[[Line], bool], *, since: int = 0) -> Line:
        """The first line from `since` on that is wanted; waits for it while the server runs."""

        def found() -> Line | None:
            return next((line for line in self.lines[since:] if wanted(line)), None)

        async with asyncio.timeout(PATIENCE_S), self._said:
            await self._said.wait_for(lambda: found() or self._silent())
        line = found()
        assert line is not None, f"the server ended first: {self.lines[since:]}"
        return line

    def store(self, process_name: str) -> psutil.Process:
        """The embedded store among the server's children."""
        assert self._process is not None
        children = psutil.Process(self._process.pid).children()
        return next(child for child in children if child.name() == process_name)

    @asynccontextmanager
    async def client(self, token: str | None = None) -> AsyncIterator[httpx.AsyncClient]:
        """An HTTP client without cookies, signed in by a token."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with httpx.AsyncClient(base_url=self.url, headers=headers, timeout=15) as client:
            yield client

    async def ready(self) -> None:
        """Return once the server counts itself ready; every answer is asked for anew."""
        async with asyncio.timeout(PATIENCE_S), self.client() as client:
            while (await client.get("/readyz")).status_code != httpx.codes.OK:
                pass

    def _silent(self) -> bool:
        return self._reading is None or self._reading.done()

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        async for raw in process.stdout:
            async with self._said:
                self.lines.append(_line(raw.decode(errors="replace")))
                self._said.notify_all()

    async def _end(self, number: signal.Signals) -> int:
        assert self._process is not None
        assert self._reading is not None
        self._process.send_signal(number)
        async with asyncio.timeout(PATIENCE_S):
            code = await self._process.wait()
        if number == signal.SIGKILL:
            # Its children still hold the pipe while they end
            self._reading.cancel()
        await asyncio.wait([self._reading])
        return code


def _without_ours(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environ.items() if not name.startswith("KKOT_")}


def _line(text: str) -> Line:
    try:
        found = msgspec.json.decode(text)
    except msgspec.DecodeError:
        found = None
    return found if isinstance(found, dict) and "event" in found else {"event": text.rstrip()}
