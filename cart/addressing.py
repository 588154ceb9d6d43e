"""Where somebody's parcels go: each person's own list, which nobody else sees."""

from collections.abc import Callable, Sequence

from cart.checkout import tidy_recipient
from cart.core import catalog
from cart.core.address import ADDRESSES_LIMIT, Address
from cart.core.order import Recipient
from cart.errors import NotFound, TooMany
from cart.ports.answers import Full
from cart.ports.orders import AddressBook
from cart.shopping import new_id


class Addressing:
    """The use cases around addresses."""

    def __init__(self, book: AddressBook, *, make_id: Callable[[], str] = new_id) -> None:
        self._book = book
        self._make_id = make_id

    async def addresses_of(self, person: str) -> Sequence[Address]:
        """A person's addresses: the usual one, then the others, oldest first."""
        return await self._book.addresses_of(person)

    async def add(self, person: str, recipient: Recipient, *, usual: bool) -> Address:
        """Keep an address; one they have already is that one. Raises `Invalid` or `TooMany`."""
        tidy = tidy_recipient(recipient)
        kept = await self._book.add(self._make_id(), person, tidy, ADDRESSES_LIMIT, usual=usual)
        if isinstance(kept, Full):
            raise TooMany("addresses of one person", limit=ADDRESSES_LIMIT)
        return kept

    async def replace(
        self, person: str, address: str, recipient: Recipient, *, usual: bool
    ) -> Address:
        """Change an address; raises `Invalid`, or `NotFound` when it is not theirs."""
        tidy = tidy_recipient(recipient)
        known = catalog.is_id(address)
        kept = await self._book.replace(person, address, tidy, usual=usual) if known else None
        if kept is None:
            raise NotFound("no such address, or one that is there already")
        return kept

    async def remove(self, person: str, address: str) -> None:
        """Forget an address; forgetting twice is forgetting once."""
        if catalog.is_id(address):
            await self._book.remove(person, address)

    async def forget(self, person: str) -> None:
        """Forget all of a person's addresses; what was ordered keeps where it went."""
        await self._book.forget(person)
