"""Consent freshness: RFC 9725 §4.2, draft-ietf-wish-whep-03 §4.2, RFC 7675 §5.1."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

import httpx
import pytest_asyncio

from tests.conformance.door import Door
from tests.conformance.requirements import Protocol
from tests.conformance.stage import Connected, Stage, connect, until_live
from tests.conformance.target import Target

CONSENT_S: Final = 30
"""RFC 7675 §5.1: without an answer for so long consent has expired."""
NOTICED_S: Final = 15
"""How much later the server may have freed the session."""


@pytest_asyncio.fixture(scope="package")
async def silenced(
    target: Target, http: httpx.AsyncClient, stage: Stage
) -> AsyncIterator[dict[Protocol, Connected]]:
    """A connected client of each protocol; all vanish at the same moment."""
    await stage.off_air()
    doors = {each: Door(each, *target.endpoint(each), http) for each in target.protocols}
    clients = {}
    for protocol, door in doors.items():
        if protocol == "whep":
            await until_live(door)
        clients[protocol] = await connect(door)
    for client in clients.values():
        client.peer.fall_silent()
    yield clients
    for client in clients.values():
        client.close()
    for door in doors.values():
        await door.close()


async def test_silence_ends_the_session(door: Door, silenced: dict[Protocol, Connected]) -> None:
    client = silenced[door.protocol]
    try:
        async with asyncio.timeout(CONSENT_S):
            await client.peer.ended_by_server.wait()
    except TimeoutError:
        assert not client.peer.ended_by_server.is_set()
    assert await client.ended(NOTICED_S), "the session outlives its peer's consent"
