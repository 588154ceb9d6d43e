"""A text as the letters a reader makes out, whatever characters they were typed with.

Letters of other alphabets that look Latin become Latin (after Unicode's confusables, UTS #39), as
do full-width, mathematical, circled and accented ones; case goes; marks and characters of no width
go. Hangul jamo typed one by one become the syllables they spell (Unicode 3.12); `l` and `1` after a
lone consonant are its ㅣ. Digits and a few signs are also the letters they stand for (l33t).
"""

import unicodedata
from enum import IntEnum
from functools import lru_cache
from typing import Final, NamedTuple


class Gap(IntEnum):
    """What stands between a letter and the one before it."""

    NONE = 0
    SIGN = 1
    SPACE = 2


class Letter(NamedTuple):
    """One letter; `also`: what else it may be read as, "" if it may be no letter at all.

    `*` may be any letter. `start` and `end`: where in the text it stands.
    """

    char: str
    also: tuple[str, ...]
    gap: Gap
    start: int
    end: int


LEADS: Final = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
VOWELS: Final = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"
TAILS: Final = "\0ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ"
_SYLLABLES: Final = 0xAC00

_LOOK_LATIN: Final = dict(
    zip(
        "авсԁеɡһіјӏкмոорԛгѕтυνԝхуʏᴢαβεικνορτυχγηωϲϳѵќѓԍгпиⅼ†ƒɑɩʋʍıøłđħŧæœß",
        "abcdeghijlkmnopqrstuvwxyyzabeiknoptuxynwcjvkrgrnnltfaivmioldhtaosb",
        strict=False,
    )
)
_BADGES: Final = {
    **{chr(0x1F150 + i): chr(97 + i) for i in range(26)},
    **{chr(0x1F170 + i): chr(97 + i) for i in range(26)},
    **{chr(0x1F1E6 + i): chr(97 + i) for i in range(26)},
}
_STANDS_FOR: Final = {
    "0": ("o",), "1": ("i", "l"), "3": ("e",), "4": ("a",), "5": ("s",), "7": ("t",), "8": ("b",),
    "9": ("g",), "$": ("s", ""), "@": ("a", ""), "!": ("i", ""), "|": ("i", "l", ""),
    "*": ("",), "ㅡ": ("",), "#": ("u", "i", ""), "+": ("t", ""), "€": ("e", ""),
}  # fmt: skip
_UNSEEN: Final = frozenset({"Mn", "Me", "Cf", "Sk"})
_JOINING: Final = frozenset("'’`´ʼ")
_FILLERS: Final = frozenset("\u115f\u1160\u3164\uffa0\u2800")
_AS_I: Final = frozenset("l1i|!")


def is_hangul(char: str) -> bool:
    """Whether it is a syllable or a jamo."""
    return "가" <= char <= "힣" or "ㄱ" <= char <= "ㅣ"


def is_jamo(char: str) -> bool:
    """Whether it is a jamo that belongs to no syllable."""
    return "ㄱ" <= char <= "ㅣ"


def vowel(char: str) -> str:
    """The vowel a syllable ends with or a jamo is; "" for any other and for one with a tail."""
    if char in VOWELS:
        return char
    place = ord(char) - _SYLLABLES
    return VOWELS[place // 28 % 21] if 0 <= place < 11172 and place % 28 == 0 else ""


def split(syllable: str) -> str:
    """The jamo a syllable is made of; anything else as it is."""
    place = ord(syllable) - _SYLLABLES
    if not 0 <= place < 11172:
        return syllable
    return (LEADS[place // 588] + VOWELS[place // 28 % 21] + TAILS[place % 28]).rstrip("\0")


def read(text: str) -> list[Letter]:
    """The letters of a text in order."""
    return _stretch(_composed(_seen(text)))


def _seen(text: str) -> list[Letter]:
    seen: list[Letter] = []
    gap = Gap.SPACE
    for index, char in enumerate(text):
        for letter in _fold(char):
            if letter == " ":
                gap = Gap.SPACE
            elif letter in _STANDS_FOR:
                seen.append(Letter(letter, _STANDS_FOR[letter], gap, index, index + 1))
                gap = Gap.NONE
            elif letter.isalnum():
                seen.append(Letter(letter, (), gap, index, index + 1))
                gap = Gap.NONE
            elif gap is Gap.NONE:
                gap = Gap.SIGN
    return seen


@lru_cache(maxsize=8192)
def _fold(char: str) -> str:
    """What a character is read as: letters, a space, a sign that separates, or nothing."""
    if char in _FILLERS or char.isspace():
        return " "
    if char in _JOINING or unicodedata.category(char) in _UNSEEN:
        return ""
    if is_hangul(char):
        return char
    if char in _BADGES:
        return _BADGES[char]
    digit = unicodedata.digit(char, None)
    if digit is not None:
        return str(digit)
    return "".join(map(_latin, unicodedata.normalize("NFKC", char)))


def _latin(char: str) -> str:
    if "\u1100" <= char <= "\u11ff":
        return _COMPATIBLE.get(char, "")
    if is_hangul(char):
        return char
    bare = unicodedata.normalize("NFKD", char.casefold())
    return "".join(_LOOK_LATIN.get(c, c) for c in bare if unicodedata.category(c) not in _UNSEEN)


_COMPATIBLE: Final = {
    **{chr(0x1100 + i): jamo for i, jamo in enumerate(LEADS)},
    **{chr(0x1161 + i): jamo for i, jamo in enumerate(VOWELS)},
    **{chr(0x11A7 + i): jamo for i, jamo in enumerate(TAILS) if i},
}


def _composed(letters: list[Letter]) -> list[Letter]:
    """Lone jamo that stand together become the syllables they spell."""
    done: list[Letter] = []
    at = 0
    while at < len(letters):
        if letters[at].char not in LEADS:
            done.append(letters[at])
            at += 1
            continue
        chars = [_jamo_at(letters, at + i) for i in range(4)]
        if chars[1] in VOWELS:
            tail = chars[2] in TAILS and chars[3] not in VOWELS
            length = 3 if tail else 2
            done.append(_joined(letters[at : at + length], chars))
            at += length
        else:
            done.append(letters[at])
            at += 1
    return done


def _jamo_at(letters: list[Letter], at: int) -> str:
    """The jamo at a place that follows the one before without a gap; "\\n" where there is none."""
    if at >= len(letters):
        return "\n"
    letter = letters[at]
    if is_jamo(letter.char):
        return letter.char
    after_lead = at > 0 and letter.gap is Gap.NONE and letters[at - 1].char in LEADS
    return "ㅣ" if after_lead and letter.char in _AS_I else "\n"


def _joined(parts: list[Letter], chars: list[str]) -> Letter:
    tail = TAILS.index(chars[2]) if len(parts) == 3 else 0
    place = (LEADS.index(chars[0]) * 21 + VOWELS.index(chars[1])) * 28 + tail
    return Letter(chr(_SYLLABLES + place), (), parts[0].gap, parts[0].start, parts[-1].end)


def _stretch(letters: list[Letter]) -> list[Letter]:
    """A digit between Hangul letters may be nothing: 씨1발."""
    for at in range(1, len(letters) - 1):
        letter = letters[at]
        if (
            letter.char.isdigit()
            and is_hangul(letters[at - 1].char)
            and is_hangul(letters[at + 1].char)
        ):
            letters[at] = Letter(letter.char, ("",), letter.gap, letter.start, letter.end)
    return letters
