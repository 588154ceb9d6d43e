"""The lists of unwanted words as files: ours, for Korean and English, and the operator's."""

from pathlib import Path
from typing import Final

from chat.core.words import WordList

OURS: Final = Path(__file__).parent.parent / "data"


def read_words(operators: str = "") -> WordList:
    """Our lists with the operator's file, when there is one, added after them.

    `operators`: a path. Raises `OSError` and `UnicodeDecodeError` for a file that is no text.
    """
    files = [*sorted(OURS.glob("banned_*.txt")), *([Path(operators)] if operators else [])]
    return WordList.of(
        line for file in files for line in file.read_text(encoding="utf-8").splitlines()
    )
