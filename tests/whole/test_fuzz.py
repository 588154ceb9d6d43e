"""Whatever a stranger's program asks of `/openapi.json`, no answer is a fault of the server's.

`python -m tests.whole.fuzz` asks at length.
"""

from pathlib import Path
from typing import Final

from tests.whole.fuzz import fuzz
from tests.whole.server import Server

EXAMPLES: Final = 3
SECONDS: Final = 20


async def test_nothing_that_is_asked_is_a_fault_of_ours(server: Server, tmp_path: Path) -> None:
    code, report = await fuzz(server, tmp_path, examples=EXAMPLES, seconds=SECONDS)
    assert code == 0, report
