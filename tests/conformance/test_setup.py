"""A session begins: RFC 9725 §4.2, draft-ietf-wish-whep-03 §4.2."""

import httpx

from tests.conformance import offers
from tests.conformance.door import Door
from tests.conformance.outcomes import NotShown
from tests.conformance.sdp import Description
from tests.conformance.target import Target


def refused(response: httpx.Response) -> bool:
    """Whether the client is told that it is to blame."""
    return 400 <= response.status_code < 500


async def test_an_offer_creates_a_session(door: Door) -> None:
    response = await door.post(door.offer())
    assert response.status_code == 201


async def test_the_answer_is_sdp(door: Door) -> None:
    response = await door.post(door.offer())
    media_type = response.headers["content-type"].partition(";")[0].strip().lower()
    assert media_type == offers.SDP
    assert response.text.startswith("v=0")
    assert Description(response.text).media


async def test_the_location_is_the_session(door: Door) -> None:
    session = await door.open()
    assert session.created.headers.get("location")
    assert session.url != door.url
    assert (await session.delete()).is_success


async def test_another_media_type_is_refused(door: Door) -> None:
    for media_type in ("text/plain", "application/json", "application/sdp-not", offers.FRAGMENT):
        response = await door.post(door.offer(), media_type=media_type)
        assert refused(response), f"{media_type}: {response.status_code}"


async def test_malformed_sdp_is_refused(door: Door) -> None:
    good = door.offer()
    for body in ("hello", "v=0", "{}", good[:40], good.replace("m=", "no media "), b"\xff\xfe\x00"):
        response = await door.post(body)
        assert refused(response), f"{body[:20]!r}: {response.status_code}"


async def test_media_types_have_no_case(door: Door) -> None:
    response = await door.post(door.offer(), media_type="Application/SDP")
    assert response.status_code == 201


async def test_an_offer_in_both_directions_is_taken(door: Door) -> None:
    session = await door.open(offer=offers.turned(door.offer(), "sendrecv"))
    directions = {section.direction for section in session.answer.media}
    assert directions == {door.answered}


async def test_an_inactive_offer_is_refused(door: Door) -> None:
    assert refused(await door.post(offers.turned(door.offer(), "inactive")))


async def test_an_offer_the_wrong_way_is_refused(door: Door) -> None:
    assert refused(await door.post(offers.turned(door.offer(), door.answered)))


async def test_nobody_on_air_is_a_conflict(
    door: Door, target: Target, http: httpx.AsyncClient
) -> None:
    if not target.off_air_url:
        raise NotShown("OFF_AIR_URL is not given")
    quiet = Door("whep", target.off_air_url, target.whep_token, http)
    response = await quiet.post(quiet.offer())
    await quiet.close()
    if response.status_code == 201:
        raise NotShown("players may wait for the publisher in a session")
    assert response.status_code == 409
    assert response.headers["retry-after"].isdecimal()
