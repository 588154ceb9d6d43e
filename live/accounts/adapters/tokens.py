"""Access tokens as JSON Web Tokens, HMAC-SHA256 (RFC 7519, RFC 7518 §3.2)."""

import hashlib
import hmac
from typing import Final

import jwt

from live.accounts.core.claims import Person, access_claims, read_claims

ALGORITHM: Final = "HS256"
TOKEN_CHARACTERS: Final = 2048
"""A longer token is not ours."""


class JwtTokens:
    """The tokens of `live.accounts.ports`, signed with a key of their own made of the secret."""

    def __init__(self, secret: str) -> None:
        self._key = hmac.digest(secret.encode(), b"kkot access token", hashlib.sha256)

    def issue(self, person: Person, now_s: int) -> str:
        """A token that vouches for the person."""
        return jwt.encode(access_claims(person, now_s), self._key, ALGORITHM)

    def read(self, token: str, now_s: float) -> Person | None:
        """Whom a token vouches for; None when it is stale or not ours."""
        if len(token) > TOKEN_CHARACTERS:
            return None
        # The claims' times are judged by our core, on the clock it is given.
        try:
            claims = jwt.decode(
                *(token, self._key, [ALGORITHM]),
                options={"verify_exp": False, "verify_iat": False, "verify_nbf": False},
            )
        except (jwt.InvalidTokenError, UnicodeError, ValueError):
            return None
        return read_claims(claims, now_s)
