"""The server's own offer, 406: draft-ietf-wish-whep-03 §4.2.2."""

from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urljoin

import httpx

from tests.conformance import offers
from tests.conformance.door import Door, Session
from tests.conformance.offers import SDP, Transport
from tests.conformance.outcomes import NotShown
from tests.conformance.sdp import Description

VALID_UNTIL: Final = "valid-until"


async def counter_offered(door: Door) -> httpx.Response:
    """A 406 with an offer, by an offer that the server cannot take. Raises `NotShown`."""
    response = await door.post(offers.with_unknown_video(door.offer()))
    if response.status_code != 406 or not response.headers.get("content-type", "").startswith(SDP):
        raise NotShown(f"an offer it cannot take is answered with {response.status_code}")
    return response


async def test_a_406_is_a_counter_offer(door: Door) -> None:
    for accept in ("*/*", "application/sdp", "application/json", "text/html"):
        response = await door.post(door.offer(), Accept=accept)
        if response.status_code == 406:
            assert response.headers.get("content-type", "").startswith(SDP)
            assert Description(response.text).media
        else:
            assert response.status_code == 201, f"{accept} is answered with {response.status_code}"


async def test_a_counter_offer_is_whole(door: Door) -> None:
    response = await counter_offered(door)
    assert response.headers["location"]
    directions = {section.direction for section in Description(response.text).media}
    assert directions <= {"sendonly", "sendrecv"}
    _, _, parameters = response.headers["content-type"].partition(";")
    name, _, value = parameters.strip().partition("=")
    if name == VALID_UNTIL:
        assert parsedate_to_datetime(value.strip('"')).tzinfo is not None


async def test_an_answered_counter_offer_has_no_content(door: Door) -> None:
    session = Session(door, await counter_offered(door), Transport())
    answer = offers.answer(session.answer, session.transport)
    response = await session.request("PATCH", answer, media_type=SDP)
    await session.delete()
    assert (response.status_code, response.content) == (204, b"")


async def test_a_malformed_answer_is_refused(door: Door) -> None:
    offered = await counter_offered(door)
    url = urljoin(str(offered.url), offered.headers["location"])
    response = await door.send("PATCH", url, "hello", {"Content-Type": SDP})
    assert 400 <= response.status_code < 500, f"answered with {response.status_code}"
