"""Addresses of STUN and TURN servers: what is taken, what it means, what is refused."""

import pytest

from signaling.core.ice_uri import URI_LIMIT, IceUri, parse_uris

TURN = ("turn", "turns")


@pytest.mark.parametrize(
    ("text", "schemes", "uris"),
    [
        ("", ("stun",), ()),
        ("stun:stun.example", ("stun",), (IceUri("stun", "stun.example", 3478),)),
        ("STUN:192.0.2.1:19302", ("stun",), (IceUri("stun", "192.0.2.1", 19302),)),
        ("stun:[2001:DB8::1]:1", ("stun",), (IceUri("stun", "2001:db8::1", 1),)),
        ("turn:t.example", TURN, (IceUri("turn", "t.example", 3478),)),
        ("turns:t.example", TURN, (IceUri("turns", "t.example", 5349),)),
        ("turn:t:1?transport=TCP", TURN, (IceUri("turn", "t", 1, "tcp"),)),
        (
            " turn:a:1 ,turns:b:443?transport=tcp,",
            TURN,
            (IceUri("turn", "a", 1), IceUri("turns", "b", 443, "tcp")),
        ),
    ],
)
def test_what_is_taken(text: str, schemes: tuple[str, ...], uris: tuple[IceUri, ...]) -> None:
    assert parse_uris(text, schemes) == uris
    assert parse_uris(",".join(map(str, uris)), schemes) == uris


@pytest.mark.parametrize(
    "text",
    [
        *("stun.example", "stun:", "stun://stun.example", "http:stun.example", "turn:t.example"),
        *("stun:a:0", "stun:a:65536", "stun:a:1234567", "stun:a?transport=udp", "stun:a:1?x=y"),
        *("stun:a b", "stun:[::1", "stun:[::g]", "stun:::1", "stun:a..b", f"stun:{'a' * 64}"),
        *("stun:user@host", 'stun:a>;rel="x"', "stun:a\r\nb", ",".join(["stun:a"] * 9)),
    ],
)
def test_what_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_uris(text, ("stun",))


def test_as_many_as_the_limit_are_taken() -> None:
    assert len(parse_uris(",".join(["stun:a"] * URI_LIMIT), ("stun",))) == URI_LIMIT
