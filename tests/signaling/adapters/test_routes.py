"""WHIP and WHEP over HTTP: the checklists of RFC 9725 and draft-ietf-wish-whep-03."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import httpx
import pytest
import pytest_asyncio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from signaling import endpoint as endpoints
from signaling.adapters.routes import OFFER_LIMIT_BYTES, OPENAPI, routes
from signaling.adapters.service import open_signaling
from signaling.core import sdp
from signaling.core.rate_limit import REFUSED_COST, RateLimits, rates
from signaling.endpoint import Endpoint
from signaling.errors import SignalingError
from tests.signaling.doubles import KEY, SHOW, OneShow, RecordingMedia
from tests.signaling.offers import STREAM, chromium

STATUS: Final = {
    "malformed_sdp": 400,
    "publish_key_refused": 401,
    "not_found": 404,
    "show_ended": 409,
    "not_on_air": 409,
    "precondition_failed": 412,
    "too_long": 413,
    "unsupported_media_type": 415,
    "unacceptable_offer": 422,
    "precondition_required": 428,
    "too_many_requests": 429,
    "overloaded": 503,
}
JOINS_PER_S: Final = 2
WHIP, WHEP = f"/whip/{SHOW}", f"/whep/{SHOW}"
SDP = {"Content-Type": "application/sdp"}
BEARER = SDP | {"Authorization": f"Bearer {KEY}"}
LINK = '<turn:turn.example.com?transport=udp>; rel="ice-server"'
FRAGMENT = {"Content-Type": "application/trickle-ice-sdpfrag"}
TRICKLE = (
    "a=group:BUNDLE 0 1\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\n"
    "a=candidate:1 1 udp 1 192.0.2.7 4000 typ host\r\n"
    "a=candidate:2 1 quic 1 somewhere.local 4000 typ host\r\na=end-of-candidates\r\n"
)
RESTART = TRICKLE.replace("a=cand", f"a=ice-ufrag:fresh\r\na=ice-pwd:{'p' * 24}\r\na=cand", 1)
PUBLISH, WATCH = chromium("publish"), chromium("watch")


def refuse(request: Request, error: Exception) -> Response:
    assert isinstance(error, SignalingError)
    return Response(error.code, STATUS[error.code])


@dataclass
class House:
    client: httpx.AsyncClient
    endpoint: Endpoint
    gate: OneShow
    media: RecordingMedia


@pytest_asyncio.fixture
async def house() -> AsyncIterator[House]:
    media, gate = RecordingMedia(STREAM), OneShow()
    async with open_signaling(
        media, gate, udp_port=0, tcp_port=0, public_ips=["192.0.2.1"]
    ) as endpoint:
        app = Starlette(
            routes=routes(
                endpoint,
                lambda now_s: [LINK, LINK.replace("udp", "tcp")],
                RateLimits(rates(JOINS_PER_S)),
            ),
            exception_handlers={SignalingError: refuse},
        )
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://kkot.test") as client:
            yield House(client, endpoint, gate, media)


@asynccontextmanager
async def stranger(house: House, address: str = "198.51.100.7") -> AsyncIterator[httpx.AsyncClient]:
    """A client at another machine."""
    transport = house.client._transport
    assert isinstance(transport, httpx.ASGITransport)
    far = httpx.ASGITransport(transport.app, client=(address, 4000))
    async with httpx.AsyncClient(transport=far, base_url="http://kkot.test") as client:
        yield client


def assert_created(response: httpx.Response, path: str, direction: str) -> str:
    """The 201 of RFC 9725 §4.2; gives the session's path."""
    assert response.status_code == 201
    assert response.headers["content-type"] == "application/sdp"
    location = response.headers["location"]
    session = location.removeprefix(f"{path}/")
    assert len(session) >= 20
    ufrag = sdp.parse(response.text).media[0].first("ice-ufrag")
    assert response.headers["etag"] == f'"{ufrag}"'
    assert len(response.headers.get_list("link")) == 2
    assert response.headers["access-control-allow-origin"] == "*"
    exposed = response.headers["access-control-expose-headers"]
    assert {"Location", "ETag", "Link"} <= set(exposed.split(", "))
    media = sdp.parse(response.text).media
    assert [section.direction for section in media] == [direction] * 2
    assert "192.0.2.1" in response.text
    return str(location)


async def test_whip_answers_and_ends(house: House) -> None:
    response = await house.client.post(WHIP, content=PUBLISH, headers=BEARER)
    session = assert_created(response, WHIP, "recvonly")
    assert len(house.endpoint) == 1
    assert (await house.client.get(session)).status_code == 204
    ended = await house.client.delete(session, headers={"If-Match": '"whatever"'})
    assert ended.status_code == 200
    assert house.media.sinks[0].is_closed.is_set()
    assert len(house.endpoint) == 0
    assert (await house.client.delete(session)).status_code == 404
    assert (await house.client.get(session)).status_code == 404


async def test_whep_answers_and_ends(house: House) -> None:
    response = await house.client.post(WHEP, content=WATCH, headers=SDP)
    session = assert_created(response, WHEP, "sendonly")
    assert (await house.client.head(session)).status_code == 204
    assert (await house.client.delete(session)).status_code == 200
    assert (await house.client.delete(session)).status_code == 404


async def test_every_session_has_its_own_url_and_credentials(house: House) -> None:
    answers = [await house.client.post(WHEP, content=WATCH, headers=SDP) for _ in range(3)]
    assert len({answer.headers["location"] for answer in answers}) == 3
    assert len({answer.headers["etag"] for answer in answers}) == 3
    passwords = {sdp.parse(answer.text).media[0].first("ice-pwd") for answer in answers}
    assert len(passwords) == 3


@pytest.mark.parametrize("media_type", ["application/sdp; charset=utf-8", "Application/SDP"])
async def test_the_media_type_is_read_as_http_has_it(house: House, media_type: str) -> None:
    response = await house.client.post(WHEP, content=WATCH, headers={"Content-Type": media_type})
    assert response.status_code == 201


@pytest.mark.parametrize(
    "authorization", [None, "", "Bearer", "Bearer wrong", f"Basic {KEY}", KEY, f"Bearer {KEY} x"]
)
async def test_whip_needs_the_publish_key(house: House, authorization: str | None) -> None:
    headers = SDP if authorization is None else SDP | {"Authorization": authorization}
    response = await house.client.post(WHIP, content=PUBLISH, headers=headers)
    assert (response.status_code, response.text) == (401, "publish_key_refused")
    assert len(house.endpoint) == 0


async def test_the_scheme_of_the_key_has_no_case(house: House) -> None:
    headers = SDP | {"Authorization": f"bearer {KEY}"}
    response = await house.client.post(WHIP, content=PUBLISH, headers=headers)
    assert response.status_code == 201


@pytest.mark.parametrize("method", ["POST", "GET", "HEAD"])
@pytest.mark.parametrize("path", ["/whip/nowhere", "/whep/nowhere"])
async def test_an_unknown_show_is_not_found(house: House, method: str, path: str) -> None:
    house.media.current = None
    response = await house.client.request(method, path, content=PUBLISH, headers=BEARER)
    assert response.status_code == 404


async def test_an_ended_show_cannot_be_published(house: House) -> None:
    house.gate.over = True
    response = await house.client.post(WHIP, content=PUBLISH, headers=BEARER)
    assert (response.status_code, response.text) == (409, "show_ended")


async def test_a_show_that_nobody_publishes_cannot_be_watched_yet(house: House) -> None:
    house.media.current = None
    response = await house.client.post(WHEP, content=WATCH, headers=SDP)
    assert (response.status_code, response.text) == (409, "not_on_air")


async def test_a_show_on_another_node_is_redirected_with_its_method(house: House) -> None:
    house.media.current = None
    house.gate.elsewhere = "https://node-2.example.com"
    response = await house.client.post(WHEP, content=WATCH, headers=SDP)
    assert response.status_code == 307
    assert response.headers["location"] == f"https://node-2.example.com{WHEP}"
    assert response.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize(("path", "headers"), [(WHIP, BEARER), (WHEP, SDP)])
async def test_what_is_no_good_offer(house: House, path: str, headers: dict[str, str]) -> None:
    offer = PUBLISH if path == WHIP else WATCH
    refusals: list[tuple[int, str | bytes, dict[str, str]]] = [
        (400, "", headers),
        (400, "hello", headers),
        (400, b"\xff\xfe\x00", headers),
        (400, offer.replace("a=fingerprint", "a=x"), headers),
        (413, "v=0\r\n" + "a=x\r\n" * (OFFER_LIMIT_BYTES // 5), headers),
        (415, offer, headers | {"Content-Type": "text/plain"}),
        (415, offer, headers | {"Content-Type": ""}),
        (422, offer.replace("a=rtcp-mux", "a=x"), headers),
    ]
    for status, body, sent in refusals:
        response = await house.client.post(path, content=body, headers=sent)
        assert response.status_code == status, body
    assert len(house.endpoint) == 0


async def test_the_longest_offer_is_still_read(house: House) -> None:
    padded = WATCH + f"a=x:{'y' * (OFFER_LIMIT_BYTES - len(WATCH) - 6)}\r\n"
    assert len(padded) == OFFER_LIMIT_BYTES
    assert (await house.client.post(WHEP, content=padded, headers=SDP)).status_code == 201
    response = await house.client.post(WHEP, content=padded + "\n", headers=SDP)
    assert response.status_code == 413


async def test_too_many_unconnected_sessions_are_refused(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoints, "PENDING_LIMIT", 2)
    statuses = [
        (await house.client.post(WHEP, content=WATCH, headers=SDP)).status_code for _ in range(3)
    ]
    assert statuses == [201, 201, 503]


async def test_sessions_of_one_address_that_wait_are_bounded(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoints, "PENDING_PER_CLIENT", 2)
    async with stranger(house) as far, stranger(house, "198.51.100.8") as other:
        answers = [await far.post(WHEP, content=WATCH, headers=SDP) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [201, 201, 429]
        assert (await other.post(WHEP, content=WATCH, headers=SDP)).status_code == 201
        assert (await house.client.post(WHEP, content=WATCH, headers=SDP)).status_code == 201
        assert (await far.delete(answers[0].headers["location"])).status_code == 200
        assert (await far.post(WHEP, content=WATCH, headers=SDP)).status_code == 201


async def test_wrong_keys_are_not_tried_for_long(house: House) -> None:
    wrong = BEARER | {"Authorization": "Bearer guess"}
    async with stranger(house) as far, stranger(house, "198.51.100.8") as other:
        statuses: list[int] = []
        while not statuses or statuses[-1] == 401:
            response = await far.post(WHIP, content=PUBLISH, headers=wrong)
            statuses.append(response.status_code)
        assert statuses == [401] * 6 + [429]
        right = await far.post(WHIP, content=PUBLISH, headers=BEARER)
        assert right.status_code == 429, "the key is not even looked at"
        assert (await other.post(WHIP, content=PUBLISH, headers=BEARER)).status_code == 201
        assert (await far.post(WHEP, content=WATCH, headers=SDP)).status_code == 201


async def test_joins_of_one_address_are_limited_and_those_of_this_machine_are_not(
    house: House,
) -> None:
    async with stranger(house) as far:
        statuses = [
            (await far.post(WHEP, content=WATCH, headers=SDP)).status_code
            for _ in range(10 * JOINS_PER_S + 5)
        ]
        assert statuses[: 10 * JOINS_PER_S] == [201] * 10 * JOINS_PER_S
        assert 429 in statuses
    for _ in range(10 * JOINS_PER_S + 5):
        response = await house.client.post(WHEP, content=WATCH, headers=SDP)
        assert response.status_code == 201


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
async def test_guessing_sessions_is_limited(house: House, method: str) -> None:
    async with stranger(house) as far:
        statuses = [
            (await far.request(method, f"{WHEP}/{guess}", headers=FRAGMENT)).status_code
            for guess in range(20 * JOINS_PER_S // (1 + REFUSED_COST) + 2)
        ]
    assert statuses[0] == 404
    assert statuses[-1] == 429


async def test_waiting_for_the_publisher_is_nobodys_fault(house: House) -> None:
    house.media.current = None
    async with stranger(house) as far:
        for _ in range(9 * JOINS_PER_S):
            response = await far.post(WHEP, content=WATCH, headers=SDP)
            assert response.status_code == 409


async def test_the_endpoint_can_be_looked_at(house: House) -> None:
    for method in ("GET", "HEAD"):
        whip = await house.client.request(method, WHIP)
        assert (whip.status_code, whip.content) == (204, b"")
        whep = await house.client.request(method, WHEP)
        assert (whep.status_code, whep.content) == (200, b"")
        assert whep.headers["content-type"] == "application/sdp"
        for response in (whip, whep):
            assert response.headers["accept-post"] == "application/sdp"
            assert response.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("path", [WHIP, WHEP, f"{WHIP}/session", f"{WHEP}/session"])
async def test_options_and_preflight(house: House, path: str) -> None:
    plain = await house.client.options(path)
    preflight = await house.client.options(
        path, headers={"Origin": "https://x.test", "Access-Control-Request-Method": "POST"}
    )
    for response in (plain, preflight):
        assert response.status_code == 200
        assert response.headers["accept-post"] == "application/sdp"
        assert response.headers["access-control-allow-origin"] == "*"
        assert "POST" in response.headers["access-control-allow-methods"]
        assert "DELETE" in response.headers["access-control-allow-methods"]
        assert "Authorization" in response.headers["access-control-allow-headers"]
    assert plain.headers.get_list("link") == [LINK, LINK.replace("udp", "tcp")]
    assert "link" not in preflight.headers


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        (WHIP, {"POST", "GET", "HEAD", "OPTIONS"}),
        (WHEP, {"POST", "GET", "HEAD", "OPTIONS"}),
        (f"{WHIP}/session", {"DELETE", "GET", "HEAD", "OPTIONS", "PATCH"}),
        (f"{WHEP}/session", {"DELETE", "GET", "HEAD", "OPTIONS", "PATCH"}),
    ],
)
async def test_what_is_not_offered_is_not_allowed(
    house: House, path: str, allowed: set[str]
) -> None:
    for method in {"PATCH", "PUT"} - allowed:
        response = await house.client.request(method, path, content="", headers=BEARER)
        assert response.status_code == 405
        assert set(response.headers["allow"].split(", ")) == allowed


async def test_a_session_belongs_to_its_show_and_door(house: House) -> None:
    response = await house.client.post(WHEP, content=WATCH, headers=SDP)
    session = response.headers["location"].rpartition("/")[2]
    for path in (f"{WHIP}/{session}", f"/whep/other/{session}", f"{WHEP}/{session}x"):
        assert (await house.client.delete(path)).status_code == 404
    assert len(house.endpoint) == 1


async def patched(
    house: House, session: str, tag: str | None, body: str = TRICKLE
) -> httpx.Response:
    headers = FRAGMENT if tag is None else FRAGMENT | {"If-Match": tag}
    return await house.client.patch(session, content=body, headers=headers)


async def test_trickled_candidates_are_taken_note_of(house: House) -> None:
    created = await house.client.post(WHEP, content=WATCH, headers=SDP)
    session, tag = created.headers["location"], created.headers["etag"]
    for accepted in (tag, "*", '"*"', f'"other", {tag}'):
        response = await patched(house, session, accepted)
        assert (response.status_code, response.content) == (204, b"")
        assert "etag" not in response.headers
        assert response.headers["access-control-allow-origin"] == "*"
    assert (await patched(house, session, None)).status_code == 428
    for stale in ('"other"', f"W/{tag}", tag.strip('"')):
        assert (await patched(house, session, stale)).status_code == 412


async def test_a_restart_gives_new_credentials_and_a_new_tag(house: House) -> None:
    created = await house.client.post(WHIP, content=PUBLISH, headers=BEARER)
    session, tag = created.headers["location"], created.headers["etag"]
    tags = {tag}
    for turn, if_match in enumerate(("*", '"*"')):
        response = await patched(house, session, if_match, RESTART.replace("fresh", f"new{turn}"))
        assert response.status_code == 200
        assert response.headers["content-type"] == "application/trickle-ice-sdpfrag"
        tags.add(response.headers["etag"])
        lines = response.text.split("\r\n")
        assert lines[2:4] == ["m=audio 9 UDP/TLS/RTP/SAVPF 111", "a=mid:0"]
        for line in ("a=ice-lite", "a=ice-options:trickle ice2"):
            assert line in lines[:2]
            assert line in created.text.split("\r\n")
        assert f"a=ice-ufrag:{response.headers['etag'].strip(chr(34))}" in lines
        assert any(line.startswith("a=candidate:") for line in lines)
        assert "a=end-of-candidates" in lines
    assert len(tags) == 3
    assert (await patched(house, session, tag)).status_code == 412
    again = await house.client.delete(session, headers={"If-Match": '"any"'})
    assert again.status_code == 200


async def test_patches_that_make_no_sense_change_nothing(house: House) -> None:
    created = await house.client.post(WHEP, content=WATCH, headers=SDP)
    session, tag = created.headers["location"], created.headers["etag"]
    for body in ("", "hello", "a=ice-ufrag:fresh\r\n", "v=0\r\n", "m=\r\n"):
        assert (await patched(house, session, "*", body)).status_code == 400
    wrong = await house.client.patch(session, content=TRICKLE, headers=SDP | {"If-Match": tag})
    assert wrong.status_code == 415
    assert (await patched(house, f"{WHEP}/nobody", tag)).status_code == 404
    long = await patched(house, session, tag, TRICKLE + "a=x\r\n" * OFFER_LIMIT_BYTES)
    assert long.status_code == 413
    assert (await patched(house, session, tag)).status_code == 204


async def test_every_path_is_documented(house: House) -> None:
    served = routes(house.endpoint, lambda _: [], RateLimits({}))
    paths = {getattr(route, "path", None) for route in served}
    assert paths == set(OPENAPI)
