"""Holds by group commit: what queued while the last batch was in flight is the next batch.

One task per node writes, one transaction per batch, so a hot product costs one row lock for
hundreds of buyers. Nobody is answered before the commit; if the commit fails, or its result is
not known, everybody in it gets the error and may ask again with the same key.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from cart.core import catalog
from cart.core.hold import GRACE_MS, LINES_LIMIT, Hold, HoldLine, HoldState
from cart.core.stock import Decision, HoldRequest, decide, sum_lines
from cart.errors import Busy, Conflict, HoldExpired, Invalid, NotFound
from cart.ports.stock import Ledger
from cart.shopping import new_id

BATCH_LIMIT: Final = 512
"""Most requests in one transaction; the rest go into the next."""

QUEUE_LIMIT: Final = 16_384
"""Most requests waiting on a node, about a second's work; more are refused as busy."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    request: HoldRequest
    answer: asyncio.Future[Decision]


class Holding:
    """Takes and gives back holds; `run` must be running for `hold` to be answered."""

    def __init__(
        self, ledger: Ledger, *, hold_seconds: int, make_id: Callable[[], str] = new_id
    ) -> None:
        self._ledger = ledger
        self._hold_ms = hold_seconds * 1000
        self._make_id = make_id
        self._queue: deque[_Waiting] = deque()
        self._arrived = asyncio.Event()

    async def hold(
        self, buyer: str, key: str, lines: Sequence[HoldLine], *, show: str | None = None
    ) -> Decision:
        """Hold all these units for a buyer, or none: `ask`, and what it promises."""
        return await self.ask(buyer, key, lines, show=show)

    def ask(
        self, buyer: str, key: str, lines: Sequence[HoldLine], *, show: str | None = None
    ) -> asyncio.Future[Decision]:
        """Ask for all these units for a buyer, or none; kept once the decision is durable.

        Lines of one SKU are summed. The same buyer, key and request give the same holds again, on
        whichever node, however many ask at once. The key for anything else is refused, unless
        both ask at the very same moment for products of which they have none in common: what is
        not locked together is not compared, and either may be granted.
        Raises `Invalid`, `NotFound`, `Busy`, or the database's error, after which the holds may
        or may not exist: ask again with the key.
        """
        if not catalog.is_key(key):
            raise Invalid("1 to 64 visible ASCII characters", field="idempotency_key")
        if not 1 <= len(lines) <= LINES_LIMIT:
            raise Invalid(f"1 to {LINES_LIMIT} lines", field="lines")
        for line in lines:
            if not catalog.is_id(line.sku):
                raise NotFound("no such SKU")
        if show is not None and not catalog.is_id(show):
            raise Invalid("a show's id", field="show")
        summed = sum_lines(lines)
        if summed is None:
            raise Invalid("one price for each SKU", field="lines")
        if len(self._queue) >= QUEUE_LIMIT:
            raise Busy
        ids = tuple(self._make_id() for _ in summed)
        request = HoldRequest(ids, buyer, key, summed, show)
        answer: asyncio.Future[Decision] = asyncio.get_running_loop().create_future()
        self._queue.append(_Waiting(request, answer))
        self._arrived.set()
        return answer

    async def release(self, buyer: str, hold: str) -> None:
        """Give units back; raises `NotFound`, `HoldExpired`, or `Conflict` once ordered.

        Giving back twice is giving back once.
        """
        found = await self._ledger.release(hold, buyer) if catalog.is_id(hold) else None
        if found is None:
            raise NotFound("no such hold")
        if found.state == HoldState.EXPIRED:
            raise HoldExpired
        if found.state != HoldState.RELEASED:
            raise Conflict("the hold is part of an order", state=str(found.state))

    async def extend(self, buyer: str, hold: str) -> Hold:
        """Give a hold more time, once; again it is only told.

        Raises `NotFound`, `HoldExpired`, or `Conflict` when it is held no more.
        """
        found = await self._ledger.extend(hold, buyer) if catalog.is_id(hold) else None
        if found is None:
            raise NotFound("no such hold")
        late = found.expires_at_ms + GRACE_MS <= found.now_ms
        if found.state == HoldState.EXPIRED or (found.state == HoldState.HELD and late):
            raise HoldExpired
        if found.state != HoldState.HELD:
            raise Conflict("the hold is held no more", state=str(found.state))
        return found

    async def live(self, buyer: str) -> tuple[Sequence[Hold], int]:
        """A buyer's holds with a running deadline, and the server's time in milliseconds."""
        return await self._ledger.live(buyer)

    async def run(self) -> None:
        """Commit batches until cancelled; whoever still waits then is cancelled too."""
        try:
            while True:
                await self._arrived.wait()
                self._arrived.clear()
                while self._queue:
                    await self._commit(self._take())
        finally:
            for waiting in self._queue:
                waiting.answer.cancel()
            self._queue.clear()

    def _take(self) -> list[_Waiting]:
        count = min(BATCH_LIMIT, len(self._queue))
        batch = [self._queue.popleft() for _ in range(count)]
        return [waiting for waiting in batch if not waiting.answer.done()]

    async def _commit(self, batch: Sequence[_Waiting]) -> None:
        if not batch:
            return
        requests = [waiting.request for waiting in batch]
        try:
            async with self._ledger.batch(requests, self._hold_ms) as opened:
                outcome = decide(requests, opened.facts)
                await opened.keep(requests, outcome)
        except asyncio.CancelledError:
            for waiting in batch:
                waiting.answer.cancel()
            raise
        except Exception as error:  # noqa: BLE001 - each waiter gets it; the task goes on
            for waiting in batch:
                if not waiting.answer.done():
                    waiting.answer.set_exception(error)
            return
        for waiting, decision in zip(batch, outcome.decisions, strict=True):
            if not waiting.answer.done():
                waiting.answer.set_result(decision)
