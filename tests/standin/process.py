"""The stand-in as a process of its own, that can be killed and started again."""

import asyncio
import signal
import socket
import sys
from pathlib import Path
from typing import Any

import httpx

from tests.standin.faults import Fault

ROOT = Path(__file__).parent.parent.parent
PATIENCE_S = 20.0


class StandIn:
    """One stand-in; `start` and `kill` may follow each other any number of times."""

    def __init__(self, folder: Path, shop: str = "") -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self._command = [sys.executable, "-m", "tests.standin", "--port", str(self.port)]
        self._command += ["--memory", str(folder / "standin.sqlite")]
        self._command += ["--shop", shop] if shop else []
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Return once it answers."""
        self._process = await asyncio.create_subprocess_exec(*self._command, cwd=ROOT)
        async with asyncio.timeout(PATIENCE_S):
            while not await self._answers():
                assert self._process.returncode is None, "the stand-in ended"

    async def kill(self) -> None:
        """SIGKILL, if it runs."""
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(signal.SIGKILL)
            await self._process.wait()

    async def plan(self, at: str, fault: Fault, times: int = 1) -> None:
        """Let something go wrong the next times."""
        await self._ask("POST", "/standin/faults", {"at": at, "fault": fault, "times": times})

    async def taken(self, payment: str = "") -> int:
        """The money of a payment that stayed with the shop; without one, of all of them."""
        return int(await self._ask("GET", f"/standin/taken/{payment}"))

    async def lapse(self) -> None:
        """Let the time pass after which providers give up what nobody confirmed."""
        await self._ask("POST", "/standin/lapse")

    async def messages(self) -> list[dict[str, Any]]:
        """All messages so far, oldest first."""
        found: list[dict[str, Any]] = await self._ask("GET", "/standin/messages")
        return found

    async def decide(self, page: str, choice: str) -> httpx.Response:
        """Press a button of a hosted page; the answer, which leads back to the shop."""
        async with httpx.AsyncClient(trust_env=False) as client:
            assert (await client.get(page)).status_code == httpx.codes.OK
            return await client.post(f"{page}/{choice}")

    async def _ask(self, method: str, path: str, json: Any = None) -> Any:
        async with httpx.AsyncClient(base_url=self.url, trust_env=False) as client:
            answer = await client.request(method, path, json=json)
            assert answer.is_success, answer.text
            return answer.json() if answer.content else None

    async def _answers(self) -> bool:
        try:
            await self.taken("nobody")
        except httpx.HTTPError:
            return False
        return True
