"""Points: a journal of transfers, each from one purse to another, so that all sums are zero.

A buyer has three purses, none of which is ever below zero; a store gives points and takes them
back, so the store's side may be any number. Points are earned with a paid order, wait in PENDING
until nobody can withdraw from it any more, and are spent like money: RESERVED while the order is
open, the store's once it is paid. What was paid with points earns none.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final

import msgspec

WITHDRAWAL_DAYS: Final = 7
"""How long a buyer may withdraw; points earned are pending as long."""

POINTS_PERCENT: Final = 1
"""What a new store gives of what was paid with money."""

POINTS_PERCENT_LIMIT: Final = 20

POINTS_LIMIT_MINOR: Final = 1_000_000_000_000
"""The most points named in one order; more are refused."""


class Purse(StrEnum):
    """Where points lie."""

    STORE = "store"
    PENDING = "pending"
    READY = "ready"
    RESERVED = "reserved"


class PointsReason(StrEnum):
    """Why points went from one purse to another."""

    EARN = "earn"
    RIPEN = "ripen"
    CLAW = "claw"
    RESERVE = "reserve"
    SPEND = "spend"
    RETURN = "return"
    REFUND = "refund"
    EXPIRE = "expire"


WAYS: Final[Mapping[PointsReason, frozenset[tuple[Purse, Purse]]]] = {
    PointsReason.EARN: frozenset({(Purse.STORE, Purse.PENDING)}),
    PointsReason.RIPEN: frozenset({(Purse.PENDING, Purse.READY)}),
    PointsReason.CLAW: frozenset({(Purse.PENDING, Purse.STORE), (Purse.READY, Purse.STORE)}),
    PointsReason.RESERVE: frozenset({(Purse.READY, Purse.RESERVED)}),
    PointsReason.SPEND: frozenset({(Purse.RESERVED, Purse.STORE)}),
    PointsReason.RETURN: frozenset({(Purse.RESERVED, Purse.READY)}),
    PointsReason.REFUND: frozenset({(Purse.STORE, Purse.READY)}),
    PointsReason.EXPIRE: frozenset({(Purse.READY, Purse.STORE)}),
}
"""From where to where points go for each reason."""


class Transfer(msgspec.Struct, frozen=True, kw_only=True):
    """So many points went from one purse to another; `ref` names the deed, done once."""

    ref: str
    reason: PointsReason
    buyer: str
    store: str
    order: str
    source: Purse
    target: Purse
    amount_minor: int


class Wallet(msgspec.Struct, frozen=True, kw_only=True):
    """A buyer's points: worth a won each; `pending_minor` become ready by and by."""

    ready_minor: int = 0
    pending_minor: int = 0
    reserved_minor: int = 0

    def __post_init__(self) -> None:
        """Nobody owes points."""
        assert min(self.ready_minor, self.pending_minor, self.reserved_minor) >= 0

    def after(self, transfer: Transfer) -> "Wallet | None":
        """After a transfer; None when there are not that many."""
        assert (transfer.source, transfer.target) in WAYS[transfer.reason]
        assert transfer.amount_minor > 0
        purses = {
            Purse.READY: self.ready_minor,
            Purse.PENDING: self.pending_minor,
            Purse.RESERVED: self.reserved_minor,
            Purse.STORE: 0,
        }
        purses[transfer.source] -= transfer.amount_minor
        purses[transfer.target] += transfer.amount_minor
        if min(purses[Purse.READY], purses[Purse.PENDING], purses[Purse.RESERVED]) < 0:
            return None
        return Wallet(
            ready_minor=purses[Purse.READY],
            pending_minor=purses[Purse.PENDING],
            reserved_minor=purses[Purse.RESERVED],
        )


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A transfer as its buyer sees it."""

    reason: PointsReason
    order: str
    store: str
    source: Purse
    target: Purse
    amount_minor: int
    at_ms: int


class Journal(msgspec.Struct, frozen=True, kw_only=True):
    """What an order has done to its buyer's points so far."""

    reserved_minor: int = 0
    spent_minor: int = 0
    refunded_minor: int = 0
    earned_minor: int = 0
    clawed_minor: int = 0
    ripe: bool = False


def journal(transfers: Iterable[Transfer]) -> Journal:
    """Add up an order's transfers. `reserved_minor` is what is reserved still."""
    sums = dict.fromkeys(PointsReason, 0)
    for transfer in transfers:
        sums[transfer.reason] += transfer.amount_minor
    return Journal(
        reserved_minor=sums[PointsReason.RESERVE]
        - sums[PointsReason.SPEND]
        - sums[PointsReason.RETURN],
        spent_minor=sums[PointsReason.SPEND],
        refunded_minor=sums[PointsReason.REFUND],
        earned_minor=sums[PointsReason.EARN],
        clawed_minor=sums[PointsReason.CLAW],
        ripe=sums[PointsReason.RIPEN] > 0,
    )


def earned(paid_minor: int, percent: int) -> int:
    """Points for goods paid with so much money, rounded down."""
    return paid_minor * percent // 100
