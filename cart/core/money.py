"""Money: whole minor units of one currency. Never a float, never two currencies in one sum."""

from collections.abc import Iterable
from typing import Final

CURRENCIES: Final = frozenset({"KRW"})
"""ISO 4217 codes that can be charged; KRW has no smaller unit than the won."""

PRICE_LIMIT_MINOR: Final = 1_000_000_000
"""The highest price of one unit; a higher one is refused."""


def line_total(price_minor: int, quantity: int) -> int:
    """What `quantity` units cost."""
    return price_minor * quantity


def total(lines: Iterable[tuple[int, int]]) -> int:
    """What all lines, given as (price_minor, quantity), cost together."""
    return sum(line_total(price_minor, quantity) for price_minor, quantity in lines)
