"""What was said in a show, read again: by everybody as the room was, by moderators with the rest.

Everybody is shown what the room was shown and nobody took out of it; moderators also what was
deleted and what only its author was shown, and may ask for what one person said.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from chat.core.archive import Kept, Place, Recall, number_of
from chat.core.moderation import Action
from chat.hub import Hub
from chat.ports import Archive

Began = Callable[[str], Awaitable[int | None]]
"""When a show began, in milliseconds of the wall clock, None before it did; raises for no show."""


@dataclass(frozen=True, slots=True)
class Recalled:
    """Some of what was said, oldest first. `more`: after this place there is more."""

    began_ms: int | None
    kept: Sequence[Kept]
    more: Place | None


class Recalling:
    """The use case."""

    def __init__(self, hub: Hub, archive: Archive, began: Began) -> None:
        self._hub = hub
        self._archive = archive
        self._began = began

    async def recall(self, show: str, after: Place | None, from_ms: int, limit: int) -> Recalled:
        """What everybody may see that was said after a place.

        Without a place from so many ms after the show's beginning on.
        """
        return await self._recall(show, after, from_ms, Recall(limit))

    async def recall_whole(
        self,
        actor: str,
        show: str,
        after: Place | None,
        from_ms: int,
        limit: int,
        author: str | None,
    ) -> Recalled:
        """The same with what is hidden; with an author, what this account said.

        Raises `ForbiddenError` for who does not moderate there, and `UnknownError`.
        """
        await self._hub.demand(actor, show, Action.READ)
        recall = Recall(limit, hidden=True, author=author)
        return await self._recall(show, after, from_ms, recall)

    async def _recall(
        self, show: str, after: Place | None, from_ms: int, recall: Recall
    ) -> Recalled:
        began_ms = await self._began(show)
        if after is None and began_ms is not None and from_ms:
            after = Place(number_of(began_ms + from_ms, 0), "")
        found = await self._archive.recall(show, after, recall)
        more = len(found) > recall.limit
        kept = found[: recall.limit]
        return Recalled(began_ms, kept, kept[-1].place if more else None)
