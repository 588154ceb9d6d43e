"""Bids by group commit: those that came while the last batch of their auction was in flight are the
next, so that a row's lock and a commit serve many.

There is no task: of those who wait one decides for all, and then the next. Nobody is answered
before the commit; if it fails, or its result is not known, everybody in it gets the error and may
ask again with the same key.
"""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import Final

from cart.errors import Busy
from cart.ports.auctions import AuctionBook, Bid, BidAnswer

BATCH_LIMIT: Final = 256
"""Most bids in one transaction; the rest go into the next."""

QUEUE_LIMIT: Final = 4_096
"""Most bids that wait for one auction on a node; more are refused as busy."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    bid: Bid
    answer: asyncio.Future[BidAnswer]


@dataclass(slots=True)
class _Desk:
    """One auction's bids; whoever has the lock decides."""

    queue: deque[_Waiting] = field(default_factory=deque)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    people: int = 0


class BidDesks:
    """The bids of a node's auctions; a desk is there as long as somebody stands at it."""

    def __init__(self, auctions: AuctionBook) -> None:
        self._auctions = auctions
        self._desks: dict[str, _Desk] = {}

    async def decide(self, auction: str, bid: Bid) -> BidAnswer:
        """What becomes of a bid in an auction that exists; raises `Busy`, or the database's error,
        after which the bid may or may not have been taken."""
        desk = self._desks.setdefault(auction, _Desk())
        if desk.people >= QUEUE_LIMIT:
            raise Busy
        waiting = _Waiting(bid, asyncio.get_running_loop().create_future())
        desk.queue.append(waiting)
        desk.people += 1
        try:
            async with desk.lock:
                while not waiting.answer.done():
                    await self._commit(auction, desk)
            return await waiting.answer
        except asyncio.CancelledError:
            if not waiting.answer.cancel() and not waiting.answer.cancelled():
                waiting.answer.exception()  # nobody is left to be told
            raise
        finally:
            desk.people -= 1
            if not desk.people:
                del self._desks[auction]

    async def _commit(self, auction: str, desk: _Desk) -> None:
        count = min(BATCH_LIMIT, len(desk.queue))
        taken = [desk.queue.popleft() for _ in range(count)]
        batch = [waiting for waiting in taken if not waiting.answer.done()]
        try:
            answers = await self._auctions.bid(auction, [waiting.bid for waiting in batch])
        except BaseException as error:
            # Whoever decides for all may be cancelled alone; the others may ask again.
            failure = error if isinstance(error, Exception) else Busy()
            for waiting in batch:
                if not waiting.answer.done():
                    waiting.answer.set_exception(failure)
            if isinstance(error, Exception):
                return
            raise
        for waiting, answer in zip(batch, answers, strict=True):
            if not waiting.answer.done():
                waiting.answer.set_result(answer)
