"""Who may: Bearer tokens, RFC 9725 §4.7, draft-ietf-wish-whep-03 §4.8, RFC 9110 §11."""

from tests.conformance.door import Door
from tests.conformance.outcomes import NotShown
from tests.conformance.test_http import preflight


def token_of(door: Door) -> str:
    """The token the endpoint wants. Raises `NotShown` when it wants none."""
    if not door.token:
        raise NotShown("no token is given: the endpoint is open")
    return door.token


async def test_a_missing_token_is_refused(door: Door) -> None:
    token_of(door)
    response = await door.post(door.offer(), token="")
    assert response.status_code == 401, f"answered with {response.status_code}"


async def test_a_wrong_token_is_refused(door: Door) -> None:
    token = token_of(door)
    for wrong in (token[:-1], f"{token}x", token.swapcase(), "nobody's"):
        response = await door.post(door.offer(), token=wrong)
        assert response.status_code in (401, 403), f"answered with {response.status_code}"


async def test_a_401_is_a_challenge(door: Door) -> None:
    token_of(door)
    response = await door.post(door.offer(), token="")
    assert response.headers.get("www-authenticate", "").lower().startswith("bearer")


async def test_the_scheme_has_no_case(door: Door) -> None:
    response = await door.post(door.offer(), Authorization=f"bearer {token_of(door)}")
    assert response.status_code == 201, f"answered with {response.status_code}"


async def test_the_token_is_taken_on_the_session(door: Door) -> None:
    session = await door.open()
    response = await session.request("DELETE", token=door.token or "any")
    assert response.is_success, f"answered with {response.status_code}"


async def test_preflight_needs_no_token(door: Door) -> None:
    session = await door.open()
    for url, method in ((door.url, "POST"), (session.url, "PATCH")):
        response = await door.send("OPTIONS", url, "", preflight(method), "")
        assert response.is_success, f"answered with {response.status_code}"
