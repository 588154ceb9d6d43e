"""Asking payment providers: with bounded patience, in rounds over what is due, and when somebody
wishes it, though not more often than is good.

Each provider has rounds of its own: one that is silent makes nobody wait who paid at another. What
is settled, payments or refunds, and what follows from an answer is said by whoever asks.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from time import monotonic
from typing import Final, TypeVar

import structlog

from cart.core.turns import Turns
from cart.ports.payments import ProviderSilent
from cart.rounds import run_rounds

ANSWER_WITHIN_S: Final = 10.0
"""A provider that takes longer is silent."""

DUE_LIMIT: Final = 16
"""Most things a provider is asked about at once because they are due, and as many because somebody
wished it; the rest go into the next round.
"""

SETTLE_EVERY_S: Final = 1.0

T = TypeVar("T")

log = structlog.get_logger(__name__)


async def answer(asked: Awaitable[T], within_s: float) -> T:
    """What a provider answers; raises `ProviderSilent` when that takes too long."""
    try:
        async with asyncio.timeout(within_s):
            return await asked
    except TimeoutError:
        raise ProviderSilent from None


class DueRounds:
    """Settles what is due at one provider, round by round. `due`: so many ids at most; `settle`:
    one of them.

    Whoever settles one in between, because somebody wishes it, takes a turn for it before.
    """

    def __init__(
        self,
        name: str,
        due: Callable[[int], Awaitable[Sequence[str]]],
        settle: Callable[[str], Awaitable[object]],
        *,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._name = name
        self._due = due
        self._settle = settle
        self._clock = clock
        self._turns = Turns()
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """There is something to settle now."""
        self._wake.set()

    def take_turn(self, thing: str) -> bool:
        """Whether it may be settled now; if not, a round does once it has turns again."""
        return self._turns.take(thing, self._clock())

    async def play(self) -> bool:
        """One round; whether there may be more."""
        missed = self._turns.missed(self._clock(), DUE_LIMIT)
        due = [*dict.fromkeys([*missed, *await self._due(DUE_LIMIT)])]
        ends = await asyncio.gather(*map(self._settle, due), return_exceptions=True)
        for thing, end in zip(due, ends, strict=True):
            if isinstance(end, Exception):
                log.warning("settling failed", task=self._name, id=thing, error=repr(end))
        return len(due) >= DUE_LIMIT

    async def run(self) -> None:
        """Settle until cancelled."""
        await run_rounds(self._name, self.play, wake=self._wake, idle_s=SETTLE_EVERY_S)


class ProvidersRounds:
    """The rounds of several providers, side by side. `due`: a provider's ids, so many at most."""

    def __init__(
        self,
        name: str,
        providers: Iterable[str],
        due: Callable[[str, int], Awaitable[Sequence[str]]],
        settle: Callable[[str], Awaitable[object]],
    ) -> None:
        self._rounds = {
            provider: DueRounds(f"{name} {provider}", partial(due, provider), settle)
            for provider in providers
        }

    def wake(self) -> None:
        """There is something to settle now."""
        for rounds in self._rounds.values():
            rounds.wake()

    def take_turn(self, provider: str, thing: str) -> bool:
        """Whether a thing of a provider's may be settled now; if not, its round does later."""
        return self._rounds[provider].take_turn(thing)

    async def play(self) -> bool:
        """One round of each; whether there may be more."""
        return any(await asyncio.gather(*(rounds.play() for rounds in self._rounds.values())))

    async def run(self) -> None:
        """Settle until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for rounds in self._rounds.values():
                tasks.create_task(rounds.run())
