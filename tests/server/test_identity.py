"""Origins and cookies: who may act, and from where."""

import pytest
from starlette.requests import Request

from live.server.errors import ForeignOriginError
from live.server.identity import Origins, Visitors

ORIGINS = Origins(["https://shop.example", ""])
VISITORS = Visitors({"good": "ann"}.get, ORIGINS, secure=False)


def request(method: str = "GET", **headers: str) -> Request:
    named = {"host": "kkot.test", **{k.replace("_", "-"): v for k, v in headers.items()}}
    raw = [(name.encode(), value.encode()) for name, value in named.items()]
    return Request({"type": "http", "method": method, "headers": raw, "path": "/"})


@pytest.mark.parametrize(
    ("origin", "host", "allowed"),
    [
        (None, "kkot.test", True),
        ("http://kkot.test", "kkot.test", True),
        ("https://KKOT.test", "kkot.test", True),
        ("http://kkot.test:8000", "kkot.test:8000", True),
        ("https://shop.example", "10.0.0.7:8000", True),
        ("http://kkot.test:8001", "kkot.test:8000", False),
        ("http://evil.example", "kkot.test", False),
        ("http://shop.example", "kkot.test", False),
        ("null", "kkot.test", False),
        ("http://", None, False),
        ("http://", "", False),
        ("http://[", "kkot.test", False),
        ("ftp://kkot.test", "kkot.test", False),
    ],
)
def test_origins(origin: str | None, host: str | None, allowed: bool) -> None:
    assert ORIGINS.allowed(origin, host) is allowed


def test_a_bearer_token_counts_alone() -> None:
    assert VISITORS.person(request("POST", authorization="Bearer good")) == "ann"
    assert VISITORS.person(request("POST", authorization="bearer  good")) == "ann"
    cookie = "kkot_access=good"
    assert VISITORS.person(request(authorization="Bearer bad", cookie=cookie)) is None
    assert VISITORS.person(request(authorization="Basic good", cookie=cookie)) is None


def test_a_cookie_acts_only_from_our_pages() -> None:
    cookie = "kkot_access=good"
    assert VISITORS.person(request(cookie=cookie)) == "ann"
    assert VISITORS.person(request("POST", cookie="kkot_access=bad")) is None
    ours = [{"origin": "http://kkot.test"}, {"sec_fetch_site": "same-origin"}]
    for headers in ours:
        assert VISITORS.person(request("POST", cookie=cookie, **headers)) == "ann"
    foreign: list[dict[str, str]] = [{}, {"origin": "null"}, {"origin": "http://evil.example"}]
    foreign += [{"sec_fetch_site": "same-site"}, {"sec_fetch_site": "none"}]
    for headers in foreign:
        with pytest.raises(ForeignOriginError):
            VISITORS.person(request("POST", cookie=cookie, **headers))


def test_nobody_is_nobody() -> None:
    assert VISITORS.person(request("POST")) is None
