"""What a language's tables of words say about a line in plain spelling."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from chat.core.assistant.facts import Intent


@dataclass(frozen=True, slots=True)
class Tongue:
    """Patterns are searched for in a plain line.

    `asks`: it is a question by its form. `silent`: a wish, a quotation, a joke, somebody else's
    matter. `special`: it asks for more than the shop's facts tell, for the FAQ alone. `intents`:
    what of the shop it asks about. `known`: whether a word asks for nothing more.
    """

    asks: re.Pattern[str]
    silent: re.Pattern[str]
    special: re.Pattern[str]
    intents: Mapping[Intent, re.Pattern[str]]
    known: Callable[[str], bool]


def any_of(*ways: str) -> re.Pattern[str]:
    """Finds whichever of these comes."""
    return re.compile("|".join(ways))


def words(*lines: str) -> frozenset[str]:
    """The words of these lines."""
    return frozenset(word for line in lines for word in line.split())
