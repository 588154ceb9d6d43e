"""Trickle ICE by PATCH: RFC 9725 §4.3.1, §4.3.2, draft-ietf-wish-whep-03 §4.4.1, §4.4.2."""

import re
from typing import Final

from tests.conformance import offers
from tests.conformance.door import UNSUPPORTED, Door, Session
from tests.conformance.offers import Transport
from tests.conformance.outcomes import NotShown
from tests.conformance.stage import connected

STRONG: Final = re.compile(r'"[\x21\x23-\x7e\x80-\xff]*"')
HOST: Final = offers.host("192.0.2.7", 50_000)


async def patched(session: Session, content: str, media_type: str = offers.FRAGMENT) -> int:
    """The status of a PATCH under the current tag."""
    response = await session.request(
        "PATCH", content, if_match=session.etag or None, media_type=media_type
    )
    return response.status_code


async def supporting(door: Door) -> Session:
    """A session that takes trickled candidates. Raises `NotShown` when none does."""
    session = await door.open()
    await session.trickle(HOST)
    return session


async def test_patch_of_another_type_is_refused(door: Door) -> None:
    session = await door.open()
    for media_type in ("text/plain", "application/json", "application/sdp"):
        body = offers.fragment(session.transport, HOST)
        status = await patched(session, body, media_type)
        assert 400 <= status < 500, f"{media_type}: {status}"
    assert not await session.is_over()


async def test_a_malformed_fragment_is_refused(door: Door) -> None:
    session = await door.open()
    for body in ("hello", "{}", "m=", "a=ice-ufrag:only\r\n", "\x00\x01"):
        status = await patched(session, body)
        assert 400 <= status < 500, f"{body!r}: {status}"
    assert not await session.is_over()


async def test_half_a_patch_is_unprocessable(door: Door) -> None:
    session = await door.open()
    trickle = await session.request(
        "PATCH", offers.fragment(session.transport, HOST), if_match=session.etag or None
    )
    restart = await session.request("PATCH", offers.fragment(Transport()), if_match="*")
    taken = [trickle.is_success, restart.is_success]
    if all(taken) or not any(taken):
        raise NotShown("both are taken" if all(taken) else "neither is taken")
    refused = restart if trickle.is_success else trickle
    assert refused.status_code == 422, f"the other is answered with {refused.status_code}"


async def test_the_session_has_an_entity_tag(door: Door) -> None:
    session = await door.open()
    if not session.etag:
        restart = await session.request("PATCH", offers.fragment(Transport()), if_match="*")
        assert restart.status_code in UNSUPPORTED, "it restarts ICE, and has no entity tag"
        raise NotShown("ICE is not restarted, so no entity tag is needed")
    assert STRONG.fullmatch(session.etag), f"{session.etag} is no strong quoted entity tag"


async def test_entity_tags_are_unique(door: Door) -> None:
    sessions = await door.one_by_one(3)
    if not sessions[0].etag:
        raise NotShown("there is no entity tag")
    assert len({session.etag for session in sessions}) == len(sessions)


async def test_trickle_has_no_content(door: Door) -> None:
    session = await door.open()
    response = await session.trickle(HOST)
    assert (response.status_code, response.content) == (204, b"")


async def test_trickle_gives_no_entity_tag(door: Door) -> None:
    session = await door.open()
    response = await session.trickle(HOST)
    assert response.is_success, f"answered with {response.status_code}"
    assert "etag" not in response.headers


async def test_a_missing_entity_tag_is_428(door: Door) -> None:
    session = await supporting(door)
    if not session.etag:
        raise NotShown("there is no entity tag")
    response = await session.trickle(HOST, if_match=None)
    assert response.status_code == 428, f"answered with {response.status_code}"


async def test_a_stale_entity_tag_is_412(door: Door) -> None:
    session = await supporting(door)
    if not session.etag:
        raise NotShown("there is no entity tag")
    for other in ('"another"', f"W/{session.etag}"):
        response = await session.trickle(HOST, if_match=other)
        assert response.status_code == 412, f"{other} is answered with {response.status_code}"
    assert (await session.trickle(HOST)).is_success


async def test_unknown_candidates_are_passed_over(door: Door) -> None:
    session = await supporting(door)
    response = await session.trickle(offers.UNKNOWN_TRANSPORT, offers.MDNS, HOST)
    assert response.status_code == 204, f"answered with {response.status_code}"


async def test_trickled_sessions_connect(door: Door) -> None:
    async with connected(door) as client:
        response = await client.session.trickle(HOST)
        assert response.status_code == 204
        assert await client.peer.is_answered(client.peer.username, client.peer.password)
