"""Limits of rate: the security considerations of RFC 9725 §5 and draft-ietf-wish-whep-03 §5.

Only requests that cannot succeed are repeated, and only as often as the run allows by FLOOD.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import httpx

from tests.conformance import offers
from tests.conformance.door import Door
from tests.conformance.outcomes import NotShown
from tests.conformance.target import Target

AT_ONCE: Final = 8
LIMITED: Final = (429, 503)

Ask = Callable[[], Awaitable[httpx.Response]]


async def limited(target: Target, ask: Ask) -> httpx.Response:
    """The first refusal for coming too often. Raises `NotShown` when none may be provoked."""
    if not target.flood:
        raise NotShown("FLOOD does not say how many requests may be sent")
    for _ in range(0, target.flood, AT_ONCE):
        for response in await asyncio.gather(*(ask() for _ in range(AT_ONCE))):
            if response.status_code in LIMITED:
                return response
    raise AssertionError(f"{target.flood} requests and no limit")


def assert_retry_after(response: httpx.Response) -> None:
    """It says when to come again, and a browser may read that."""
    assert int(response.headers["retry-after"]) > 0


def stranger(door: Door, target: Target, http: httpx.AsyncClient) -> Door:
    """The endpoint as somebody else asks it, where the server tells clients apart by header."""
    return Door(door.protocol, door.url, door.token, http, target.flood_headers)


async def test_posts_are_limited(door: Door, target: Target, http: httpx.AsyncClient) -> None:
    asking = stranger(door, target, http)
    assert_retry_after(await limited(target, lambda: asking.post("hello")))


async def test_patches_are_limited(door: Door, target: Target, http: httpx.AsyncClient) -> None:
    session = await door.open()
    asking = stranger(door, target, http)
    headers = {"Content-Type": offers.FRAGMENT, "If-Match": "*"}
    body = offers.fragment(session.transport)
    assert_retry_after(
        await limited(target, lambda: asking.send("PATCH", session.url + "x", body, headers))
    )


async def test_deletes_are_limited(door: Door, target: Target, http: httpx.AsyncClient) -> None:
    session = await door.open()
    asking = stranger(door, target, http)
    assert_retry_after(
        await limited(target, lambda: asking.send("DELETE", session.url + "x", "", {}))
    )
    assert not await session.is_over()
