"""What becomes of questions: kept, told to the seller and moderators, answered for everybody.

A change is committed before it is told. When it cannot be told its author learns so, and doing it
again tells it again; nobody is told the same version twice within minutes. What a newcomer is told
of answers comes from the book, not from the events.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from chat.core.addressee import EVERYBODY, MODERATORS
from chat.core.events import Asked
from chat.core.masks import mask
from chat.core.moderation import Action
from chat.core.questions import (
    Objection,
    Origin,
    Question,
    QuestionAnswered,
    State,
    settle,
    told_to_everybody,
)
from chat.core.text import TEXT_CODE_POINTS, clean, is_blank
from chat.errors import (
    InvalidAnswerError,
    SettledError,
    UnavailableError,
    UnknownError,
)
from chat.hub import Hub
from chat.ports import Page, QuestionBook

OpenShows = Callable[[str], Awaitable[Sequence[str]]]
"""The ids of a store's shows that are not over."""

PAGE: Final = 50
"""Questions told at once."""
KEPT_AT_ONCE: Final = 4
"""So many questions are written to the database at once; more wait, so that buyers need not."""


class Questioning:
    """The use cases. Those of moderators raise `UnknownError` and `ForbiddenError`."""

    def __init__(self, hub: Hub, book: QuestionBook, open_shows: OpenShows) -> None:
        self._hub = hub
        self._book = book
        self._open_shows = open_shows
        self._keeping = asyncio.Semaphore(KEPT_AT_ONCE)

    async def ask(
        self, show: str, said: Mapping[str, Any], origin: Origin, key: str
    ) -> Question | Objection:
        """Keep what was said as a question and tell the moderators; see `chat.ports.Ask`."""
        async with self._keeping:
            try:
                kept = await self._keep(show, said, origin, key)
            except Exception as error:
                raise UnavailableError("The question could not be kept.") from error
        if isinstance(kept, Question):
            await self._tell_moderators(kept)
        return kept

    async def queue(self, actor: str, show: str, after: int) -> Page:
        """The questions that wait in a show after a place, oldest first."""
        await self._hub.demand(actor, show, Action.READ)
        return await self._book.waiting(show, after, PAGE)

    async def answer(self, actor: str, show: str, question: str, text: str | None) -> Question:
        """Answer a question in text, or with None on air; again it changes nothing.

        Raises `InvalidAnswerError`, and `SettledError` when it has another answer or none to come.
        """
        await self._hub.demand(actor, show, Action.ANSWER)
        if text is None:
            return await self._settle(actor, show, question, State.ANSWERED_LIVE, None)
        answer = clean(text)
        if is_blank(answer) or len(answer) > TEXT_CODE_POINTS:
            raise InvalidAnswerError(f"An answer says something in {TEXT_CODE_POINTS} characters.")
        return await self._settle(actor, show, question, State.ANSWERED_TEXT, mask(answer))

    async def dismiss(self, actor: str, show: str, question: str) -> Question:
        """Nobody is to answer it, or its answer is taken back; again it changes nothing."""
        await self._hub.demand(actor, show, Action.ANSWER)
        return await self._settle(actor, show, question, State.DISMISSED, None)

    async def withdraw(self, actor: str, show: str, saying: str) -> None:
        """What was said is deleted: if it was a question it is one no longer."""
        if await self._book.find(show, saying) is not None:
            await self._settle(actor, show, saying, State.DISMISSED, None)

    async def answered_in(self, show: str, before: int | None) -> Page:
        """The answered questions of a show before a place, newest first."""
        if await self._hub.look(show) is None:
            raise UnknownError("There is no such show.")
        return await self._book.answered_in(show, before, PAGE)

    async def answered_about(self, product: str, before: int | None) -> Page:
        """Those about a product that were answered in text, before a place, newest first."""
        return await self._book.answered_about(product, before, PAGE)

    async def _keep(
        self, show: str, said: Mapping[str, Any], origin: Origin, key: str
    ) -> Question | Objection:
        room = await self._hub.look(show)
        if room is None:
            raise UnknownError("There is no such show.")
        product = said.get("product")
        if product is not None and all(product != each["id"] for each in room.products):
            return Objection.UNKNOWN_PRODUCT
        question = Question(
            id=said["id"],
            show=show,
            store=room.store,
            asker=said["from"]["id"],
            name=said["from"]["name"],
            text=said["text"],
            product=product,
            handed_over=origin is Origin.ASSISTANT,
            asked_at_ms=said["at_ms"],
        )
        return await self._book.keep(question, origin, key)

    async def _settle(
        self, actor: str, show: str, question: str, state: State, answer: str | None
    ) -> Question:
        known = await self._book.find(show, question)
        if known is None:
            raise UnknownError("There is no such question.")
        now_ms = time.time_ns() // 1_000_000
        after = await self._book.change(
            question, lambda now: settle(now, state, answer, actor, now_ms)
        )
        if after is None:
            now = await self._book.find(show, question) or known
            raise SettledError("It was settled otherwise.", {"state": now.state.value})
        await self._tell_moderators(after)
        told = told_to_everybody(after)
        if told is not None:
            await self._tell_everybody(after, told)
        return after

    async def _tell_moderators(self, question: Question) -> None:
        key = f"question:{question.id}:{question.version}"
        event = msgspec.to_builtins(Asked(question))
        await self._hub.publish(question.show, event, MODERATORS, key)

    async def _tell_everybody(self, question: Question, told: QuestionAnswered) -> None:
        """Other shows of the store may have the product too."""
        shows = {question.show}
        if question.product is not None:
            shows.update(await self._open_shows(question.store))
        key = f"answered:{question.id}:{question.version}"
        for show in sorted(shows):
            await self._hub.publish(show, msgspec.to_builtins(told), EVERYBODY, key)
