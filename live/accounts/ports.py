"""What accounts need from the world around them."""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import Final, Protocol

from live.accounts.core.claims import Person
from live.accounts.core.rotation import RefreshToken, Verdict

ACCESS_COOKIE: Final = "kkot_access"
REFRESH_COOKIE: Final = "kkot_refresh"

JudgeName = Callable[[str], str | None]
"""Why nobody may be called so; None where everybody may."""

StoresOf = Callable[[str], Awaitable[list[str]]]
"""The slugs of the stores an account owns."""


@dataclass(frozen=True, slots=True)
class Account:
    """An account as it is kept."""

    id: str
    email: str
    name: str
    locale: str
    password_hash: str


class Registry(Protocol):
    """The accounts and the refresh tokens, kept durably."""

    async def add(self, account: Account, now_s: float) -> bool:
        """Keep a new account; False when its email is taken."""

    async def by_email(self, email: str) -> Account | None:
        """The account with this email."""

    async def by_id(self, account: str) -> Account | None:
        """The account with this id."""

    async def rename(self, account: str, name: str) -> Account | None:
        """The account under another name; None where there is no such account."""

    async def names(self, wanted: Collection[str]) -> dict[str, str]:
        """What those of the accounts that there are, are called, by id."""

    async def keep_token(self, digest: bytes, token: RefreshToken) -> None:
        """Keep a new refresh token under its digest."""

    async def rotate(
        self, digest: bytes, successor: bytes, now_s: float, expires_s: float
    ) -> tuple[Verdict, str | None]:
        """Judge the presented token and carry the verdict out, in one transaction.

        `successor`: the digest of its successor. Returns the verdict and, if rotated, the account.
        """

    async def end_family(self, digest: bytes) -> None:
        """Revoke the family of a token, if there is such a token."""


class Passwords(Protocol):
    """Hashing that is slow on purpose, off the event loop. Both raise `BusyError` when too many
    wait already."""

    async def hash(self, password: str) -> str:
        """The hash to keep."""

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """Whether the password is right; None costs the same and is never right."""


class Tokens(Protocol):
    """Signed access tokens."""

    def issue(self, person: Person, now_s: int) -> str:
        """A token that vouches for the person."""

    def read(self, token: str, now_s: float) -> Person | None:
        """Whom a token vouches for; None when it is stale or not ours."""


class Limiter(Protocol):
    """Counts sign-in attempts over all nodes."""

    async def attempt(self, email: str, address: str) -> int | None:
        """Count an attempt; None when it may go on, else the seconds to wait."""

    async def succeeded(self, email: str) -> None:
        """Forget the attempts for this email."""


class Cookies(Protocol):
    """The cookies of one request and its answer."""

    def read(self, name: str) -> str | None:
        """A cookie's value."""

    def keep(self, name: str, value: str, *, path: str, max_age_s: int) -> None:
        """Set a cookie that scripts cannot read."""

    def drop(self, name: str, *, path: str) -> None:
        """Take a cookie away."""
