"""Long-lived tasks in rounds: one that fails is logged and tried again, and never ends the task."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

RETRY_FIRST_S: Final = 0.2
RETRY_LIMIT_S: Final = 5.0
"""After a failed round the next waits this long at first, twice as long each time, at most so."""

log = structlog.get_logger(__name__)


async def run_rounds(
    name: str, play: Callable[[], Awaitable[bool]], *, wake: asyncio.Event, idle_s: float
) -> None:
    """Play rounds until cancelled.

    `play` answers whether there may be more to do at once; if not, the next round begins when
    `wake` is set, at the latest after `idle_s`.
    """
    retry_s = RETRY_FIRST_S
    while True:
        wake.clear()
        try:
            more = await play()
        except Exception as error:  # noqa: BLE001 - whatever failed, the next round may not
            log.warning("round failed", task=name, error=repr(error), retry_s=retry_s)
            await asyncio.sleep(retry_s)
            retry_s = min(retry_s * 2, RETRY_LIMIT_S)
            continue
        retry_s = RETRY_FIRST_S
        if not more:
            await _wait(wake, idle_s)


async def _wait(wake: asyncio.Event, idle_s: float) -> None:
    try:
        async with asyncio.timeout(idle_s):
            await wake.wait()
    except TimeoutError:
        return
