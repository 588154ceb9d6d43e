"""Time-limited TURN credentials, and the Link headers that carry them to WHIP and WHEP clients."""

import base64
import hashlib
import hmac
from typing import Final

CREDENTIAL_LIFE_S: Final = 6 * 3600


def ice_server_links(url: str, secret: str, now_s: int) -> list[str]:
    """Link header values for a TURN server (RFC 9725 §4.6); empty when `url` is.

    The user name is the time it expires and the password its HMAC under the secret shared with
    the TURN server (draft-uberti-behave-turn-rest-00).
    """
    if not url:
        return []
    username = f"{now_s + CREDENTIAL_LIFE_S}:kkot"
    digest = hmac.new(secret.encode(), username.encode(), hashlib.sha1).digest()
    credential = base64.b64encode(digest).decode()
    return [
        f'<{url}?transport={transport}>; rel="ice-server"; username="{username}"; '
        f'credential="{credential}"; credential-type="password"'
        for transport in ("udp", "tcp")
    ]
