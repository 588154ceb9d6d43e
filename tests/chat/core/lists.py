"""Lists of what people say, one saying a line."""

import re
from pathlib import Path
from typing import Final

DATA: Final = Path(__file__).parent / "data"


def lines(name: str) -> list[str]:
    """The lines of a data file that are no comments; `\\uXXXX` stands for a character."""
    text = (DATA / name).read_text(encoding="utf-8")
    text = re.sub(r"\\u([0-9a-f]{4})", lambda found: chr(int(found[1], 16)), text)
    return [line for line in text.splitlines() if line and not line.startswith("#")]
