"""Debian's coturn on the loopback, run with the options of deploy/turnserver.conf."""

import asyncio
import re
import shutil
import socket
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aioice import stun

from tests.whole.server import free_port

CONFIG: Final = Path(__file__).parents[2] / "deploy" / "turnserver.conf"
SECRET: Final = "shared by coturn and Kkot, and no secret here"
START_WITHIN_S: Final = 20.0
HERE: Final = "127.0.0.1"
ON_LOOPBACK: Final = (
    "allowed-peer-ip=127.0.0.1",
    "allow-loopback-peers",
    "cli-password=asked for beside that",
)
"""What lets it relay to Kkot on this machine's loopback."""


@dataclass(frozen=True, slots=True)
class Coturn:
    """A running server; `log` holds what it said."""

    host: str
    port: int
    process: Process
    log: Path

    def said(self, pattern: str) -> list[str]:
        """Everything in its log that matches."""
        return re.findall(pattern, self.log.read_text(errors="replace"))


@asynccontextmanager
async def coturn(
    folder: Path, *, host: str = HERE, port: int | None = None, more: Sequence[str] = ()
) -> AsyncIterator[Coturn]:
    """Run it until the end of the block, which is reached once it answers.

    `more`: configuration lines for this run: what compose.yaml adds, or the test.
    """
    path = shutil.which("turnserver")
    assert path is not None, "no turnserver: deploy/install-test-tools brings one"
    folder.mkdir(parents=True, exist_ok=True)
    port = port or free_port(socket.SOCK_DGRAM)
    config, log = folder / "turnserver.conf", folder / "turnserver.log"
    here = [
        f"listening-ip={host}",
        f"relay-ip={host}",
        f"pidfile={folder / 'turnserver.pid'}",
        f"userdb={folder / 'turndb'}",
        f"static-auth-secret={SECRET}",
        "verbose",
        *more,
    ]
    text = re.sub(r"(?m)^listening-port=.*$", f"listening-port={port}", CONFIG.read_text())
    config.write_text(text + "\n".join(here) + "\n")
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *(path, "-c", str(config)), stdin=DEVNULL, stdout=output, stderr=output
        )
    running = Coturn(host, port, process, log)
    try:
        await _answering(running)
        yield running
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


class _Asker(asyncio.DatagramProtocol):
    """Hears one answer."""

    def __init__(self) -> None:
        self.answered = asyncio.Event()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.answered.set()

    def error_received(self, exc: Exception) -> None:
        """Nobody listens yet."""


async def _answering(server: Coturn) -> None:
    """Wait until it answers a Binding request; it must not have ended."""
    loop = asyncio.get_running_loop()
    family = socket.AF_INET6 if ":" in server.host else socket.AF_INET
    transport, asker = await loop.create_datagram_endpoint(
        _Asker, remote_addr=(server.host, server.port), family=family
    )
    try:
        async with asyncio.timeout(START_WITHIN_S):
            while not asker.answered.is_set():
                assert server.process.returncode is None, server.log.read_text()[-2000:]
                request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
                transport.sendto(bytes(request))
                try:
                    await asyncio.wait_for(asker.answered.wait(), 0.1)
                except TimeoutError:
                    continue
    finally:
        transport.close()
