"""Which ware a question means: the one it names, else the pinned one, else none.

A word of a title is named when the question holds most of its character 2-grams, or the 2-gram a
Korean compound ends with (its head: 꽃차 of 동백꽃차); Latin words are named as a whole. Where the
question names parts of several titles and none of them holds all that is named, it is not clear
which is meant.
"""

import re
from collections.abc import Sequence
from typing import Final

from chat.core.assistant.facts import Ware
from chat.core.assistant.spelling import plain

_LATIN: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_HANGUL: Final = re.compile(r"[가-힣]+")
_LIKE: Final = 0.6
"""The share of a Korean word's 2-grams that names it."""
_COMMON: Final = frozenset(
    {"and", "the", "for", "with", "set", "new", "세트", "증정", "무료", "배송"}
)


def meant(text: str, wares: Sequence[Ware], pinned: str | None) -> tuple[Ware, str] | None:
    """The ware a plain question means, and the question without its name."""
    named = {ware.id: _named(text, ware.title) for ware in wares}
    candidates = [ware for ware in wares if named[ware.id]]
    if not candidates:
        found = next((ware for ware in wares if ware.id == pinned), None)
        return None if found is None else (found, text)
    everything = set[str]().union(*named.values())
    fitting = [ware for ware in candidates if named[ware.id] >= everything]
    if len(fitting) != 1:
        return None
    return fitting[0], without(text, everything)


def apart(one: str, other: str, wares: Sequence[Ware]) -> bool:
    """Whether two plain texts name wares, and none in common."""
    first, second = ({w.id for w in wares if _named(text, w.title)} for text in (one, other))
    return bool(first and second and not first & second)


def without(text: str, names: set[str]) -> str:
    """The text with these pieces taken out, the longest first."""
    for name in sorted(names, key=len, reverse=True):
        text = text.replace(name, " ")
    return text


def _named(text: str, title: str) -> set[str]:
    """The pieces of the text that name words of the title."""
    title = plain(title)
    spoken = _LATIN.findall(text)
    pieces = {
        said
        for word in _LATIN.findall(title)
        if len(word) > 2 and word not in _COMMON
        for said in spoken
        if said.removesuffix("s") in {word.removesuffix("s"), word.rpartition("-")[2]}
    }
    for word in _HANGUL.findall(title):
        if len(word) > 1 and word not in _COMMON:
            pieces |= _pieces(text, word)
    return pieces


def _pieces(text: str, word: str) -> set[str]:
    if word in text:
        return {word}
    grams = {word[start : start + 2] for start in range(len(word) - 1)}
    found = {gram for gram in grams if gram in text}
    if word[-2:] in found or len(found) >= _LIKE * len(grams):
        return found
    return set()
