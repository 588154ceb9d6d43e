"""A crowd that comes within seconds: light DTLS-SRTP viewers that look at how they were started."""

import asyncio
import time
from typing import Final

import httpx
from aiortc import RTCCertificate

from live.relay.core import rtp
from live.relay.core.codecs import KEY_FRAME
from tests.bench.peers import VIDEO, Viewer

STARTS_WITHIN_S: Final = 60.0


class Guest(Viewer):
    """Keeps the first packet of the picture, and when it came."""

    def __init__(self, certificate: RTCCertificate) -> None:
        super().__init__(certificate)
        self.asked_at = 0.0
        self.started_at = 0.0
        self._first = b""
        self._started = asyncio.Event()

    @property
    def waited_s(self) -> float:
        """From the POST to the first packet of the picture."""
        return self.started_at - self.asked_at

    @property
    def starts_at_key_frame(self) -> bool:
        """Whether a decoder can begin with what came first."""
        packet = self.inward.unprotect(self._first)
        head = rtp.parse(packet)
        return head is not None and KEY_FRAME["H264"](packet[head.start : head.stop])

    async def come(self, http: httpx.AsyncClient, show: str) -> None:
        """Join, and wait for the picture to begin."""
        self.asked_at = time.monotonic()
        await self.connect(http, f"/whep/{show}")
        async with asyncio.timeout(STARTS_WITHIN_S):
            await self._started.wait()

    def _media(self, buffer: bytearray, size: int) -> None:
        if not self._first and buffer[1] & 127 == VIDEO:
            self.started_at, self._first = time.monotonic(), bytes(buffer[:size])
            self._started.set()
        super()._media(buffer, size)


async def crowd(http: httpx.AsyncClient, show: str, guests: int, seconds: float) -> list[Guest]:
    """So many join, spread evenly over so many seconds, and stay until all have; then all leave."""
    certificate = RTCCertificate.generateCertificate()
    came = [Guest(certificate) for _ in range(guests)]
    loop = asyncio.get_running_loop()
    began = loop.time()
    turns = [asyncio.Event() for _ in came]
    for number, turn in enumerate(turns):
        loop.call_at(began + number * seconds / guests, turn.set)

    async def visit(guest: Guest, turn: asyncio.Event) -> None:
        await turn.wait()
        await guest.come(http, show)

    try:
        async with asyncio.TaskGroup() as tasks:
            for guest, turn in zip(came, turns, strict=True):
                tasks.create_task(visit(guest, turn))
    finally:
        for guest in came:
            await guest.leave()
    return came
