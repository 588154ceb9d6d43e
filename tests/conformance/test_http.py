"""How the resources behave over HTTP: RFC 9725 §4.1, §4.2, §4.5, §5, RFC 9110, CORS."""

import asyncio
import json
import math
from typing import Final
from urllib.parse import urlsplit

import httpx

from tests.conformance.door import Door
from tests.conformance.outcomes import NotShown
from tests.conformance.peer import PATIENCE_S
from tests.conformance.target import Target

ORIGIN: Final = "https://player.example"
LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
PER_REQUEST: Final = ("date", "x-request-id", "connection", "keep-alive", "set-cookie")
SESSIONS: Final = 6
LEAST_BITS: Final = 96


def words(value: str) -> set[str]:
    """The members of a list field."""
    return {word.strip() for word in value.split(",") if word.strip()}


def fields(response: httpx.Response) -> dict[str, str]:
    """What a response says that does not differ from request to request."""
    found = {name.lower(): value for name, value in response.headers.items()}
    return {name: value for name, value in found.items() if name not in PER_REQUEST}


def preflight(method: str) -> dict[str, str]:
    """What a browser asks before it sends `method` from another origin."""
    return {
        "Origin": ORIGIN,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization,content-type,if-match",
    }


def assert_allowed(response: httpx.Response, methods: set[str], headers: set[str]) -> None:
    """A browser would go on; * covers every method and header but Authorization (Fetch)."""
    assert response.is_success, f"a preflight was answered with {response.status_code}"
    assert response.headers.get("access-control-allow-origin") in ("*", ORIGIN)
    named = {name.lower() for name in words(response.headers["access-control-allow-headers"])}
    covered = headers - {"authorization"} if "*" in named else set()
    assert headers <= named | covered, f"allowed headers are {named}"
    allowed = words(response.headers["access-control-allow-methods"])
    assert "*" in allowed or methods <= allowed, f"allowed methods are {allowed}"


def bearer(door: Door) -> set[str]:
    """The header that carries the token, where there is one."""
    return {"authorization"} if door.token else set()


async def test_get_on_the_endpoint_is_empty(door: Door) -> None:
    response = await door.ask("GET")
    assert response.is_success, f"answered with {response.status_code}"
    assert response.content == b""


async def test_get_on_the_session_is_empty(door: Door) -> None:
    response = await (await door.open()).request("GET")
    assert response.is_success, f"answered with {response.status_code}"
    assert response.content == b""


async def test_head_is_get_without_body(door: Door) -> None:
    got, head = await door.ask("GET"), await door.ask("HEAD")
    assert (head.status_code, fields(head)) == (got.status_code, fields(got))
    assert head.content == b""


async def test_head_names_the_media_type(door: Door) -> None:
    response = await door.ask("HEAD")
    assert response.status_code == 200, f"answered with {response.status_code}"
    assert response.headers.get("content-type", "").partition(";")[0] == "application/sdp"


async def test_preflight_is_answered(door: Door) -> None:
    response = await door.send("OPTIONS", door.url, "", preflight("POST"), "")
    assert_allowed(response, {"POST"}, {"content-type", *bearer(door)})


async def test_preflight_of_a_session_is_answered(door: Door) -> None:
    session = await door.open()
    response = await door.send("OPTIONS", session.url, "", preflight("PATCH"), "")
    asked = {"content-type", "if-match", *bearer(door)}
    assert_allowed(response, {"PATCH", "DELETE"}, asked)


async def test_options_name_the_media_type(door: Door) -> None:
    response = await door.ask("OPTIONS")
    assert response.status_code == 200, f"answered with {response.status_code}"
    assert "application/sdp" in words(response.headers.get("accept-post", ""))


async def test_answers_can_be_read_across_origins(door: Door) -> None:
    response = await door.post(door.offer(), Origin=ORIGIN)
    assert response.headers.get("access-control-allow-origin") in ("*", ORIGIN)
    exposed = {each.lower() for each in words(response.headers["access-control-expose-headers"])}
    assert {"location", "etag", "link"} <= exposed or exposed == {"*"}


async def test_a_405_names_what_is_allowed(door: Door) -> None:
    session = await door.open()
    for url in (door.url, session.url):
        response = await door.send("PUT", url, "", {})
        if response.status_code != 405:
            raise NotShown(f"PUT is answered with {response.status_code}")
        assert words(response.headers["allow"])


async def test_refusals_are_problem_details(door: Door) -> None:
    response = await door.post(door.offer(), media_type="text/plain")
    media_type = response.headers.get("content-type", "bare")
    if response.is_success or not media_type.startswith("application/problem+json"):
        raise NotShown(f"errors are {media_type}")
    problem = json.loads(response.text)
    assert problem.get("status", response.status_code) == response.status_code
    assert isinstance(problem.get("title", ""), str)


async def test_post_is_never_redirected_as_get(door: Door) -> None:
    for url in (door.url, door.url + "/", door.url.rstrip("/") + "//"):
        headers = {"Content-Type": "application/sdp"}
        response = await door.send("POST", url, door.offer(), headers)
        assert response.status_code not in (301, 302, 303), f"{response.status_code} for {url}"
        if "location" in response.headers and response.status_code == 201:
            await door.send("DELETE", str(response.url.join(response.headers["location"])), "", {})


async def test_load_is_balanced_by_307(door: Door, target: Target, http: httpx.AsyncClient) -> None:
    url = target.redirecting(door.protocol)
    if not url:
        raise NotShown("REDIRECT_URL or WHEP_REDIRECT_URL is not given")
    elsewhere = Door(door.protocol, url, door.token, http)
    headers = {"Content-Type": "application/sdp"}
    async with asyncio.timeout(PATIENCE_S):
        while True:
            response = await elsewhere.send("POST", url, elsewhere.offer(), headers)
            if response.status_code != 409:
                break
    assert response.status_code == 307, f"answered with {response.status_code}"
    assert (await elsewhere.post(elsewhere.offer())).status_code == 201
    await elsewhere.close()


async def test_an_overload_says_when_to_retry(door: Door) -> None:
    response = await door.post(door.offer())
    if response.status_code != 503:
        raise NotShown("the server is not overloaded")
    assert response.headers["retry-after"]


async def test_https_is_used(door: Door) -> None:
    url = urlsplit(door.url)
    if url.scheme == "http" and url.hostname in LOOPBACK:
        raise NotShown("the server is on this machine")
    assert url.scheme == "https"
    assert (await door.ask("GET")).is_success


async def test_session_urls_cannot_be_guessed(door: Door) -> None:
    sessions = [session.url for session in await door.one_by_one(SESSIONS)]
    shared = len(_common_start(sessions))
    secrets = [url[shared:] for url in sessions]
    assert len(set(secrets)) == SESSIONS
    alphabet = len(set("".join(secrets))) - len(set("".join(secrets)) & set("-/"))
    bits = min(map(len, secrets)) * math.log2(max(alphabet, 2))
    assert bits >= LEAST_BITS, f"a session's URL varies by {bits:.0f} bits at most"


def _common_start(texts: list[str]) -> str:
    first, last = min(texts), max(texts)
    return next(
        (first[:n] for n, pair in enumerate(zip(first, last, strict=False)) if pair[0] != pair[1]),
        first,
    )
