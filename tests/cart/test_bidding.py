"""Bids of one auction are decided together, and each is answered whatever becomes of the others."""

import asyncio
from collections.abc import Sequence
from typing import cast

import pytest

from cart.bidding import BATCH_LIMIT, QUEUE_LIMIT, BidDesks
from cart.core.auction import Offer, TooLow
from cart.errors import Busy
from cart.ports.auctions import AuctionBook, Bid, BidAnswer


class Book:
    """Refuses each bid by its own amount, when it is let."""

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.open = asyncio.Event()
        self.failure: Exception | None = None

    async def bid(self, _auction: str, bids: Sequence[Bid]) -> Sequence[BidAnswer]:
        self.batches.append(len(bids))
        await self.open.wait()
        if self.failure is not None:
            raise self.failure
        return [TooLow(bid.offer.amount_minor) for bid in bids]


def at(book: Book) -> BidDesks:
    """Desks before a book."""
    return BidDesks(cast("AuctionBook", book))


def bid(number: int) -> Bid:
    """One of many bids."""
    return Bid("k", Offer(f"b{number}", "", number, False))


async def come(desks: BidDesks, many: int) -> list[asyncio.Task[BidAnswer]]:
    """Bids that were made one after the other, the first being decided."""
    tasks = [asyncio.create_task(desks.decide("a", bid(number))) for number in range(many)]
    await asyncio.sleep(0)
    return tasks


async def test_what_comes_meanwhile_is_decided_together() -> None:
    book = Book()
    desks = at(book)
    tasks = await come(desks, BATCH_LIMIT + 11)
    book.open.set()
    answers = await asyncio.gather(*tasks)
    assert answers == [TooLow(number) for number in range(BATCH_LIMIT + 11)]
    assert book.batches == [1, BATCH_LIMIT, 10]
    assert desks._desks == {}


async def test_who_stands_at_one_desk_does_not_wait_for_another() -> None:
    book = Book()
    desks = at(book)
    first, second = (asyncio.create_task(desks.decide(name, bid(1))) for name in "ab")
    await asyncio.sleep(0)
    assert book.batches == [1, 1]
    book.open.set()
    assert await first == await second == TooLow(1)


async def test_a_failure_is_everybodys_in_the_batch_and_nobody_elses() -> None:
    book = Book()
    desks = at(book)
    book.failure = ConnectionError("away")
    tasks = await come(desks, 5)
    book.open.set()
    ends = await asyncio.gather(*tasks, return_exceptions=True)
    assert {type(end) for end in ends} == {ConnectionError}
    book.failure = None
    assert await desks.decide("a", bid(7)) == TooLow(7)


async def test_whoever_decides_may_go_and_the_others_are_answered() -> None:
    book = Book()
    desks = at(book)
    tasks = await come(desks, 3)
    tasks[0].cancel()
    tasks[2].cancel()
    book.open.set()
    ends = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(end) for end in ends] == [asyncio.CancelledError, TooLow, asyncio.CancelledError]
    assert desks._desks == {}


async def test_no_more_wait_than_may() -> None:
    book = Book()
    desks = at(book)
    tasks = await come(desks, QUEUE_LIMIT)
    with pytest.raises(Busy):
        await desks.decide("a", bid(0))
    book.open.set()
    assert len(await asyncio.gather(*tasks)) == QUEUE_LIMIT
