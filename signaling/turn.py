"""Time-limited TURN credentials, and the Link headers that carry them to WHIP and WHEP clients."""

import base64
import hashlib
import hmac
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from signaling.core.ice_uri import IceUri

CREDENTIAL_LIFE_S: Final = 6 * 3600
TRANSPORTS: Final = {"turn": ("udp", "tcp"), "turns": ("tcp",)}
"""What is offered where the address leaves it open: browsers speak TLS over TCP only."""


def ice_server_links(servers: Sequence[IceUri], secret: str, now_s: int) -> list[str]:
    """Link header values for TURN servers that share a secret (RFC 9725 §4.6), one a transport."""
    username, password = credentials(secret, now_s)
    return [
        f'<{uri}>; rel="ice-server"; username="{username}"; '
        f'credential="{password}"; credential-type="password"'
        for server in servers
        for uri in _over_each_transport(server)
    ]


def credentials(secret: str, now_s: int) -> tuple[str, str]:
    """A user name and password that a TURN server with this secret takes for `CREDENTIAL_LIFE_S`.

    The name is the time it expires, the password its HMAC (draft-uberti-behave-turn-rest-00).
    """
    username = f"{now_s + CREDENTIAL_LIFE_S}:kkot"
    digest = hmac.new(secret.encode(), username.encode(), hashlib.sha1).digest()
    return username, base64.b64encode(digest).decode()


def _over_each_transport(server: IceUri) -> Iterator[IceUri]:
    transports = (server.transport,) if server.transport else TRANSPORTS[server.scheme]
    return (replace(server, transport=transport) for transport in transports)
