"""Access tokens as JSON Web Tokens, HMAC-SHA256 (RFC 7519, RFC 7518 §3.2)."""

import hashlib
import hmac
from functools import lru_cache
from typing import Any, Final

import jwt

from live.accounts.core.claims import Person, access_claims, read_claims

ALGORITHM: Final = "HS256"
TOKEN_CHARACTERS: Final = 2048
"""A longer token is not ours."""
KNOWN_TOKENS: Final = 8192
"""So many signatures found good are not computed again; beyond, the oldest is forgotten."""


class JwtTokens:
    """The tokens of `live.accounts.ports`, signed with a key of their own made of the secret."""

    def __init__(self, secret: str) -> None:
        self._key = hmac.digest(secret.encode(), b"kkot access token", hashlib.sha256)
        self._signed = lru_cache(KNOWN_TOKENS)(self._decode)

    def issue(self, person: Person, now_s: int) -> str:
        """A token that vouches for the person."""
        return jwt.encode(access_claims(person, now_s), self._key, ALGORITHM)

    def read(self, token: str, now_s: float) -> Person | None:
        """Whom a token vouches for; None when it is stale or not ours."""
        if len(token) > TOKEN_CHARACTERS:
            return None
        try:
            claims = self._signed(token)
        except (jwt.InvalidTokenError, UnicodeError, ValueError):
            return None
        return read_claims(claims, now_s)

    def _decode(self, token: str) -> dict[str, Any]:
        # The claims' times are judged by our core, on the clock it is given.
        return jwt.decode(
            *(token, self._key, [ALGORITHM]),
            options={"verify_exp": False, "verify_iat": False, "verify_nbf": False},
        )
