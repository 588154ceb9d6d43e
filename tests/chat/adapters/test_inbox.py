"""What was received waits in its order for the one who reads."""

import asyncio

import pytest

from chat.adapters.inbox import Inbox


async def test_what_waits_is_taken_in_order() -> None:
    inbox = Inbox()
    assert inbox.empty()
    inbox.put_nowait("a")
    inbox.put_nowait("b")
    assert not inbox.empty()
    assert [await inbox.get(), await inbox.get()] == ["a", "b"]
    assert inbox.empty()


async def test_who_waits_gets_what_comes() -> None:
    inbox = Inbox()
    reading = asyncio.create_task(inbox.get())
    await asyncio.sleep(0)
    inbox.put_nowait("a")
    inbox.put_nowait("b")
    assert await reading == "a"
    assert await inbox.get() == "b"


async def test_who_gave_up_loses_nothing() -> None:
    inbox = Inbox()
    reading = asyncio.create_task(inbox.get())
    await asyncio.sleep(0)
    reading.cancel()
    inbox.put_nowait("a")
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert await inbox.get() == "a"
