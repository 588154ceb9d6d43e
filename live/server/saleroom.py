"""Who may bid in a show's auctions, and under which name."""

import time
from collections.abc import Awaitable, Callable, Collection, Mapping

from chat.adapters.rulebook import SqlRulebook
from chat.core import nicknames
from live.show.core.stage import Show
from live.show.shows import Shows

OwnerOf = Callable[[str], Awaitable[str | None]]
"""The account whose store it is."""

NamesOf = Callable[[Collection[str]], Awaitable[Mapping[str, str]]]
"""What accounts are called."""


class Saleroom:
    """What a show's house says of bidders."""

    def __init__(
        self, shows: Shows, rulebook: SqlRulebook, owner_of: OwnerOf, names_of: NamesOf
    ) -> None:
        self._shows = shows
        self._rulebook = rulebook
        self._owner_of = owner_of
        self._names_of = names_of

    async def admit_bidder(self, show: str, account: str) -> str | None:
        """Cart's `AdmitBidder`: None for who is banned there."""
        found = await self._shows.find(show)
        if found is None or await self._is_banned(found, account):
            return None
        house = await self._rulebook.moderators(found.store)
        seller = await self._owner_of(found.store)
        house |= {seller} if seller else set()
        names = await self._names_of({account} | house)
        name = names.get(account)
        if name is None or account in house:
            return name
        return nicknames.shown(account, name, [names[one] for one in house if one in names])

    async def _is_banned(self, show: Show, account: str) -> bool:
        now_ms = time.time_ns() // 1_000_000
        rules = await self._rulebook.rules(show.store, show.id, now_ms)
        return rules.holding(account, "ban", now_ms) is not None
