"""What a viewer says to buy: a SKU's code, and how many.

Codes are told as they are kept, however they are typed. A line says a code, perhaps with a
quantity ("A12", "A12 2", "A12 x2", "A12 두개"), perhaps with one of a closed set of words that only
order ("A12 주세요", "A12 2개요", "I'll take A12"). What can be read in several ways ("A12x2") is
read in all, and the first whose code exists counts. Every other word is taken for a part of the
code, so that a line that says anything besides (a question, a denial, a remark) names no code there
is, and orders nothing.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from cart.core.catalog import tidy_code

LINE_LIMIT_CHARS: Final = 40
"""Longer lines order nothing."""

NUMBERS: Final = {
    word: number
    for number, words in enumerate(
        ("한 하나", "두 둘", "세 셋", "네 넷", "다섯", "여섯", "일곱", "여덟", "아홉", "열"), 1
    )
    for word in words.split()
}
"""Korean numbers; as they stand before a word that counts pieces, and alone."""

_PIECES: Final = "(?:개|장|벌|켤레)"
_SPACES: Final = re.compile(r"[\s\u200b\u3164]+")
_TIMES: Final = r"(?:\s*[×*]|\s+X|(?<=[0-9])X|X(?=[0-9]))"
"""An X between a letter and a space is the code's own: "AX 2" is no A twice."""
_COUNTED: Final = re.compile(
    rf"(?P<code>.+?)(?: |{_TIMES})\s*(?P<count>[0-9]{{1,2}})\s*(?:{_PIECES}|EA|PCS?)?"
    rf"|(?P<close>.*[^0-9 ])(?P<pieces>[0-9]{{1,2}})\s*{_PIECES}"
    rf"|(?P<named>.+?)\s*(?P<number>한|두|세|네|다섯|여섯|일곱|여덟|아홉|열)\s*{_PIECES}"
    r"|(?P<lone>.+?) (?P<alone>하나|둘|셋|넷)"
)
_NUMBERS_APART: Final = re.compile(r"[0-9] [0-9]")

_YO: Final = "[요여용욤]"
_GIVE: Final = rf"(?:[주쥬]세{_YO}|줘{_YO}|주십시오)"
_TAKE: Final = (
    rf"(?:(?:담아|잡아)?\s*{_GIVE}|(?:살|할|(?:구매|구입|주문)\s*할)[게께]{_YO}"
    rf"|(?:구매|주문)(?:이?{_YO}|합니다))"
)
# What could ask to be shown something, or ask whether ("하나요"), orders only what is counted.
_COUNTING: Final = (
    rf"(?:(?<=[개장벌레만]){_YO}|부탁(?:해{_YO}|드려{_YO}|드립니다|합니다)|더\s*{_TAKE})"
)
_TAIL: Final = r"[ !~♡♥]*\.?"
_KOREAN: Final = re.compile(
    rf"(?:저[도는]? )?(?P<thing>.+?)(?=[ 담잡주쥬줘살할구부더요여용욤!~])\s*"
    rf"(?:{_TAKE}{_TAIL}|(?P<counting>{_COUNTING}{_TAIL}|[ !~]+))"
)
_ENGLISH: Final = re.compile(
    rf"(?:I['\u2019]?LL (?:TAKE|BUY) (?P<taken>.+?)(?: (?:PLEASE|PLS|PLZ))?"
    rf"|(?P<thing>.+?),? (?:PLEASE|PLS|PLZ)){_TAIL}"
)
# Most that is said in a room is talk: its last character tells before anything is searched.
_COUNTED_ENDS: Final = tuple("0123456789개장벌레나둘셋넷ACS")
_KOREAN_ENDS: Final = tuple("요여용욤오다.!~♡♥")
_ENGLISH_ENDS: Final = ("PLEASE", "PLS", "PLZ")
_PARTICLE: Final = re.compile(r"\s*(?:을|를|으로|로|도|만)$")
_NUMBERED: Final = re.compile(r"(?<=[0-9])번$")


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to understand a line."""

    code: str
    quantity: int


def read(line: str) -> Sequence[Reading]:
    """The ways to understand what was said as an order, the likeliest first; none: it is talk."""
    if len(line) > LINE_LIMIT_CHARS:
        return ()
    plain = _SPACES.sub(" ", unicodedata.normalize("NFKC", line).upper()).strip()
    if len(plain) > LINE_LIMIT_CHARS:
        return ()
    counted, whole = list(_counted(plain)), _whole(plain)
    # Without a space a code is likelier to be meant as it stands, with one in its pieces.
    readings = [*counted, *whole] if " " in plain else [*whole, *counted]
    return list(dict.fromkeys((*readings, *_asked(plain))))


def _asked(plain: str) -> Iterator[Reading]:
    """What is read of a line that has words that order."""
    if plain.endswith(_KOREAN_ENDS) and (found := _KOREAN.fullmatch(plain)) is not None:
        for thing in dict.fromkeys((found["thing"], _PARTICLE.sub("", found["thing"]))):
            yield from _counted(thing, particle=True)
            if found["counting"] is None:
                yield from _single(thing)
    english = plain.startswith("I") or plain.rstrip(" !~♡♥.").endswith(_ENGLISH_ENDS)
    if english and (found := _ENGLISH.fullmatch(plain)) is not None:
        thing = found["taken"] or found["thing"]
        yield from _counted(thing)
        # "I'll take a 5" has an article, not a code in two pieces.
        if " " not in thing:
            yield from _single(thing)


def _single(thing: str) -> Iterator[Reading]:
    """One of what is ordered by a word; of "2 주세요" nobody knows whether 2 is a code."""
    if not thing.isdecimal():
        yield from _whole(thing)
        if _NUMBERED.search(thing):
            yield from _whole(_NUMBERED.sub("", thing))


def _counted(plain: str, *, particle: bool = False) -> Iterator[Reading]:
    """So many of a code, which may stand as a number ("7번 2개") or with a `particle`."""
    found = _COUNTED.fullmatch(plain) if plain.endswith(_COUNTED_ENDS) else None
    if found is None:
        return
    said = found["code"] or found["close"] or found["named"] or found["lone"]
    number = found["number"] or found["alone"]
    quantity = NUMBERS[number] if number else int(found["count"] or found["pieces"])
    names = [said, _NUMBERED.sub("", said), *([_PARTICLE.sub("", said)] if particle else ())]
    for code in dict.fromkeys(map(_joined, names)):
        if code is not None and quantity:
            yield Reading(code, quantity)


def _whole(plain: str) -> list[Reading]:
    code = _joined(plain)
    return [] if code is None else [Reading(code, 1)]


def _joined(said: str) -> str | None:
    """A code said with spaces within, such as "A 12"; in "A12 2" there are two numbers."""
    return None if _NUMBERS_APART.search(said) else tidy_code(said.replace(" ", ""))
