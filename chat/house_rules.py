"""The rules of one room as a node knows them, and who said something lately.

They are asked for when a crowd begins or may have missed something; what is heard while the answer
is on its way is applied on top.
"""

import structlog

from chat.core.moderation import SLOW_MAX_S, Rules, Sanction, Settings
from chat.ports import Describe

log = structlog.get_logger()


class HouseRules:
    """`now`: what binds the room; None until it is known."""

    def __init__(self, show: str, describe: Describe) -> None:
        self.now: Rules | None = None
        self._show = show
        self._describe = describe
        self._changes: list[Settings | Sanction] = []
        """Those heard since the rules were last asked for."""
        self._said: dict[str, tuple[str, int]] = {}
        """What each person said last, by the client's id, and when."""

    def heard(self, change: Settings | Sanction) -> None:
        """A change was told."""
        self._changes.append(change)
        self.now = None if self.now is None else self.now.after(change)

    async def learn(self) -> bool:
        """Ask for the rules; False when they were not told."""
        self._changes.clear()
        try:
            room = await self._describe(self._show)
        except Exception:
            log.exception("the rules of a room are not known", show=self._show)
            return False
        rules = Rules() if room is None else room.rules
        for change in self._changes:
            rules = rules.after(change)
        self.now = rules
        return True

    def told_to(self, person: str | None) -> list[Sanction]:
        """A person's own sanctions as it is told of them; none while the rules are not known."""
        return [] if self.now is None or person is None else self.now.told_to(person)

    def last_said_ms(self, person: str, client_id: str) -> int | None:
        """When a person last said something else here, within the longest slow mode."""
        last = self._said.get(person)
        return None if last is None or last[0] == client_id else last[1]

    def note_said(self, person: str, client_id: str, now_ms: int) -> None:
        """A person said something, perhaps again."""
        last = self._said.get(person)
        if last is None or last[0] != client_id:
            self._said[person] = client_id, now_ms

    def forget_silent(self, now_ms: int) -> None:
        """Forget who has been silent long enough for any slow mode."""
        oldest = now_ms - SLOW_MAX_S * 1_000
        self._said = {who: last for who, last in self._said.items() if last[1] > oldest}
