"""What a websocket has received and its one reader has not taken yet.

It stands where uvicorn has an `asyncio.Queue`, which keeps four double-ended queues for each
connection. How much may wait is bounded by who puts: it stops reading the network meanwhile.
"""

import asyncio
from typing import Any

Message = Any
"""An ASGI message."""


class Inbox(asyncio.Queue[Message]):
    """A list, and a future while its reader waits."""

    __slots__ = ("_coming", "_messages")

    def __init__(self) -> None:
        self._messages: list[Message] = []
        self._coming: asyncio.Future[None] | None = None

    def empty(self) -> bool:
        """Whether nothing waits."""
        return not self._messages

    def put_nowait(self, item: Message) -> None:
        """Add one."""
        self._messages.append(item)
        if self._coming is not None and not self._coming.done():
            self._coming.set_result(None)

    async def get(self) -> Message:
        """The first one, as soon as there is one; for one reader only."""
        while not self._messages:
            self._coming = asyncio.get_running_loop().create_future()
            try:
                await self._coming
            finally:
                self._coming = None
        return self._messages.pop(0)
