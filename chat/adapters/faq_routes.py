"""The assistant over HTTP: a store's FAQ, for its seller to edit and everybody to read."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final

import msgspec

from chat.core.assistant.facts import Answered, Entry
from chat.core.text import clean, is_blank
from chat.errors import InvalidFaqError
from chat.ports import AnswerMemory, FaqBook, StoreFaq

ENTRIES_LIMIT: Final = 40
QUESTION_CODE_POINTS: Final = 120
ANSWER_CODE_POINTS: Final = 300
"""Longer ones, and more of them, are refused."""

Operation = tuple[str, str, Callable[..., Awaitable[Any]], int]
Demand = Callable[[str, str], Awaitable[object]]
"""Given a person and a name: raises what the house raises where it is not that person's."""


class FaqEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A question viewers ask, and what the assistant answers."""

    question: Annotated[str, msgspec.Meta(min_length=1, max_length=QUESTION_CODE_POINTS)]
    answer: Annotated[str, msgspec.Meta(min_length=1, max_length=ANSWER_CODE_POINTS)]


class FaqDocument(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a store's assistant says by itself; `on`: whether it says anything."""

    on: bool
    entries: Annotated[list[FaqEntry], msgspec.Meta(max_length=ENTRIES_LIMIT)]


class Answers(msgspec.Struct, frozen=True, kw_only=True):
    """What the assistant answered lately, newest first; what is about somebody's order is not."""

    answers: list[Answered]


def operations(
    faqs: FaqBook,
    memory: AnswerMemory,
    *,
    demand_store: Callable[[str], Awaitable[object]],
    demand_store_owner: Demand,
    demand_show_owner: Demand,
) -> list[Operation]:
    """The operations of the assistant. `demand_store` raises where there is no such store."""

    async def get_faq(slug: str) -> FaqDocument:
        """A store's FAQ, and whether its assistant is on."""
        await demand_store(slug)
        return _document(await faqs.load(slug))

    async def put_faq(person: str, slug: str, body: FaqDocument) -> FaqDocument:
        """Set one's own store's FAQ, and switch its assistant on or off."""
        await demand_store_owner(person, slug)
        entries = tuple(Entry(_tidy(one.question), _tidy(one.answer)) for one in body.entries)
        faq = StoreFaq(body.on, entries)
        await faqs.save(slug, faq)
        return _document(faq)

    async def lately(person: str, show: str) -> Answers:
        """What the assistant answered lately in one's own show."""
        await demand_show_owner(person, show)
        return Answers(answers=[*await memory.lately(show)])

    return [
        ("GET", "/stores/{slug}/faq", get_faq, 200),
        ("PUT", "/stores/{slug}/faq", put_faq, 200),
        ("GET", "/shows/{show}/assistant", lately, 200),
    ]


def _tidy(text: str) -> str:
    line = clean(text)
    if is_blank(line):
        raise InvalidFaqError("a question and an answer in every entry")
    return line


def _document(faq: StoreFaq) -> FaqDocument:
    entries = [FaqEntry(question=one.question, answer=one.answer) for one in faq.entries]
    return FaqDocument(on=faq.on, entries=entries)
