"""The use cases of shows: schedule, arrange, pin, publish, end.

Only the owner of a show's store changes it. Of a publish key only the SHA-256 is kept; a new key
ends the older one. Events are told after the change is durable.
"""

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from live.show.core import lineup
from live.show.core.lineup import Refused
from live.show.core.stage import Cue, Show, Stage, advance
from live.show.errors import (
    InvalidShowError,
    NotYoursError,
    ShowEndedError,
    ShowStartedError,
    UnknownShowError,
)
from live.show.ports import (
    Arranged,
    Book,
    Change,
    Directory,
    Ended,
    Pinned,
    StoreOwner,
    StoreProducts,
    Tell,
    WentOffAir,
    WentOnAir,
)

TITLE_CHARACTERS: Final = 120

Permission = Literal["granted", "unknown_show", "unauthorized", "ended"]


@dataclass(frozen=True, slots=True)
class Patch:
    """What shall change about a show; `starts` tells whether `starts_at_ms` was given."""

    title: str | None = None
    starts: bool = False
    starts_at_ms: int | None = None


class Shows:
    """The use cases. `clock` gives seconds since the epoch."""

    def __init__(
        self,
        book: Book,
        directory: Directory,
        tell: Tell,
        store_owner: StoreOwner,
        store_products: StoreProducts,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._book = book
        self._directory = directory
        self._tell = tell
        self._store_owner = store_owner
        self._store_products = store_products
        self._clock = clock

    async def schedule(self, person: str, store: str, title: str, starts_at_ms: int | None) -> Show:
        """Make a show of the person's store. Raises `UnknownShowError`, `NotYoursError`."""
        await self._demand_owner(person, store)
        show = Show(secrets.token_urlsafe(9), store, _title(title), starts_at_ms=starts_at_ms)
        await self._book.add(show)
        return show

    async def listed(self, stage: Stage | None) -> Sequence[Show]:
        """The shows everybody may see."""
        return await self._book.listed(stage)

    async def show(self, show: str) -> Show:
        """One show. Raises `UnknownShowError`."""
        found = await self._book.find(show)
        if found is None:
            raise UnknownShowError("There is no such show.")
        return found

    async def find(self, show: str) -> Show | None:
        """One show, or None."""
        return await self._book.find(show)

    async def demand_owner(self, person: str, show: str) -> None:
        """Whether the show is of the person's store. Raises `UnknownShowError`, `NotYoursError`."""
        await self._demand_owner(person, (await self.show(show)).store)

    async def unended(self, store: str) -> Sequence[Show]:
        """A store's shows that are scheduled or live."""
        return await self._book.unended(store)

    async def on_air(self, shows: Sequence[str]) -> set[str]:
        """Those of the shows whose publisher is there."""
        return await self._directory.on_air(shows)

    async def edit(self, person: str, show: str, patch: Patch) -> Show:
        """Change title or start; the start only before the first picture."""

        def edited(before: Show) -> Show:
            if before.stage is Stage.ENDED:
                raise ShowEndedError("This show is over.")
            after = replace(before, title=_title(patch.title)) if patch.title else before
            if patch.starts and before.stage is not Stage.SCHEDULED:
                raise ShowStartedError("This show has started.")
            return replace(after, starts_at_ms=patch.starts_at_ms) if patch.starts else after

        _, after = await self._change_own(person, show, edited)
        return after

    async def arrange(self, person: str, show: str, products: Sequence[str]) -> Show:
        """Set the line-up; an empty one carries the whole store."""
        shelf = await self._shelf(show)
        before, after = await self._change_own(
            person, show, lambda found: _accept(lineup.arrange(found, products, shelf))
        )
        added = (product for product in shelf if lineup.carries(after, product))
        fresh = tuple(product for product in added if not lineup.carries(before, product))
        await self._tell(Arranged(after, fresh))
        if before.pinned != after.pinned:
            await self._tell(Pinned(after))
        return after

    async def pin(self, person: str, show: str, product: str | None) -> Show:
        """Pin a product of the store, or none."""
        shelf = await self._shelf(show)
        before, after = await self._change_own(
            person, show, lambda found: _accept(lineup.pin(found, product, shelf))
        )
        if product is not None and not lineup.carries(before, product):
            await self._tell(Arranged(after, (product,)))
        await self._tell(Pinned(after))
        return after

    async def end(self, person: str, show: str) -> Show:
        """End the show for good; ending it again changes nothing."""
        before, after = await self._change_own(person, show, self._cue(Cue.END))
        if before.stage is not after.stage:
            await self._tell(Ended(after))
        return after

    async def new_publish_key(self, person: str, show: str) -> str:
        """A new key that may publish the show; the older one no longer may."""
        found = await self.show(show)
        await self._demand_owner(person, found.store)
        if found.stage is Stage.ENDED:
            raise ShowEndedError("This show is over.")
        key = secrets.token_urlsafe(24)
        await self._book.keep_key(show, digest(key))
        return key

    async def may_publish(self, show: str, key: str | None) -> Permission:
        """Whether the bearer of this key may publish the show."""
        found = await self._book.find(show)
        if found is None:
            return "unknown_show"
        kept = await self._book.key(show)
        if kept is None or key is None or not hmac.compare_digest(kept, digest(key)):
            return "unauthorized"
        return "ended" if found.stage is Stage.ENDED else "granted"

    async def media_flows(self, show: str) -> None:
        """The publisher's media flows on this node: the show is live and on air."""
        changed = await self._book.change(show, self._cue(Cue.MEDIA_FLOWS))
        if changed is None:
            raise UnknownShowError("There is no such show.")
        await self._directory.claim(show)
        await self._tell(WentOnAir(changed[1]))

    async def media_stops(self, show: str) -> None:
        """The publisher left this node; off air unless it came back to another one."""
        await self._directory.release(show)
        found = await self._book.find(show)
        if found is not None and await self._directory.origin(show) is None:
            await self._tell(WentOffAir(found))

    def _cue(self, cue: Cue) -> Change:
        def change(show: Show) -> Show:
            after = advance(show, cue, int(self._clock() * 1000))
            if after is None:
                raise ShowEndedError("This show is over.")
            return after

        return change

    async def _change_own(self, person: str, show: str, change: Change) -> tuple[Show, Show]:
        await self.demand_owner(person, show)
        changed = await self._book.change(show, change)
        if changed is None:
            raise UnknownShowError("There is no such show.")
        return changed

    async def _shelf(self, show: str) -> list[str]:
        return await self._store_products((await self.show(show)).store)

    async def _demand_owner(self, person: str, store: str) -> None:
        owner = await self._store_owner(store)
        if owner is None:
            raise UnknownShowError("There is no such store.")
        if owner != person:
            raise NotYoursError("This store belongs to somebody else.")


def digest(key: str) -> bytes:
    """What is kept of a publish key."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()


def _title(text: str) -> str:
    title = " ".join(text.split())
    if not 1 <= len(title) <= TITLE_CHARACTERS:
        raise InvalidShowError(f"A title has 1 to {TITLE_CHARACTERS} characters.", field="title")
    return title


def _accept(decided: Show | Refused) -> Show:
    if isinstance(decided, Show):
        return decided
    if decided.why == "ended":
        raise ShowEndedError("This show is over.")
    raise InvalidShowError(
        "This line-up cannot be.", field="products", why=decided.why, product=decided.product
    )
