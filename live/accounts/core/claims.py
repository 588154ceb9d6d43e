"""What an access token says (RFC 7519): who, by what name, and until when."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

ACCESS_SECONDS: Final = 15 * 60
ISSUER: Final = "kkot"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody an access token vouches for."""

    id: str
    name: str


def access_claims(person: Person, now_s: int) -> dict[str, Any]:
    """The claims of a token issued now."""
    return {
        "iss": ISSUER,
        "sub": person.id,
        "name": person.name,
        "iat": now_s,
        "exp": now_s + ACCESS_SECONDS,
    }


def read_claims(claims: Mapping[str, Any], now_s: float) -> Person | None:
    """Whom the claims vouch for now; None when they are stale, foreign or no claims of ours."""
    subject, name, expires = claims.get("sub"), claims.get("name"), claims.get("exp")
    if claims.get("iss") != ISSUER or not isinstance(subject, str) or not isinstance(name, str):
        return None
    if not isinstance(expires, int) or now_s >= expires:
        return None
    return Person(subject, name)
