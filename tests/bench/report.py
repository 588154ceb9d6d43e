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

    def print(self) -> None:
        """The figures, and the line of JSON last."""
        row = {
            "bench": self.bench,
            "figure": round(self.figure),
            "unit": self.unit,
            "floor": round(self.floor),
            "ratio": round(self.floor / self.figure, 2) if self.figure else None,
            **{name: round(value, 3) for name, value in self.more.items()},
        }
        for name, value in row.items():
            print(f"  {name:24} {value}")
        print(json.dumps(row), flush=True)


def introduce(bench: str, what: str) -> None:
    """The machine, and what will be done."""
    print(f"{bench}: {what}\n  on {describe()}", flush=True)
