"""What somebody typed, made fit to be shown to everybody.

NFC (UAX #15), so that Hangul typed as jamo is the Hangul others see; control characters and the
bidirectional overrides that make text lie about its order (UAX #9) taken out; white space folded.
Idempotent: cleaning clean text changes nothing.
"""

import unicodedata
from typing import Final

TEXT_CODE_POINTS: Final = 300
"""The longest saying, in code points after cleaning; longer ones are refused."""

_WHITE = frozenset("\t\n\v\f\r\x85\u2028\u2029")
_ORDER_OVERRIDES = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_FILLERS = frozenset("\u115f\u1160\u3164\uffa0\u2800")
_UNSEEN_CATEGORIES = frozenset({"Cc", "Cf", "Zs", "Zl", "Zp", "Mn", "Me"})


def clean(text: str) -> str:
    """The text as the room shows it: one line, NFC, nothing that hides or reorders."""
    kept = "".join(
        " " if char in _WHITE else char
        for char in text
        if char in _WHITE
        or (char not in _ORDER_OVERRIDES and unicodedata.category(char) not in {"Cc", "Cs"})
    )
    return " ".join(unicodedata.normalize("NFC", kept).split())


def is_blank(text: str) -> bool:
    """Whether a reader would see nothing: white space, Hangul fillers, joiners on their own."""
    return all(
        char in _FILLERS or unicodedata.category(char) in _UNSEEN_CATEGORIES for char in text
    )
