"""The two stores a node needs: the operator's own, or embedded ones that live and die with it."""

import asyncio
import fcntl
import hashlib
import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from live.server.adapters.child import Child, StoreError
from live.server.adapters.postgres import Postgres
from live.server.adapters.valkey import Valkey
from live.server.settings import Settings

SOCKET_PATH_LIMIT_BYTES: Final = 100
"""A unix socket's path may have some 107 bytes; longer data folders get a short one elsewhere."""


@dataclass(frozen=True, slots=True)
class Stores:
    """Where the stores answer, and the pids of those that are ours."""

    database_url: str
    redis_url: str
    embedded: dict[str, Child]


@asynccontextmanager
async def open_stores(settings: Settings) -> AsyncIterator[Stores]:
    """Give the stores' addresses; start embedded ones where none are set, stop them at the end.

    Raises `StoreError` when an embedded store cannot run or its folder is in use.
    """
    children: dict[str, Child] = {}
    database_url, redis_url = settings.database_url, settings.redis_url
    async with AsyncExitStack() as closing:
        if not (database_url and redis_url):
            folder = settings.data_dir.resolve()
            folder.mkdir(parents=True, exist_ok=True)
            closing.callback(os.close, _lock(folder))
            sockets = _socket_folder(folder)
        if not database_url:
            postgres = Postgres(folder / "postgres", sockets / "pg")
            children["postgres"] = Child(postgres, folder / "postgres.log")
            database_url = postgres.url()
        if not redis_url:
            valkey = Valkey(folder / "valkey", sockets / "valkey.sock")
            children["valkey"] = Child(valkey, folder / "valkey.log")
            redis_url = valkey.url
        for child in children.values():
            closing.push_async_callback(child.stop)
        async with asyncio.TaskGroup() as starting:
            for child in children.values():
                starting.create_task(child.start())
        yield Stores(database_url, redis_url, children)


def _lock(folder: Path) -> int:
    """Hold the folder for this process; returns the descriptor whose closing lets go."""
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise StoreError(
            f"{folder} is in use by another server: stop it, choose another KKOT_DATA_DIR, or "
            "let both use the same KKOT_DATABASE_URL and KKOT_REDIS_URL"
        ) from None
    return descriptor


def _socket_folder(folder: Path) -> Path:
    sockets = folder / "run"
    if len(os.fsencode(sockets / "pg" / ".s.PGSQL.5432")) > SOCKET_PATH_LIMIT_BYTES:
        name = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
        sockets = Path(tempfile.gettempdir()) / f"kkot-{os.geteuid()}-{name}"
    sockets.mkdir(mode=0o711, exist_ok=True)
    if sockets.stat().st_uid != os.geteuid():
        raise StoreError(f"{sockets} belongs to somebody else: choose a shorter KKOT_DATA_DIR")
    return sockets
