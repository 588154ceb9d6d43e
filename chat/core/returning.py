"""How a client keeps its place in a room: what it knows, whether and when it comes back.

The place is the last numbered event the client took. A welcome moves it to where it says; an event
at or before it was told already. Pauses before coming back are random all the way down to nothing
("full jitter"), so that those who were cut off together do not come back together.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from chat.core.closes import COME_BACK
from chat.core.commands import Since

FIRST_S: Final = 1.0
"""The longest pause after a first failure."""
MOST_S: Final = 30.0
"""The longest pause of all."""
DOUBLINGS: Final = 5
"""So many doublings lead from `FIRST_S` above `MOST_S`."""
_OURS: Final = range(4000, 5000)
_MISUSE: Final = frozenset({1002, 1003, 1007, 1008, 1009})
"""Somebody sent what is none of the protocol (RFC 6455 section 7.4.1), and would again."""


def comes_back(code: int) -> bool:
    """Whether a client connects again after its connection was closed with this code."""
    return code in COME_BACK or (code not in _OURS and code not in _MISUSE)


def pause_s(failures: int, chance: float) -> float:
    """Seconds to wait after so many failures in a row; `chance` is drawn from [0, 1)."""
    return chance * min(MOST_S, FIRST_S * 2.0 ** min(failures, DOUBLINGS))


@dataclass(slots=True)
class Place:
    """What a client knows of a show's sequence; `since` is None before its first welcome."""

    since: Since | None = field(default=None)

    def knows(self, event: Mapping[str, Any]) -> bool:
        """Whether the event was taken before."""
        if event["type"] == "welcome" or self.since is None:
            return False
        offset = event.get("offset")
        return offset is not None and offset <= self.since.offset

    def take(self, event: Mapping[str, Any]) -> None:
        """The event is the client's now."""
        if event["type"] == "welcome":
            self.since = Since(event["epoch"], event["offset"])
        elif self.since is not None and "offset" in event:
            self.since = Since(self.since.epoch, event["offset"])
