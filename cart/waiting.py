"""Waiting for what is sold out: joining a line, one's place in it, and leaving it.

Whoever frees units offers them, in the same transaction; so there is no task here, and nothing that
a crash could leave between a unit that became free and the one who waited for it.
"""

from collections.abc import Callable, Sequence

from cart.core import catalog
from cart.core.stock import KeyReused, LimitReached, NoSuchSku, OutOfBounds
from cart.core.waitlist import (
    AlreadyWaiting,
    StillFree,
    TooManyWaits,
    Wait,
    WaitRefusal,
    WaitRequest,
    WaitState,
)
from cart.errors import (
    CartError,
    Conflict,
    HoldExpired,
    IdempotencyMismatch,
    Invalid,
    NotFound,
    TooMany,
)
from cart.errors import LimitReached as LimitReachedError
from cart.holding import Holding
from cart.ports.stock import SkuLine, Waitlist
from cart.shopping import Shopping, new_id


class Waiting:
    """The use cases around the waitlist."""

    def __init__(
        self,
        waitlist: Waitlist,
        holding: Holding,
        shopping: Shopping,
        *,
        offer_seconds: int,
        make_id: Callable[[], str] = new_id,
    ) -> None:
        self._waitlist = waitlist
        self._holding = holding
        self._shopping = shopping
        self._offer_ms = offer_seconds * 1000
        self._make_id = make_id

    async def join(
        self, buyer: str, key: str, sku: str, quantity: int, *, show: str | None = None
    ) -> Wait:
        """Wait for units of a SKU of which none is free; the same key gives the same wait.

        Raises `Invalid`, `NotFound`, `IdempotencyMismatch`, `LimitReached`, `TooMany`, `Conflict`.
        """
        if not catalog.is_key(key):
            raise Invalid("1 to 64 visible ASCII characters", field="idempotency_key")
        if not catalog.is_id(sku):
            raise NotFound("no such SKU")
        if show is not None and not catalog.is_id(show):
            raise Invalid("a show's id", field="show")
        request = WaitRequest(self._make_id(), buyer, key, sku, quantity, show, self._offer_ms)
        joined = await self._waitlist.join(request)
        if not isinstance(joined, Wait):
            raise _error(joined)
        return joined

    async def leave(self, buyer: str, wait: str) -> None:
        """Wait no longer, or decline the offer; the next in line is offered it at once.

        Leaving twice is leaving once. Raises `NotFound`, or `Conflict` once ordered.
        """
        left = await self._waitlist.leave(wait, buyer) if catalog.is_id(wait) else None
        if left is None:
            raise NotFound("no such wait")
        if left.state is WaitState.TAKEN:
            raise Conflict("the offer is part of an order", state=str(left.state))
        if left.state is not WaitState.OFFERED:
            return
        try:
            await self._holding.release(buyer, wait)
        except HoldExpired:
            return

    async def waits(self, buyer: str) -> tuple[Sequence[Wait], int]:
        """What a buyer waits for or is being offered, and the server's time in milliseconds."""
        return await self._waitlist.waits(buyer)

    async def lines(self, person: str, slug: str) -> Sequence[SkuLine]:
        """How many wait for each SKU of one's store; raises `NotFound` or `Forbidden`."""
        store = await self._shopping.own_store(person, slug)
        return await self._waitlist.lines(store.slug)


def _error(refusal: WaitRefusal) -> CartError:
    match refusal:
        case StillFree(sku, free):
            return Conflict("some are free: hold them", state="free", sku=sku, free=free)
        case AlreadyWaiting():
            return Conflict("you wait for it already", state=str(WaitState.WAITING))
        case TooManyWaits(limit):
            return TooMany(f"at most {limit}", limit=limit)
        case LimitReached(product, limit):
            return LimitReachedError(f"at most {limit} for one buyer", product=product, limit=limit)
        case OutOfBounds(limit):
            return Invalid(f"1 to {limit}", field="quantity")
        case KeyReused():
            return IdempotencyMismatch()
        case NoSuchSku(sku):
            return NotFound("no such SKU", sku=sku)
