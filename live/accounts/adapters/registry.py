"""Accounts and refresh tokens in PostgreSQL."""

from collections.abc import Collection
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from live.accounts.adapters.tables import accounts, refresh_tokens
from live.accounts.core.rotation import RefreshToken, Verdict, judge
from live.accounts.ports import Account


class SqlRegistry:
    """The registry of `live.accounts.ports`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def add(self, account: Account, now_s: float) -> bool:
        """Keep a new account; False when its email is taken."""
        row = {
            "id": account.id,
            "email": account.email,
            "name": account.name,
            "locale": account.locale,
            "password_hash": account.password_hash,
            "created_at": _moment(now_s),
        }
        adding = insert(accounts).values(row).on_conflict_do_nothing(index_elements=["email"])
        async with self._engine.begin() as connection:
            return (await connection.execute(adding.returning(accounts.c.id))).first() is not None

    async def by_email(self, email: str) -> Account | None:
        """The account with this email."""
        return await self._find(accounts.c.email == email)

    async def by_id(self, account: str) -> Account | None:
        """The account with this id."""
        return await self._find(accounts.c.id == account)

    async def rename(self, account: str, name: str) -> Account | None:
        """The account under another name; None where there is no such account."""
        this = accounts.c.id == account
        async with self._engine.begin() as connection:
            await connection.execute(sa.update(accounts).where(this).values(name=name))
        return await self._find(this)

    async def names(self, wanted: Collection[str]) -> dict[str, str]:
        """What those of the accounts that there are, are called, by id."""
        if not wanted:
            return {}
        ids = sa.literal(list(wanted), sa.ARRAY(sa.Text))
        query = sa.select(accounts.c.id, accounts.c.name).where(accounts.c.id == sa.any_(ids))
        async with self._engine.connect() as connection:
            return {row.id: row.name for row in await connection.execute(query)}

    async def keep_token(self, digest: bytes, token: RefreshToken) -> None:
        """Keep a new refresh token; the account's stale ones go."""
        async with self._engine.begin() as connection:
            stale = sa.and_(
                refresh_tokens.c.account == token.account,
                refresh_tokens.c.expires_at < sa.func.now(),
            )
            await connection.execute(sa.delete(refresh_tokens).where(stale))
            await _insert(connection, digest, token)

    async def rotate(
        self, digest: bytes, successor: bytes, now_s: float, expires_s: float
    ) -> tuple[Verdict, str | None]:
        """Judge the presented token and carry the verdict out, in one transaction."""
        async with self._engine.begin() as connection:
            token = await _locked(connection, digest)
            verdict = judge(token, now_s)
            if token is None or verdict is Verdict.REFUSE:
                return verdict, None
            if verdict is Verdict.REVOKE_FAMILY:
                await _drop_family(connection, token.family)
                return verdict, None
            used = sa.update(refresh_tokens).where(refresh_tokens.c.digest == digest)
            await connection.execute(used.values(used=True))
            following = RefreshToken(token.account, token.family, expires_s, used=False)
            await _insert(connection, successor, following)
            return verdict, token.account

    async def end_family(self, digest: bytes) -> None:
        """Revoke the family of a token, if there is such a token."""
        async with self._engine.begin() as connection:
            token = await _locked(connection, digest)
            if token is not None:
                await _drop_family(connection, token.family)

    async def _find(self, condition: sa.ColumnElement[bool]) -> Account | None:
        async with self._engine.connect() as connection:
            row = (await connection.execute(sa.select(accounts).where(condition))).first()
        if row is None:
            return None
        return Account(row.id, row.email, row.name, row.locale, row.password_hash)


async def _locked(connection: AsyncConnection, digest: bytes) -> RefreshToken | None:
    query = sa.select(refresh_tokens).where(refresh_tokens.c.digest == digest).with_for_update()
    row = (await connection.execute(query)).first()
    if row is None:
        return None
    return RefreshToken(row.account, row.family, row.expires_at.timestamp(), row.used)


async def _insert(connection: AsyncConnection, digest: bytes, token: RefreshToken) -> None:
    row = {
        "digest": digest,
        "family": token.family,
        "account": token.account,
        "expires_at": _moment(token.expires_s),
        "used": token.used,
    }
    await connection.execute(sa.insert(refresh_tokens).values(row))


async def _drop_family(connection: AsyncConnection, family: str) -> None:
    await connection.execute(sa.delete(refresh_tokens).where(refresh_tokens.c.family == family))


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
