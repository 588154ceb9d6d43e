"""TURN credentials as any TURN server with the shared secret checks them."""

import base64
import hashlib
import hmac

from signaling.turn import CREDENTIAL_LIFE_S, ice_server_links


def test_without_a_server_there_is_no_link() -> None:
    assert ice_server_links("", "secret", 0) == []


def test_links_carry_a_password_that_expires() -> None:
    links = ice_server_links("turn:turn.example.com:3478", "secret", 1_000)
    username = f"{1_000 + CREDENTIAL_LIFE_S}:kkot"
    digest = hmac.new(b"secret", username.encode(), hashlib.sha1).digest()
    assert len(links) == 2
    for link, transport in zip(links, ("udp", "tcp"), strict=True):
        assert link.startswith(f"<turn:turn.example.com:3478?transport={transport}>;")
        assert 'rel="ice-server"' in link
        assert f'username="{username}"' in link
        assert f'credential="{base64.b64encode(digest).decode()}"' in link
        assert 'credential-type="password"' in link
