"""From what viewers say to what they buy: lines that may be codes go to cart, outcomes come back.

Talk waits for nothing here: a line that may order waits in a bounded queue, and is left alone when
that is full. Only its author hears what became of it.
"""

import asyncio
import hashlib
from collections.abc import Mapping
from typing import Any, Final

import structlog

from cart.code_sales import CodeSales, Spoken
from cart.core.spoken import read
from chat.core.addressee import person
from chat.hub import Hub
from live.server.policies import Publish

log = structlog.get_logger()

WAITING: Final = 8_192
"""So many lines wait on a node at most; more buy nothing, and that is logged."""

AT_ONCE: Final = 64
"""So many orders are with the ledger at a time: it commits them together."""


async def sell_by_codes(codes: CodeSales, hub: Hub) -> None:
    """Hear what is said in a node's rooms, until cancelled."""
    orders = CodeOrders(codes, hub.publish)
    hub.spoken = orders.overhear
    await orders.run()


class CodeOrders:
    """The orders of a node's rooms. `run` must be running."""

    def __init__(self, codes: CodeSales, publish: Publish) -> None:
        self._codes = codes
        self._publish = publish
        self._waiting: asyncio.Queue[Spoken] = asyncio.Queue(WAITING)

    def overhear(self, show: str, said: Mapping[str, Any], key: str) -> None:
        """A viewer said this; the same `key` is the same saying."""
        if "question" in said or not read(said["text"]):
            return
        if self._waiting.full():
            log.warning("too many orders at once", show=show)
            return
        name = hashlib.sha256(f"{show}:{key}".encode("utf-8", "surrogatepass")).hexdigest()[:32]
        spoken = Spoken(show, said["from"]["id"], said["id"], f"say-{name}", said["text"])
        self._waiting.put_nowait(spoken)

    async def run(self) -> None:
        """Buy until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for _ in range(AT_ONCE):
                tasks.create_task(self._serve())

    async def _serve(self) -> None:
        while True:
            spoken = await self._waiting.get()
            try:
                heard = await self._codes.hear(spoken)
                if heard is not None:
                    await self._publish(spoken.show, heard, person(spoken.buyer), spoken.key)
            except Exception as error:  # noqa: BLE001 - one order must not end the others
                log.warning("an order was not heard", show=spoken.show, error=repr(error))
