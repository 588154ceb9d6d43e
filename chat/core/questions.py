"""The questions viewers put to a seller: who may add one, and what becomes of it.

A question is a value with a version that grows with every change. It waits until it is answered,
on air or in text, or is dismissed; what was answered on air may be written down later, and every
answer may be taken back. Nothing else happens to it, and nothing twice.
"""

from collections.abc import Mapping
from enum import Enum
from itertools import groupby
from typing import Final

import msgspec

from chat.core.refusals import Reason

OPEN_PER_PERSON: Final = 3
"""So many questions of a person may wait in a show; more are refused. Moderators are free."""
REPEATED_S: Final = 300
"""Within so long a question under the same key is the same question."""
LETTERS_HANDED_OVER: Final = 7
"""A question with fewer letters is an exclamation rather; a Hangul syllable counts as two."""
ANSWERS_PER_PRODUCT: Final = 3
"""So many of the last answers about each product are told to a newcomer."""
ANSWERS_PER_SHOW: Final = 20
"""So many of the last answers in the show are told to a newcomer, whatever they are about."""
ANSWERS_TOLD: Final = 60
"""So many answers at most are told to a newcomer."""


class Origin(Enum):
    """How a question came."""

    VIEWER = "viewer"
    MODERATOR = "moderator"
    """A moderator or the seller asked it."""
    ASSISTANT = "assistant"
    """The assistant had no answer to what a viewer said."""


OPEN_PER_SHOW: Final = {Origin.ASSISTANT: 100, Origin.VIEWER: 200, Origin.MODERATOR: 220}
"""With so many waiting in a show, none more of this origin is taken."""


class Objection(Enum):
    """Why a question is not taken; the values are reasons of `refused`."""

    ASKED_ALREADY = "asked_already"
    """This person's same question waits."""
    TOO_MANY = "too_many_questions"
    """Too many questions of this person wait."""
    FULL = "questions_full"
    """Too many questions wait in the show."""
    UNKNOWN_PRODUCT = "unknown_product"
    """The show does not sell what the question is about."""

    @property
    def reason(self) -> Reason:
        """What the asker is told."""
        return _REASONS[self]


_REASONS: Final[Mapping[Objection, Reason]] = {
    Objection.ASKED_ALREADY: "asked_already",
    Objection.TOO_MANY: "too_many_questions",
    Objection.FULL: "questions_full",
    Objection.UNKNOWN_PRODUCT: "unknown_product",
}


class State(Enum):
    """What became of a question."""

    OPEN = "open"
    ANSWERED_LIVE = "answered_live"
    """The seller answered it on air."""
    ANSWERED_TEXT = "answered_text"
    DISMISSED = "dismissed"


_MAY_BECOME: Final = {
    State.OPEN: (State.ANSWERED_LIVE, State.ANSWERED_TEXT, State.DISMISSED),
    State.ANSWERED_LIVE: (State.ANSWERED_TEXT, State.DISMISSED),
    State.ANSWERED_TEXT: (State.DISMISSED,),
    State.DISMISSED: (),
}


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """A question as the seller and moderators see it; `id` is that of the saying.

    `product`: what it is about, null for the show. `handed_over`: the assistant had no answer.
    `answer`: its text, where it was answered in text. `settled_by`: the account that did it,
    or who asked that the asker be erased (`self`, `operator`).
    """

    id: str
    show: str
    store: str
    asker: str
    name: str
    text: str
    product: str | None
    handed_over: bool
    asked_at_ms: int
    state: State = State.OPEN
    answer: str | None = None
    settled_by: str | None = None
    settled_at_ms: int | None = None
    version: int = 1


class QuestionAnswered(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="answered"):
    """A question was answered, or with the state `dismissed` its answer was taken back.

    `answer`: null when it was answered on air. Of two versions of an `id` the higher is right.
    """

    id: str
    product: str | None
    question: str
    answer: str | None
    state: State
    answered_at_ms: int
    version: int


def is_worth_handing_over(text: str) -> bool:
    """Whether a seller could answer it, as far as its letters tell: "진짜요?" and "??" are none.

    A letter that is repeated at once counts once; jamo on their own (ㅋㅋ, ㅠㅠ) do not count.
    """
    letters = [letter for letter, _ in groupby(text) if letter.isalpha()]
    syllables = sum("가" <= letter <= "힣" for letter in letters)
    jamo = sum("ㄱ" <= letter <= "ㆎ" for letter in letters)
    return len(letters) + syllables - jamo >= LETTERS_HANDED_OVER


def objection(origin: Origin, in_show: int, of_person: int) -> Objection | None:
    """Why one more question is not taken.

    `in_show`: how many wait there. `of_person`: how many of this person and origin do.
    """
    if origin is not Origin.MODERATOR and of_person >= OPEN_PER_PERSON:
        return Objection.TOO_MANY
    return Objection.FULL if in_show >= OPEN_PER_SHOW[origin] else None


def settle(
    question: Question, state: State, answer: str | None, by: str, now_ms: int
) -> Question | None:
    """The question in a new state; the same again changes nothing. None: it is too late for that.

    `answer`: the text of `ANSWERED_TEXT`. `by`: the account that does it.
    """
    assert (answer is not None) is (state is State.ANSWERED_TEXT)
    if (question.state, question.answer) == (state, answer):
        return question
    if state not in _MAY_BECOME[question.state]:
        return None
    return msgspec.structs.replace(
        question,
        state=state,
        answer=answer,
        settled_by=by,
        settled_at_ms=now_ms,
        version=question.version + 1,
    )


def told_to_everybody(question: Question) -> QuestionAnswered | None:
    """What everybody is told of it; None where there is nothing to tell: it was never answered."""
    if question.settled_at_ms is None:
        return None
    taken_back = question.state is State.DISMISSED
    if taken_back and question.version == 2:
        return None  # dismissed as it was asked
    return QuestionAnswered(
        id=question.id,
        product=question.product,
        question="" if taken_back else question.text,
        answer=question.answer,
        state=question.state,
        answered_at_ms=question.settled_at_ms,
        version=question.version,
    )
