"""Viewers by the hundred: joined a few at a time, then kept alive like browsers keep themselves."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from itertools import cycle
from typing import Final

import httpx
from aiortc import RTCCertificate

from tests.bench.peers import CONNECT_S, Viewer

JOINING_AT_ONCE: Final = 8
REPORTS_PER_S: Final = 4
"""RTCP packets a browser sends each second, about."""
CHECK_EVERY_REPORTS: Final = 10


async def passed(seconds: float) -> None:
    """The measured window: returns when it is over."""
    over = asyncio.Event()
    asyncio.get_running_loop().call_later(seconds, over.set)
    await over.wait()


async def join(http: httpx.AsyncClient, show: str, viewer: Viewer) -> float:
    """Join and wait for the first media packet; seconds from the POST to it."""
    began = time.monotonic()
    await viewer.connect(http, f"/whep/{show}")
    async with asyncio.timeout(CONNECT_S):
        await viewer.arrived.wait()
    return time.monotonic() - began


async def in_turns(
    viewers: Sequence[Viewer], visit: Callable[[Viewer], Awaitable[float]]
) -> list[float]:
    """Let all of them visit, a few at a time; what each visit gave."""
    turns = asyncio.Semaphore(JOINING_AT_ONCE)

    async def take_turn(viewer: Viewer) -> float:
        async with turns:
            return await visit(viewer)

    return await asyncio.gather(*map(take_turn, viewers))


class Heartbeat:
    """Sends each viewer's reports and consent checks, spread evenly over time."""

    def __init__(self, viewers: Sequence[Viewer]) -> None:
        self._turns = cycle(enumerate(viewers))
        self._pace_s = 1 / (REPORTS_PER_S * len(viewers))
        self._round = len(viewers) * CHECK_EVERY_REPORTS
        self._sent = 0
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()
        self._timer = self._loop.call_soon(self._beat)

    def stop(self) -> None:
        """No more."""
        self._timer.cancel()

    def _beat(self) -> None:
        while self._began + self._sent * self._pace_s <= self._loop.time():
            index, viewer = next(self._turns)
            viewer.report()
            if (self._sent // CHECK_EVERY_REPORTS + index) % CHECK_EVERY_REPORTS == 0:
                viewer.check()
            self._sent += 1
        self._timer = self._loop.call_at(self._began + self._sent * self._pace_s, self._beat)


def certificate() -> RTCCertificate:
    """One for all of them: making it is no part of what is measured."""
    return RTCCertificate.generateCertificate()
