"""Whether a SKU's counters are what its movements, and its holds, add up to."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tally:
    """A SKU's counters as free, held and sold, and the sums of its movements.

    `holds`: the units of its holds that are held and sold; None where they were not counted.
    """

    sku: str
    counters: tuple[int, int, int]
    logged: tuple[int, int, int]
    holds: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Drift:
    """A SKU whose counters are not what they should be: by how many units each is too high.

    `free`, `held`, `sold`: than its movements say. `held_rows`, `sold_rows`: than its holds say.
    """

    sku: str
    free: int
    held: int
    sold: int
    held_rows: int
    sold_rows: int


def drift(tally: Tally) -> Drift | None:
    """By how much a SKU's counters are off; None when they are right."""
    free, held, sold = (c - m for c, m in zip(tally.counters, tally.logged, strict=True))
    held_rows = sold_rows = 0
    if tally.holds is not None:
        held_rows, sold_rows = (c - h for c, h in zip(tally.counters[1:], tally.holds, strict=True))
    if not any((free, held, sold, held_rows, sold_rows)):
        return None
    return Drift(tally.sku, free, held, sold, held_rows, sold_rows)
