"""A session ends: RFC 9725 §4.2, draft-ietf-wish-whep-03 §4.3, RFC 7675 §5.2."""

import asyncio

import httpx

from tests.conformance import offers
from tests.conformance.door import OVER, Door
from tests.conformance.outcomes import NotShown
from tests.conformance.peer import PATIENCE_S
from tests.conformance.stage import connected, until_live
from tests.conformance.target import Target

HOST = offers.host("192.0.2.7", 50_000)


async def test_delete_is_ok(door: Door) -> None:
    response = await (await door.open()).delete()
    assert response.status_code == 200, f"answered with {response.status_code}"


async def test_a_deleted_session_is_gone(door: Door) -> None:
    session = await door.open()
    assert (await session.delete()).is_success
    for method, body in (("DELETE", ""), ("PATCH", offers.fragment(session.transport, HOST))):
        response = await session.request(method, body, if_match="current" if body else None)
        assert response.status_code in OVER, f"{method} is answered with {response.status_code}"


async def test_delete_ignores_entity_tags(door: Door) -> None:
    for tag in ('"another"', '"*"', "*", 'W/"weak"'):
        session = await door.open()
        response = await session.delete(**{"If-Match": tag})
        assert response.status_code == 200, f"{tag} is answered with {response.status_code}"


async def test_delete_ends_dtls(door: Door) -> None:
    async with connected(door) as client:
        async with asyncio.timeout(PATIENCE_S):
            await client.peer.spoken_to.wait()
        await client.session.delete()
        async with asyncio.timeout(PATIENCE_S):
            await client.peer.ended_by_server.wait()
        assert client.peer.ended_by_server.is_set()


async def test_delete_revokes_consent(door: Door) -> None:
    async with connected(door) as client:
        await client.session.delete()
        answered = await client.peer.is_answered(
            client.peer.username, client.peer.password, timeout_s=1.0
        )
        assert not answered, "checks are still answered"


async def test_dtls_close_ends_the_session(door: Door) -> None:
    async with connected(door) as client:
        await client.peer.say_goodbye()
        assert await client.ended(), "the session outlives its DTLS association"


async def test_forged_checks_are_not_answered(door: Door) -> None:
    async with connected(door) as client:
        forged = client.peer.begin_check(client.peer.username, "no password of this session")
        assert await client.peer.is_answered(client.peer.username, client.peer.password)
        assert not forged.is_set(), "a check with a wrong password was answered with success"


async def test_media_flow(door: Door, target: Target, http: httpx.AsyncClient) -> None:
    if not target.whep_url:
        raise NotShown("WHEP_URL is not given: nobody sees what is published")
    async with connected(door) as client:
        if door.protocol == "whep":
            assert await client.peer.more_media(client.video)
            assert await client.peer.more_media(client.audio)
            return
        watching = Door("whep", *target.endpoint("whep"), http)
        await until_live(watching)
        async with connected(watching) as viewer:
            assert await viewer.peer.more_media(viewer.video)
            assert await viewer.peer.more_media(viewer.audio)
        await watching.close()
