"""The ledger of stock: holds, counts, sheets, and who waits for what is gone."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from cart.core.bulk import Plan, Report
from cart.core.hold import Hold
from cart.core.movement import Reason
from cart.core.recount import Tally
from cart.core.restock import RestockRefusal, TooManyOffers
from cart.core.stock import Facts, HoldRequest, KeyReused, Outcome
from cart.core.waitlist import Wait, WaitRefusal, WaitRequest
from cart.ports.answers import DoneBefore


class Stockroom(Protocol):
    """The seller's door to the piles."""

    async def change(
        self, product: str, changes: Mapping[str, int], *, reason: Reason, key: str
    ) -> RestockRefusal | None:
        """Add to, or take from, the free units by SKU, once for each key; None when it is done."""

    async def waiting(self, store: str) -> Mapping[str, int]:
        """How many buyers wait for each SKU of a store; none for the SKUs left out."""


class Imports(Protocol):
    """Sheets of products, each done once for its key."""

    async def earlier(self, store: str, key: str, digest: str) -> Report | KeyReused | None:
        """What was told of this sheet when it was done; None when the key is new."""

    async def done(self, store: str, digest: str) -> bool:
        """Whether this very sheet was done in the store, under any key."""

    async def apply(
        self, store: str, key: str, digest: str, plan: Plan, report: Report
    ) -> Report | KeyReused | DoneBefore | TooManyOffers | None:
        """Do all of it, or what `earlier` says; None when the store's products do not allow it.

        A plan that adds is done once for each sheet, whatever its key.
        """


class Recounts(Protocol):
    """Counters beside what they should be."""

    async def page(self, after: str, limit: int) -> Sequence[Tally] | None:
        """SKUs by id from the one after `after`; None while another node counts."""


class Batch(Protocol):
    """An open transaction on locked products."""

    facts: Facts

    async def keep(self, requests: Sequence[HoldRequest], outcome: Outcome) -> None:
        """Write what was decided; durable once the batch's context has ended without error."""


class Ledger(Protocol):
    """Holds and counters: the only door through which units move."""

    def batch(
        self, requests: Sequence[HoldRequest], hold_ms: int
    ) -> AbstractAsyncContextManager[Batch]:
        """Lock the requests' products in id order and read what deciding them needs."""

    async def release(self, hold: str, buyer: str) -> Hold | None:
        """Give back a buyer's HELD units; the hold as it is then, None when it is not theirs."""

    async def extend(self, hold: str, buyer: str) -> Hold | None:
        """Give a HELD hold in time its one extension; the hold as it is then, None: not theirs."""

    async def live(self, buyer: str) -> tuple[Sequence[Hold], int]:
        """A buyer's holds with a running deadline, oldest first, and the time."""

    async def sweep(self, limit: int) -> int:
        """Expire up to `limit` holds past their deadline, and their orders; how many it was."""


@dataclass(frozen=True, slots=True)
class SkuLine:
    """How many wait for units of a SKU."""

    sku: str
    product: str
    waiting: int


class Waitlist(Protocol):
    """Who waits for what. Offers are the ledger's: whoever frees units makes them."""

    async def join(self, request: WaitRequest) -> Wait | WaitRefusal:
        """Wait at the end of a SKU's line, if none of it is free; the same key, the same wait."""

    async def leave(self, wait: str, buyer: str) -> Wait | None:
        """Wait no longer; the wait as it is then, None when it is not this buyer's."""

    async def waits(self, buyer: str) -> tuple[Sequence[Wait], int]:
        """What a buyer waits for or is being offered, oldest first, and the time."""

    async def lines(self, store: str) -> Sequence[SkuLine]:
        """The SKUs of a store somebody waits for."""
