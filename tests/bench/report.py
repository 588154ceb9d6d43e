"""What a benchmark tells: its figures for people, then one line of JSON."""

import json
from dataclasses import dataclass, field

from tests.bench.machine import describe


@dataclass(frozen=True, slots=True)
class Report:
    """`ratio` is the cost of what was measured in units of the floor's cost; 1 is the best."""

    bench: str
    figure: float
    unit: str
    floor: float
    more: dict[str, float] = field(default_factory=dict)
    is_cost: bool = False
    """Whether less is better, such as of milliseconds."""

    @property
    def ratio(self) -> float | None:
        """The cost in units of the floor's; None when it cannot be told."""
        dear, cheap = (self.figure, self.floor) if self.is_cost else (self.floor, self.figure)
        return round(dear / cheap, 2) if cheap else None

    def print(self) -> None:
        """The figures, and the line of JSON last."""
        row = {
            "bench": self.bench,
            "figure": round(self.figure),
            "unit": self.unit,
            "floor": round(self.floor),
            "ratio": self.ratio,
            **{name: round(value, 3) for name, value in self.more.items()},
        }
        for name, value in row.items():
            print(f"  {name:24} {value}")
        print(json.dumps(row), flush=True)


def introduce(bench: str, what: str) -> None:
    """The machine, and what will be done."""
    print(f"{bench}: {what}\n  on {describe()}", flush=True)
