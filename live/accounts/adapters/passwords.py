"""Argon2id in threads: a bounded number at once, a bounded number waiting, the rest refused."""

import asyncio
from collections.abc import Callable
from typing import Final, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from live.accounts.errors import BusyError

CONCURRENT: Final = 2
"""Hashings at once; each takes 64 MiB (RFC 9106 §4, second recommended option)."""

WAITING: Final = 64
"""Hashings that may wait for their turn; one more is refused."""

T = TypeVar("T")


class Argon2Passwords:
    """The passwords of `live.accounts.ports`."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._turn = asyncio.Semaphore(CONCURRENT)
        self._inside = 0
        self._nobodys = self._hasher.hash("the password of an account that is not there")

    async def hash(self, password: str) -> str:
        """The hash to keep."""
        return await self._work(lambda: self._hasher.hash(password))

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """Whether the password is right; None costs the same and is never right."""
        right = await self._work(lambda: self._matches(password_hash or self._nobodys, password))
        return right and password_hash is not None

    def _matches(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (Argon2Error, InvalidHashError):
            return False

    async def _work(self, work: Callable[[], T]) -> T:
        if self._inside >= CONCURRENT + WAITING:
            raise BusyError("Many people sign in at the moment; try again.")
        self._inside += 1
        try:
            async with self._turn:
                return await asyncio.to_thread(work)
        finally:
            self._inside -= 1
