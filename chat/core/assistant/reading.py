"""Reading a line of the chat: whether it asks something, and what.

Most lines ask nothing. A line is read as a question only by its form; wishes, quotations, jokes
and questions about somebody else's shop are read as none. Patterns are tried on plain text
(spelling.py) of bounded length, and none of them can backtrack far.
"""

import re
from dataclasses import dataclass
from typing import Final

from chat.core.assistant.english import ENGLISH
from chat.core.assistant.facts import Intent
from chat.core.assistant.korean import KOREAN
from chat.core.assistant.spelling import plain
from chat.core.assistant.tongue import Tongue

QUESTION_CODE_POINTS: Final = 120
"""Longer lines are stories; they are left to people."""

_HANGUL: Final = re.compile("[가-힣]")
_ENGLISH_FIRST: Final = re.compile(
    "(how|what|what's|when|where|which|is|are|do|does|can|any) [a-z]"
)
"""Begins an English sentence that may still call a ware by its Korean name."""
_ASKED: Final = re.compile(r"\w[^?]*\?")
_WORD: Final = re.compile(r"[\w'-]+")


@dataclass(frozen=True, slots=True)
class Reading:
    """A question, plainly spelt.

    `intent`: what of the shop it asks; None: maybe the FAQ's. `many`: it asks several things, of
    which we might know one.
    """

    text: str
    korean: bool
    intent: Intent | None
    many: bool


def read(line: str) -> Reading | None:
    """The question in a line; None where it asks nothing, or nothing we should answer."""
    if len(line) > QUESTION_CODE_POINTS:
        return None
    text = plain(line)
    korean = _HANGUL.search(text) is not None and _ENGLISH_FIRST.match(text) is None
    tongue = _tongue(korean=korean)
    if not tongue.asks.search(text) or tongue.silent.search(text):
        return None
    return Reading(text, korean, _intent(tongue, text), len(_ASKED.findall(text)) > 1)


def strange_letters(text: str, *, korean: bool) -> int:
    """How many letters there are in words that ask for more than a shop's facts."""
    known = _tongue(korean=korean).known
    return sum(len(word) for word in _WORD.findall(text) if not known(word))


def _tongue(*, korean: bool) -> Tongue:
    return KOREAN if korean else ENGLISH


def _intent(tongue: Tongue, text: str) -> Intent | None:
    if tongue.special.search(text):
        return None
    found = [intent for intent, pattern in tongue.intents.items() if pattern.search(text)]
    if Intent.ORDER in found:
        return Intent.ORDER
    if Intent.FEE in found and Intent.PRICE in found:
        found.remove(Intent.PRICE)
    return found[0] if len(found) == 1 else None
