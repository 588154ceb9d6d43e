"""What goes wrong on request: before the deed, after it, or in it."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.standin.memory import Json, Memory

SLOW_S = 0.3
LONG_BYTES = 1024 * 1024


class Fault(StrEnum):
    """HANG: no answer ever, before or after the deed. ERROR: 503, before or after it.

    DECLINE: the deed is refused, its buyer's bank will not. WRONG: another amount than was asked
    for is authorized. NONSENSE, LONG, LIMITED: the answer is no JSON, too long, or 429.
    """

    HANG_BEFORE = "hang_before"
    HANG_AFTER = "hang_after"
    ERROR_BEFORE = "error_before"
    ERROR_AFTER = "error_after"
    SLOW = "slow"
    NONSENSE = "nonsense"
    LONG = "long"
    LIMITED = "limited"
    DECLINE = "decline"
    WRONG = "wrong"


class Planned(msgspec.Struct):
    """A fault at an operation, so many times."""

    at: str
    fault: Fault
    times: int = 1


Act = Callable[[], tuple[int, Json]]


class Faults:
    """The faults to come."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def plan(self, planned: Planned) -> None:
        """Let it happen, the next times the operation is asked for."""
        self._memory.keep("fault", planned.at, msgspec.to_builtins(planned))

    def take(self, at: str, *wanted: Fault) -> Fault | None:
        """The fault planned at an operation, if it is one of the wanted; one time less is left."""
        said = self._memory.find("fault", at)
        if said is None or said["fault"] not in wanted:
            return None
        if said["times"] <= 1:
            self._memory.forget("fault", at)
        else:
            self._memory.keep("fault", at, {**said, "times": said["times"] - 1})
        return Fault(said["fault"])

    async def serve(self, request: Request, at: str, act: Act) -> Response:
        """Do what was asked, with whatever was planned to go wrong about it."""
        fault = self.take(at, *(one for one in Fault if one not in (Fault.DECLINE, Fault.WRONG)))
        if fault == Fault.HANG_BEFORE:
            return await _hang(request)
        if fault in (Fault.ERROR_BEFORE, Fault.LIMITED):
            return Response(status_code=429 if fault == Fault.LIMITED else 503)
        if fault == Fault.SLOW:
            await _slowly()
        status, said = act()
        if fault == Fault.HANG_AFTER:
            return await _hang(request)
        if fault == Fault.ERROR_AFTER:
            return Response(status_code=503)
        if fault == Fault.NONSENSE:
            return Response("<html>", status_code=status)
        if fault == Fault.LONG:
            said = {**said, "padding": "x" * LONG_BYTES}
        return JSONResponse(said, status_code=status)


async def _hang(request: Request) -> Response:
    """Until whoever asked has gone away."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
    return Response(status_code=503)


async def _slowly() -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(SLOW_S):
            await asyncio.Event().wait()


def object_of(body: bytes) -> dict[str, Any]:
    """A JSON object."""
    return msgspec.json.decode(body, type=dict[str, Any])
