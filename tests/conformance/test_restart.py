"""ICE restarts by PATCH: RFC 9725 §4.3.3, draft-ietf-wish-whep-03 §4.4.3."""

from typing import Final

import httpx

from tests.conformance import offers
from tests.conformance.door import Door, Session
from tests.conformance.offers import FRAGMENT, Transport
from tests.conformance.outcomes import NotShown
from tests.conformance.sdp import Description
from tests.conformance.stage import Connected, connected, until_live
from tests.conformance.target import Target

ICE_ATTRIBUTES: Final = ("ice-lite", "ice-options", "ice-pacing")
IMPOSSIBLE: Final = Transport(ufrag="x", password="short")
HOST: Final = offers.host("192.0.2.7", 50_000)


async def restarted(session: Session, if_match: str = "*") -> httpx.Response:
    """The 200 of a restart."""
    response = await session.restart(session.transport.again(), if_match)
    assert response.status_code == 200, f"answered with {response.status_code}"
    return response


async def moved(client: Connected) -> None:
    """The client restarts ICE and goes on from another port, as after a change of network."""
    local = client.session.transport.again()
    response = await client.session.restart(local)
    assert response.status_code == 200, f"answered with {response.status_code}"
    await client.peer.restart(Description(response.text), local)


async def test_a_restart_is_answered_with_200(door: Door) -> None:
    response = await restarted(await door.open())
    media_type = response.headers["content-type"].partition(";")[0].strip().lower()
    assert media_type == FRAGMENT


async def test_a_restart_gives_new_credentials(door: Door) -> None:
    session = await door.open()
    told = Description((await restarted(session)).text)
    assert told.ufrag != session.answer.ufrag
    assert told.password != session.answer.password


async def test_a_restart_gives_a_new_entity_tag(door: Door) -> None:
    session = await door.open()
    tags = {session.etag}
    for _ in range(2):
        await restarted(session)
        tags.add(session.etag)
    assert len(tags - {""}) == 3


async def test_a_restart_gives_candidates(door: Door) -> None:
    told = Description((await restarted(await door.open())).text)
    if not told.candidates:
        raise NotShown("the candidates of the answer are to be used again")
    assert told.candidates


async def test_a_restart_keeps_the_ice_attributes(door: Door) -> None:
    session = await door.open()
    told = Description((await restarted(session)).text)
    for name in ICE_ATTRIBUTES:
        assert set(told.anywhere(name)) == set(session.answer.anywhere(name)), f"a={name}"


async def test_the_tag_before_a_restart_is_412(door: Door) -> None:
    session = await door.open()
    before = session.etag
    await restarted(session)
    response = await session.trickle(HOST, if_match=before)
    assert response.status_code == 412, f"answered with {response.status_code}"
    assert (await session.trickle(HOST)).status_code == 204


async def test_a_quoted_star_is_a_star(door: Door) -> None:
    session = await door.open()
    await restarted(session)
    response = await session.restart(session.transport.again(), '"*"')
    assert response.status_code == 200, f"answered with {response.status_code}"


async def test_a_refused_restart_changes_nothing(door: Door) -> None:
    async with connected(door) as client:
        etag = client.session.etag
        body = offers.fragment(IMPOSSIBLE)
        response = await client.session.request("PATCH", body, if_match="*")
        assert 400 <= response.status_code < 500, f"answered with {response.status_code}"
        assert not await client.session.is_over()
        assert client.session.etag == etag
        assert await client.peer.is_answered(client.peer.username, client.peer.password)
        if door.protocol == "whep":
            assert await client.peer.more_media(client.audio)


async def test_media_go_on_after_a_restart(
    door: Door, target: Target, http: httpx.AsyncClient
) -> None:
    async with connected(door) as client:
        if door.protocol == "whep":
            await client.peer.more_media(client.video)
            await moved(client)
            assert await client.peer.more_media(client.video)
            return
        await moved(client)
        if not target.whep_url:
            raise NotShown("WHEP_URL is not given: nobody sees what is published")
        watching = Door("whep", *target.endpoint("whep"), http)
        await until_live(watching)
        async with connected(watching) as viewer:
            assert await viewer.peer.more_media(viewer.video)
        await watching.close()


async def test_media_go_on_during_a_restart(door: Door) -> None:
    async with connected(door) as client:
        await restarted(client.session)
        assert await client.peer.is_answered(client.peer.username, client.peer.password)
        assert not await client.session.is_over()
        if door.protocol == "whep":
            assert await client.peer.more_media(client.video)


async def test_replaced_credentials_are_dropped(door: Door) -> None:
    async with connected(door) as client:
        before = client.peer.username, client.peer.password
        await moved(client)
        stale = client.peer.begin_check(*before)
        assert await client.peer.is_answered(client.peer.username, client.peer.password)
        assert not stale.is_set(), "a check under the replaced credentials was answered"
