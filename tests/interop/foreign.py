"""A foreign peer as a process of its own: asked by one JSON argument, telling by lines of JSON.

It is asked for a `role`, publish or watch, at a `url`, with a `key` where one is needed. It tells
`offer`, `answer` and `status` when it has posted, `state` whenever its connection's state changes;
a viewer tells every 100 ms what came of `video` and `audio`, `frames` at least. When its standard
input ends it deletes its session and tells `deleted`, the status of that.
"""

import asyncio
import json
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

HERE: Final = Path(__file__).parent
CONNECT_WITHIN_S: Final = 20
SEE_WITHIN_S: Final = 60
END_WITHIN_S: Final = 10


@dataclass(frozen=True, slots=True)
class Foreign:
    """A running peer that is connected; `offer` and `answer` are as they crossed the wire."""

    process: Process
    offer: str
    answer: str

    async def expect(self, video: int, audio: int) -> dict[str, Any]:
        """Wait until a viewer has seen so many frames and heard so many; what it told then."""
        told = {"video": {"frames": 0}, "audio": {"frames": 0}}
        try:
            async with asyncio.timeout(SEE_WITHIN_S):
                while told["video"]["frames"] < video or told["audio"]["frames"] < audio:
                    told = await _told(self.process, "video")
        except TimeoutError:
            raise AssertionError(f"it told {told} at last, not {video} and {audio}") from None
        return told

    async def end(self) -> int:
        """Let it hang up; the status of its DELETE."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        async with asyncio.timeout(END_WITHIN_S):
            told = await _told(self.process, "deleted")
            code = await self.process.wait()
        assert code == 0, f"it ended with {code} after {told}"
        status: int = told["deleted"]
        return status


class Peer(Protocol):
    """A kind of peer that can be run."""

    def __call__(self, **asked: str) -> AbstractAsyncContextManager[Foreign]:
        """Run one until its session stands; it is gone when this is left, whatever happened."""


@asynccontextmanager
async def running(command: Sequence[str], **asked: str) -> AsyncIterator[Foreign]:
    """Run a peer by its command, here."""
    process = await asyncio.create_subprocess_exec(
        *command, json.dumps(asked), stdin=PIPE, stdout=PIPE, cwd=HERE
    )
    try:
        async with asyncio.timeout(CONNECT_WITHIN_S):
            posted = await _told(process, "answer")
            assert posted["status"] == 201, posted
            while (await _told(process, "state"))["state"] != "connected":
                pass
        yield Foreign(process, posted["offer"], posted["answer"])
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _told(process: Process, name: str) -> dict[str, Any]:
    """The next thing it tells that has this name."""
    assert process.stdout is not None
    async for line in process.stdout:
        told: dict[str, Any] = json.loads(line)
        if name in told:
            return told
    raise AssertionError(f"it ended before it told {name}")
