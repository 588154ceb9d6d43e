"""The rules of one room as a node knows them.

They are asked for when a crowd begins or may have missed something; what is heard while the answer
is on its way is applied on top.
"""

import structlog

from chat.core.moderation import Rules, Sanction, Settings
from chat.ports import Describe

log = structlog.get_logger()


class HouseRules:
    """`now`: what binds the room; None until it is known. `store`: whose show it is."""

    def __init__(self, show: str, describe: Describe) -> None:
        self.now: Rules | None = None
        self.store = ""
        self._show = show
        self._describe = describe
        self._changes: list[Settings | Sanction] = []
        """Those heard since the rules were last asked for."""

    @property
    def links_allowed(self) -> bool:
        """Whether everybody may post links; not while the rules are not known."""
        return self.now is not None and self.now.settings.links_allowed

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
        self.store = self.store if room is None else room.store
        return True

    def told_to(self, person: str | None) -> list[Sanction]:
        """A person's own sanctions as it is told of them; none while the rules are not known."""
        return [] if self.now is None or person is None else self.now.told_to(person)
