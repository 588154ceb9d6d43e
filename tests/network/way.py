"""The bad network between a page and a server's media port, as a test holds it.

The page's answers from the server are rewritten on their way to it: their only candidate is the
proxy's, so all media take that way.
"""

import asyncio
import json
import re
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from typing import Any, Final

from playwright.async_api import Page, Route

from tests.sim.network import Path

START_WITHIN_S: Final = 20
DELAY_S: Final = 0.03
"""One way; a round trip takes 60 ms."""
CLEAN: Final = Path(delay_s=DELAY_S)
CANDIDATE: Final = re.compile(r"a=candidate:.*\r\n")
DOORS: Final = re.compile(r"/(whip|whep)/[^/]+$")


@dataclass(frozen=True, slots=True)
class Counts:
    """What one direction did: datagrams that entered and were lost, for whatever reason; those
    of them that found the queue full; bytes that came out."""

    sent: int
    lost: int
    overflowed: int
    octets: int


class Network:
    """A running proxy. Both directions are clean until told otherwise."""

    def __init__(self, process: Process, port: int) -> None:
        self.port = port
        self._process = process
        self._turn = asyncio.Lock()

    async def change(self, *, up: Path = CLEAN, down: Path = CLEAN) -> None:
        """Be like this from now on."""
        await self._order({"up": asdict(up), "down": asdict(down)})

    async def outage(self, seconds: float) -> None:
        """Lose everything, both ways, for so long from now."""
        await self._order({"outage_s": seconds})

    async def counts(self) -> tuple[Counts, Counts]:
        """Up and down so far."""
        told = await self._order({})
        return Counts(**told["up"]), Counts(**told["down"])

    async def lead(self, page: Page) -> None:
        """Let the page's next sessions run over this network."""

        async def answer(route: Route) -> None:
            if route.request.method != "POST":
                await route.fallback()
                return
            response = await route.fetch()
            await route.fulfill(response=response, body=led(await response.text(), self.port))

        await page.route(DOORS, answer)

    async def _order(self, order: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        async with self._turn:
            self._process.stdin.write(json.dumps(order).encode() + b"\n")
            told: dict[str, Any] = json.loads(await self._process.stdout.readline())
            return told


@asynccontextmanager
async def network(media_port: str, seed: int) -> AsyncIterator[Network]:
    """A way to a server's media port with a round trip of 60 ms."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.network.proxy", media_port, str(seed)),
        stdin=PIPE,
        stdout=PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        async with asyncio.timeout(START_WITHIN_S):
            network = Network(process, int(await process.stdout.readline()))
        await network.change()
        yield network
    finally:
        process.stdin.close()
        async with asyncio.timeout(START_WITHIN_S):
            code = await process.wait()
    assert code == 0


def led(answer: str, port: int) -> str:
    """An SDP answer whose only candidate is the proxy's port of 127.0.0.1."""
    candidate = f"a=candidate:1 1 udp 2130706431 127.0.0.1 {port} typ host\r\n"
    first = CANDIDATE.search(answer)
    if first is None:
        return answer  # no answer: an error's text
    rest = CANDIDATE.sub("", answer[first.end() :])
    return answer[: first.start()] + candidate + rest
