"""What `PROTOCOL.md` says in numbers is what the server does."""

from pathlib import Path

import chat
from chat.adapters.redis_bus import KEYS_KEPT_S, TICK_US
from chat.buying import HOLDS_AT_ONCE
from chat.connection import CLOSE_BYTES
from chat.core.budget import IN_TICK, Part
from chat.core.closes import COME_BACK, Close
from chat.core.commands import CLIENT_ID_CHARS, HEARTS_AT_ONCE, KEY_CHARS, MESSAGE_BYTES
from chat.core.refusals import MEANINGS
from chat.core.text import TEXT_CODE_POINTS
from chat.visit import HELLO_S

TEXT = (Path(chat.__file__).parent / "PROTOCOL.md").read_text()


def test_every_close_code_is_told_with_whether_to_come_back() -> None:
    rows = [line.split("|") for line in TEXT.splitlines() if line.startswith(("| 1", "| 4"))]
    told = {int(row[1]): row[3].strip() for row in rows}
    assert told == {code.value: "yes" if code in COME_BACK else "no" for code in Close}


def test_every_reason_of_a_refusal_is_told() -> None:
    rows = [line.split("|") for line in TEXT.splitlines() if line.startswith("| `")]
    told = {row[1].strip(" `"): row[2].strip() for row in rows if len(row) == 4}
    assert told == dict(MEANINGS)


def test_the_limits_are_told() -> None:
    for limit in (
        f"at most {MESSAGE_BYTES // 1024} KiB",
        f"at most {CLIENT_ID_CHARS} characters",
        f"at most {TEXT_CODE_POINTS} code points",
        f"1 to {HEARTS_AT_ONCE}",
        f"1 to {KEY_CHARS} visible ASCII characters",
        f"within {HELLO_S:g} seconds",
        f"more than {CLOSE_BYTES // 2**20} MiB",
        f"at most {IN_TICK[Part.MODERATORS]} sayings in {TICK_US // 1000} ms",
        f"{IN_TICK[Part.MODERATORS] - IN_TICK[Part.BUYERS]} places are kept for the seller",
        f"{IN_TICK[Part.BUYERS] - IN_TICK[Part.EVERYBODY]} more for them",
    ):
        assert limit in TEXT
    assert HOLDS_AT_ONCE == 8
    assert "Eight of a connection may wait" in TEXT
    assert KEYS_KEPT_S == 300
    assert "within five minutes" in TEXT
