"""What a viewer says to buy: a SKU's code, and how many.

Codes are told as they are kept, however they are typed. A line says a code, perhaps with a
quantity ("A12", "A12 2", "A12 x2", "A12 2개"). What can be read in two ways ("A12x2") is read in
both, and the first whose code exists counts. A line that says anything besides orders nothing.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cart.core.catalog import tidy_code

LINE_LIMIT_CHARS: Final = 40
"""Longer lines order nothing."""

_SPACES: Final = re.compile(r"[\s\u200b\u3164]+")
_COUNTED: Final = re.compile(
    r"(?P<code>.+?)(?: |\s*[X×*])\s*(?P<count>[0-9]{1,2})\s*(?:개|EA|PCS?)?"
    r"|(?P<close>.+?)(?P<pieces>[0-9]{1,2})\s*개"
)
_NUMBERS_APART: Final = re.compile(r"[0-9] [0-9]")


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
    counted = _counted(plain)
    whole = _joined(plain)
    readings = [] if whole is None else [Reading(whole, 1)]
    if counted is None:
        return readings
    # Without a space a code is likelier to be meant as it stands, with one in its pieces.
    return [counted, *readings] if " " in plain else [*readings, counted]


def _counted(plain: str) -> Reading | None:
    found = _COUNTED.fullmatch(plain)
    if found is None:
        return None
    code = _joined(found["code"] or found["close"])
    quantity = int(found["count"] or found["pieces"])
    return Reading(code, quantity) if code is not None and quantity else None


def _joined(said: str) -> str | None:
    """A code said with spaces within, such as "A 12"; in "A12 2" there are two numbers."""
    return None if _NUMBERS_APART.search(said) else tidy_code(said.replace(" ", ""))
