"""A refresh token works once and gives its successor; using it again ends the whole family.

Whoever presents a used token is either a thief or the robbed: nobody can tell which, so both must
sign in again (RFC 9700 §4.14.2).
"""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

REFRESH_SECONDS: Final = 30 * 24 * 3600


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """A refresh token as it is kept: never itself, only what happened to it."""

    account: str
    family: str
    expires_s: float
    used: bool


class Verdict(Enum):
    """What to do with a presented token."""

    ROTATE = auto()
    REFUSE = auto()
    REVOKE_FAMILY = auto()


def judge(token: RefreshToken | None, now_s: float) -> Verdict:
    """Decide about a presented token; None: nobody knows it."""
    if token is None:
        return Verdict.REFUSE
    if token.used:
        return Verdict.REVOKE_FAMILY
    return Verdict.ROTATE if now_s < token.expires_s else Verdict.REFUSE
