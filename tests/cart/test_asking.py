"""Rounds over what is due: one failure spoils no other, and no wish makes more of them."""

import asyncio
from collections.abc import Sequence

import pytest

from cart.asking import DUE_LIMIT, DueRounds, answer
from cart.core.turns import TURNS_LIMIT, TURNS_WITHIN_S
from cart.ports.payments import ProviderSilent


class Books:
    """Things that are due, and what was settled."""

    def __init__(self, *due: str) -> None:
        self.now_s = 0.0
        self.due = list(due)
        self.settled: list[str] = []
        self.rounds = DueRounds("test", self.take, self.settle, clock=lambda: self.now_s)

    async def take(self, limit: int) -> Sequence[str]:
        """What is due, once."""
        taken, self.due = self.due[:limit], self.due[limit:]
        return taken

    async def settle(self, thing: str) -> None:
        """Fails for what is bad."""
        if thing == "bad":
            raise RuntimeError(thing)
        self.settled.append(thing)


async def test_a_provider_that_takes_too_long_is_silent() -> None:
    with pytest.raises(ProviderSilent):
        await answer(asyncio.Event().wait(), 0.001)
    assert await answer(asyncio.sleep(0, "said"), 1.0) == "said"


async def test_one_failure_spoils_no_other() -> None:
    books = Books("tea", "bad", "cake")
    assert not await books.rounds.play()
    assert sorted(books.settled) == ["cake", "tea"]


async def test_a_full_round_is_followed_at_once() -> None:
    books = Books(*map(str, range(DUE_LIMIT + 1)))
    assert await books.rounds.play()
    assert not await books.rounds.play()
    assert len(books.settled) == DUE_LIMIT + 1


async def test_what_was_wished_for_too_often_is_settled_by_a_round_later() -> None:
    books = Books()
    assert [books.rounds.take_turn("tea") for _ in range(TURNS_LIMIT + 2)].count(True) == (
        TURNS_LIMIT
    )
    await books.rounds.play()
    assert books.settled == []
    books.now_s = TURNS_WITHIN_S
    books.due = ["tea"]
    await books.rounds.play()
    await books.rounds.play()
    assert books.settled == ["tea"], "due and wished for: once"
