"""Accounts over HTTP."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final

import msgspec

from live.accounts.accounts import Accounts, Session
from live.accounts.core.claims import ACCESS_SECONDS
from live.accounts.core.rotation import REFRESH_SECONDS
from live.accounts.errors import SessionOverError
from live.accounts.ports import ACCESS_COOKIE, REFRESH_COOKIE, Account, Cookies

REFRESH_PATH: Final = "/sessions"

Operation = tuple[str, str, Callable[..., Awaitable[Any]], int]
Text = Annotated[str, msgspec.Meta(max_length=400)]
"""Longer than any rule allows; the rules themselves judge in characters after normalising."""


class SignUp(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A new account; the password has 10 to 200 characters."""

    email: Text
    password: Text
    name: Text
    locale: Annotated[str, msgspec.Meta(max_length=20)] | None = None


class SignIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who wants in."""

    email: Text
    password: Text


class AccountView(msgspec.Struct, frozen=True, kw_only=True):
    """An account as its owner sees it."""

    id: str
    name: str
    email: str


class Rename(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The name others shall see."""

    name: Text


class RenamedView(msgspec.Struct, frozen=True, kw_only=True):
    """The account under its new name, and a token that tells it from now on."""

    account: AccountView
    access_token: str
    access_expires_at_ms: int


class SessionView(msgspec.Struct, frozen=True, kw_only=True):
    """A session that began or goes on; its refresh token is in an HttpOnly cookie."""

    account: AccountView
    access_token: str
    access_expires_at_ms: int


class Me(msgspec.Struct, frozen=True, kw_only=True):
    """The signed-in person, and the stores that are theirs."""

    id: str
    name: str
    email: str
    stores: list[str]


def operations(accounts: Accounts) -> list[Operation]:
    """The operations of accounts and sessions."""

    async def sign_up(body: SignUp, cookies: Cookies) -> SessionView:
        """Make an account and sign in."""
        session = await accounts.sign_up(body.email, body.password, body.name, body.locale)
        return _begin(session, cookies)

    async def sign_in(body: SignIn, cookies: Cookies, address: str) -> SessionView:
        """Sign in."""
        return _begin(await accounts.sign_in(body.email, body.password, address), cookies)

    async def refresh(cookies: Cookies) -> SessionView:
        """Exchange the refresh cookie for a new access token and a new refresh cookie."""
        token = cookies.read(REFRESH_COOKIE)
        if token is None:
            raise SessionOverError("There is no refresh cookie; sign in.")
        return _begin(await accounts.refresh(token), cookies)

    async def sign_out(cookies: Cookies) -> None:
        """Sign out; without a session there is nothing to do."""
        token = cookies.read(REFRESH_COOKIE)
        if token is not None:
            await accounts.sign_out(token)
        cookies.drop(ACCESS_COOKIE, path="/")
        cookies.drop(REFRESH_COOKIE, path=REFRESH_PATH)

    async def me(person: str) -> Me:
        """Who is signed in."""
        account = await accounts.account(person)
        stores = await accounts.stores(person)
        return Me(id=account.id, name=account.name, email=account.email, stores=stores)

    async def rename(person: str, body: Rename, cookies: Cookies) -> RenamedView:
        """Change the name others see; rooms show it from the next time one comes in."""
        found = await accounts.rename(person, body.name)
        cookies.keep(ACCESS_COOKIE, found.access_token, path="/", max_age_s=ACCESS_SECONDS)
        return RenamedView(
            account=_view(found.account),
            access_token=found.access_token,
            access_expires_at_ms=found.access_expires_ms,
        )

    return [
        ("POST", "/accounts", sign_up, 201),
        ("POST", "/sessions", sign_in, 201),
        ("POST", "/sessions/refresh", refresh, 200),
        ("DELETE", "/sessions", sign_out, 204),
        ("GET", "/me", me, 200),
        ("PATCH", "/me", rename, 200),
    ]


def _begin(session: Session, cookies: Cookies) -> SessionView:
    cookies.keep(ACCESS_COOKIE, session.access_token, path="/", max_age_s=ACCESS_SECONDS)
    cookies.keep(
        REFRESH_COOKIE, session.refresh_token, path=REFRESH_PATH, max_age_s=REFRESH_SECONDS
    )
    return SessionView(
        account=_view(session.account),
        access_token=session.access_token,
        access_expires_at_ms=session.access_expires_ms,
    )


def _view(account: Account) -> AccountView:
    return AccountView(id=account.id, name=account.name, email=account.email)
