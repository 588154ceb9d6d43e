"""TURN credentials as any TURN server with the shared secret checks them."""

import base64
import hashlib
import hmac

from signaling.core.ice_uri import parse_uris
from signaling.turn import CREDENTIAL_LIFE_S, ice_server_links


def links(urls: str) -> list[str]:
    return ice_server_links(parse_uris(urls, ("turn", "turns")), "secret", 1_000)


def test_without_a_server_there_is_no_link() -> None:
    assert links("") == []


def test_links_carry_a_password_that_expires() -> None:
    found = links("turn:turn.example.com:3478")
    username = f"{1_000 + CREDENTIAL_LIFE_S}:kkot"
    digest = hmac.new(b"secret", username.encode(), hashlib.sha1).digest()
    assert found == [
        f'<turn:turn.example.com:3478?transport={transport}>; rel="ice-server"; '
        f'username="{username}"; credential="{base64.b64encode(digest).decode()}"; '
        'credential-type="password"'
        for transport in ("udp", "tcp")
    ]


def test_servers_keep_their_order_and_their_transports() -> None:
    urls = "turn:a:1?transport=udp, turn:[2001:db8::1], turns:b, turns:c:443?transport=udp"
    assert [link[1 : link.index(">")] for link in links(urls)] == [
        "turn:a:1?transport=udp",
        "turn:[2001:db8::1]:3478?transport=udp",
        "turn:[2001:db8::1]:3478?transport=tcp",
        "turns:b:5349?transport=tcp",
        "turns:c:443?transport=udp",
    ]
