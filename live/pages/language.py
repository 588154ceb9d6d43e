"""In which language a page speaks, and every string it may say.

Korean and English carry the same keys; a key without a string is a fault of ours and raises.
Pure but for reading the two files of strings once, when the module is imported.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal

Language = Literal["ko", "en"]
LANGUAGES: Final[tuple[Language, ...]] = ("ko", "en")

_FOLDER: Final = Path(__file__).parent / "strings"


def _read(language: Language) -> Mapping[str, str]:
    text = (_FOLDER / f"{language}.json").read_text(encoding="utf-8")
    return MappingProxyType(json.loads(text))


STRINGS: Final[Mapping[Language, Mapping[str, str]]] = MappingProxyType(
    {language: _read(language) for language in LANGUAGES}
)


def as_language(text: str | None) -> Language | None:
    """The language a tag such as `en`, `ko-KR` or `EN-us` stands for; None when it is neither."""
    primary = (text or "").strip().lower().split("-", 1)[0]
    return next((language for language in LANGUAGES if language == primary), None)


def choose_language(
    *, asked: str | None, remembered: str | None, accept_language: str, default: Language
) -> Language:
    """Pick a page's language: asked for in the URL, then the cookie, then the browser's wish.

    `accept_language` is the header as it came (RFC 9110, section 12.5.4); what does not parse in
    it is passed over.
    """
    return as_language(asked) or as_language(remembered) or _preferred(accept_language) or default


def _preferred(accept_language: str) -> Language | None:
    best: Language | None = None
    best_weight = 0.0
    for choice in accept_language[:1024].split(","):
        tag, _, parameter = choice.partition(";")
        language, weight = as_language(tag), _weight(parameter)
        if language is not None and weight > best_weight:
            best, best_weight = language, weight
    return best


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if name.strip().lower() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
