"""Rounds: failures do not end a task, work goes on without waiting, a wake ends the idling."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from cart import rounds


@asynccontextmanager
async def running(play: Callable[[], object], wake: asyncio.Event) -> AsyncIterator[None]:
    """Rounds that run while the context lasts."""
    task = asyncio.create_task(rounds.run_rounds("test", play, wake=wake, idle_s=60))  # type: ignore[arg-type]
    async with asyncio.timeout(5):
        yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_failed_round_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "RETRY_FIRST_S", 0.001)
    played, done = [], asyncio.Event()

    async def play() -> bool:
        played.append(1)
        if len(played) < 4:
            raise ConnectionError("no database")
        done.set()
        return False

    async with running(play, asyncio.Event()):
        await done.wait()
    assert len(played) == 4


async def test_more_to_do_is_done_at_once_and_a_wake_starts_a_round() -> None:
    left, idle, wake = [3], asyncio.Event(), asyncio.Event()

    async def play() -> bool:
        left[0] -= 1
        if left[0] <= 0:
            idle.set()
        return left[0] > 0

    async with running(play, wake):
        await idle.wait()
        idle.clear()
        await asyncio.sleep(0)
        wake.set()
        await idle.wait()
    assert left[0] == -1
