"""What was said lately in a show, as a node knows it: what newcomers are told."""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from chat.core.frames import Event, Lane, pack, unpack

TALK_SHOWN: Final = 50
"""How many of the last sayings a newcomer is told."""
WHISPERS_KEPT: Final = 100
"""How many of the last sayings that only their authors are told are kept, of all authors."""
IDS_KNOWN: Final = 500
"""So many of the last sayings are known again when they come twice."""


@dataclass(frozen=True, slots=True)
class Past:
    """What the store remembers: the last sayings, oldest first, and how many hearts there were.

    `whispers`: sayings that only their authors are told.
    """

    talk: Sequence[dict[str, Any]]
    hearts: int
    whispers: Sequence[Event] = ()


class Talk:
    """`count`: how many sayings were told everybody. `hearts`: how many there were, all told."""

    def __init__(self) -> None:
        self.count = 0
        self.hearts = 0
        self._told: deque[tuple[str, Event]] = deque(maxlen=TALK_SHOWN)
        self._whispers: deque[tuple[str, Event]] = deque(maxlen=WHISPERS_KEPT)
        self._erased: dict[str, None] = {}
        self._ids: dict[str, None] = {}

    def is_new(self, event: Event) -> bool:
        """Whether an event of the talk lane is no saying that was heard before; it is known now."""
        said = unpack(event.packed)
        return said.get("type") != "said" or self._is_new(said["id"])

    def missed(self, past: Past) -> list[Event]:
        """What the store remembers and was not heard: it is known now. Its hearts count."""
        self.hearts = past.hearts
        told = [Event(Lane.TALK, pack(said)) for said in past.talk if self._is_new(said["id"])]
        return told + [event for event in past.whispers if self.is_new(event)]

    def told(self) -> set[str]:
        """The ids of what may be told again."""
        return {saying for told in (self._told, self._whispers) for saying, _ in told}

    def agree(self, past: Past, told: set[str]) -> None:
        """Nobody is told any more what the store, asked after `told`, has forgotten of it."""
        kept = {said["id"] for said in past.talk}
        kept.update(unpack(event.packed)["id"] for event in past.whispers)
        for saying in told - kept:
            self.erase(saying)

    def note(self, events: Iterable[Event], hearts: int) -> None:
        """These were told."""
        self.hearts += hearts
        for event in events:
            said = unpack(event.packed) if event.lane is Lane.TALK else {}
            if event.to and said:
                self._whispers.append((said["id"], event))
            elif said.get("type") == "said":
                self._told.append((said["id"], event))
                self.count += 1

    def erase(self, saying: str) -> None:
        """Nobody is told this one from now on."""
        self._erased[saying] = None
        if len(self._erased) > IDS_KNOWN:
            del self._erased[next(iter(self._erased))]

    def shown(self) -> list[Event]:
        """The last sayings that were told, oldest first."""
        return self._unerased(self._told)

    def shown_to(self, address: str, shown: Sequence[Event]) -> Sequence[Event] | None:
        """These, which everybody is shown, among the person's own; None where there are none."""
        own = [event for event in self._unerased(self._whispers) if event.to == address]
        if not own:
            return None
        merged = sorted([*shown, *own], key=lambda event: int(unpack(event.packed)["at_ms"]))
        return merged[-TALK_SHOWN:]

    def since(self, count: int) -> list[Event]:
        """Those told after so many, as far as they are still known."""
        return self._unerased(
            islice(self._told, max(0, len(self._told) - (self.count - count)), None)
        )

    def _unerased(self, told: Iterable[tuple[str, Event]]) -> list[Event]:
        return [event for saying, event in told if saying not in self._erased]

    def _is_new(self, saying: str) -> bool:
        if saying in self._ids:
            return False
        self._ids[saying] = None
        if len(self._ids) > IDS_KNOWN:
            del self._ids[next(iter(self._ids))]
        return True
