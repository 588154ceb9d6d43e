"""Sign up, sign in, stay signed in, sign out.

An unknown email and a wrong password get the same answer after the same work. Refresh tokens leave
here once and are kept only as SHA-256 digests.
"""

import hashlib
import secrets
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

from live.accounts.core import rules
from live.accounts.core.claims import ACCESS_SECONDS, Person
from live.accounts.core.rotation import REFRESH_SECONDS, RefreshToken, Verdict
from live.accounts.errors import (
    EmailTakenError,
    InvalidAccountError,
    NameRefusedError,
    SessionOverError,
    TooManyAttemptsError,
    UnknownAccountError,
    WrongCredentialsError,
)
from live.accounts.ports import Account, JudgeName, Limiter, Passwords, Registry, StoresOf, Tokens


@dataclass(frozen=True, slots=True)
class Session:
    """What a signed-in client holds. `access_expires_ms`: since the epoch."""

    account: Account
    access_token: str
    access_expires_ms: int
    refresh_token: str


@dataclass(frozen=True, slots=True)
class Renamed:
    """An account under its new name. `access_expires_ms`: since the epoch."""

    account: Account
    access_token: str
    access_expires_ms: int


class Accounts:
    """The use cases. `clock` gives seconds since the epoch."""

    def __init__(
        self,
        registry: Registry,
        passwords: Passwords,
        tokens: Tokens,
        limiter: Limiter,
        stores_of: StoresOf,
        judge_name: JudgeName,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._registry = registry
        self._passwords = passwords
        self._tokens = tokens
        self._limiter = limiter
        self._stores_of = stores_of
        self._judge_name = judge_name
        self._clock = clock

    async def sign_up(self, email: str, password: str, name: str, locale: str | None) -> Session:
        """Make an account and sign it in.

        Raises `InvalidAccountError`, `NameRefusedError`, `EmailTakenError`.
        """
        kept = {
            "email": rules.email(email),
            "password": rules.password(password),
            "name": rules.name(name),
        }
        for field, value in kept.items():
            if value is None:
                raise InvalidAccountError(f"This {field} cannot be used.", field=field)
        self._demand_name(kept["name"] or "")
        account = Account(
            id=secrets.token_urlsafe(9),
            email=kept["email"] or "",
            name=kept["name"] or "",
            locale=rules.locale(locale),
            password_hash=await self._passwords.hash(kept["password"] or ""),
        )
        if not await self._registry.add(account, self._clock()):
            raise EmailTakenError("There is an account with this email.")
        return await self._begin(account)

    async def sign_in(self, email: str, password: str, address: str) -> Session:
        """Begin a session. `address`: the client's.

        Raises `WrongCredentialsError`, `TooManyAttemptsError`, `BusyError`.
        """
        known_as = rules.email(email) or ""
        wait_s = await self._limiter.attempt(known_as, address)
        if wait_s is not None:
            raise TooManyAttemptsError("Too many attempts; wait a while.", retry_after_s=wait_s)
        account = await self._registry.by_email(known_as) if known_as else None
        offered = rules.password(password) or ""
        kept_hash = account.password_hash if account else None
        right = await self._passwords.verify(kept_hash, offered)
        if account is None or not right:
            raise WrongCredentialsError("No account has this email and password.")
        await self._limiter.succeeded(known_as)
        return await self._begin(account)

    async def refresh(self, refresh_token: str) -> Session:
        """Go on with a session. Raises `SessionOverError`."""
        successor = secrets.token_urlsafe(32)
        now_s = self._clock()
        verdict, account_id = await self._registry.rotate(
            digest(refresh_token), digest(successor), now_s, now_s + REFRESH_SECONDS
        )
        account = await self._registry.by_id(account_id) if account_id else None
        if verdict is not Verdict.ROTATE or account is None:
            raise SessionOverError("This session is over; sign in again.")
        return self._session(account, successor)

    async def sign_out(self, refresh_token: str) -> None:
        """End a session on every device it was copied to."""
        await self._registry.end_family(digest(refresh_token))

    async def account(self, account_id: str) -> Account:
        """The account behind a good access token. Raises `UnknownAccountError`."""
        account = await self._registry.by_id(account_id)
        if account is None:
            raise UnknownAccountError("This account is gone.")
        return account

    async def rename(self, account_id: str, name: str) -> Renamed:
        """Give an account another name, and a token that tells it.

        Raises `InvalidAccountError`, `NameRefusedError`, `UnknownAccountError`.
        """
        kept = rules.name(name)
        if kept is None:
            raise InvalidAccountError("This name cannot be used.", field="name")
        self._demand_name(kept)
        account = await self._registry.rename(account_id, kept)
        if account is None:
            raise UnknownAccountError("This account is gone.")
        token, expires_ms = self._token(account)
        return Renamed(account, token, expires_ms)

    async def names(self, account_ids: Collection[str]) -> dict[str, str]:
        """What those of the accounts that there are, are called, by id."""
        return await self._registry.names(account_ids)

    async def stores(self, account_id: str) -> list[str]:
        """The slugs of the stores the account owns."""
        return await self._stores_of(account_id)

    def who(self, access_token: str) -> Person | None:
        """Whom an access token vouches for, without asking any store."""
        return self._tokens.read(access_token, self._clock())

    async def _begin(self, account: Account) -> Session:
        refresh_token = secrets.token_urlsafe(32)
        kept = RefreshToken(
            account=account.id,
            family=secrets.token_urlsafe(9),
            expires_s=self._clock() + REFRESH_SECONDS,
            used=False,
        )
        await self._registry.keep_token(digest(refresh_token), kept)
        return self._session(account, refresh_token)

    def _session(self, account: Account, refresh_token: str) -> Session:
        return Session(account, *self._token(account), refresh_token)

    def _token(self, account: Account) -> tuple[str, int]:
        now_s = int(self._clock())
        token = self._tokens.issue(Person(account.id, account.name), now_s)
        return token, (now_s + ACCESS_SECONDS) * 1000

    def _demand_name(self, name: str) -> None:
        reason = self._judge_name(name)
        if reason is not None:
            raise NameRefusedError("Nobody may be called so.", reason=reason)


def digest(token: str) -> bytes:
    """What is kept of a refresh token."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
