"""A show has one publisher at a time: the newer wins, the older is told and does not fight back.

WHIP has no word for "somebody else took your place": a client sees its connection closed and tries
again. With an older publish key it is refused anyway. With the same key, as two programs set up
alike have it, each would throw the other out for ever; so whoever comes back by that key within
`REST_S` of a takeover is told to wait, as long as the newer publisher sends.
"""

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from hashlib import sha256
from math import ceil
from typing import Final

import structlog

from chat.core.addressee import SELLER
from live.server.policies import Publish
from live.server.room_events import Replaced, message
from signaling.errors import TakenOver

log = structlog.get_logger()

REST_S: Final = 30.0
SHOWS_MOST: Final = 10_000
"""Shows whose last key is remembered; beyond, the oldest is forgotten, and one try goes through."""
UNTOLD_MOST: Final = 1_000
"""Takeovers that wait to be told; beyond, the oldest is not."""


class Takeovers:
    """Who was replaced on this node. `run` must be running."""

    def __init__(self, publish: Publish, clock: Callable[[], float] = time.monotonic) -> None:
        self._publish = publish
        self._clock = clock
        self._keys: OrderedDict[str, bytes] = OrderedDict()
        self._rest_until: dict[str, float] = {}
        self._untold: deque[tuple[str, str]] = deque(maxlen=UNTOLD_MOST)
        self._said = asyncio.Event()

    def replaced(self, show: str, session: str) -> None:
        """A newer publisher took over from this session here."""
        self.moved(show)
        self._untold.append((show, session))
        self._said.set()

    def moved(self, show: str) -> None:
        """A newer publisher took over from whoever was here, here or on another node."""
        now = self._clock()
        self._rest_until = {s: until for s, until in self._rest_until.items() if until > now}
        self._rest_until[show] = now + REST_S

    def admit(self, show: str, key: str, *, on_air: bool) -> None:
        """Let the bearer of a good key publish, unless it was replaced just now.

        `on_air`: whether a publisher of the show sends, anywhere. Raises `TakenOver`.
        """
        known, digest = self._keys.get(show), sha256(key.encode("utf-8", "replace")).digest()
        wait_s = self._rest_until.get(show, 0.0) - self._clock()
        if on_air and known == digest and wait_s > 0:
            raise TakenOver("a newer publisher took over this show", ceil(wait_s))
        self._keys[show] = digest
        self._keys.move_to_end(show)
        if len(self._keys) > SHOWS_MOST:
            self._keys.popitem(last=False)

    async def run(self) -> None:
        """Tell the sellers until cancelled."""
        while True:
            await self._said.wait()
            self._said.clear()
            while self._untold:
                show, session = self._untold.popleft()
                try:
                    await self._publish(show, message(Replaced(session)), SELLER)
                except Exception as error:  # noqa: BLE001 - the next answer will tell as well
                    log.warning("seller was not told of a takeover", show=show, error=repr(error))
