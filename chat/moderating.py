"""What moderators do to a room: judged by the person's rank, kept, then told to every node.

A change is committed before it is told. It is told as a numbered event, so that every node that
has the room applies it; a node that missed it asks for the rules again. When it cannot be told its
author learns so, and doing it again tells it again. Reports wait in their list, told or not.
"""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from chat.core.addressee import EVERYBODY, MODERATORS, person
from chat.core.deeds import Deed, Noted, Report
from chat.core.events import Reported, Settled
from chat.core.moderation import (
    TOLD,
    Action,
    Appointed,
    Change,
    Deleted,
    PinnedSaying,
    Rules,
    Sanction,
    SanctionKind,
    Settings,
    may,
    without_pinned,
)
from chat.errors import ForbiddenError, UnknownError
from chat.hub import Hub
from chat.ports import Archive, NamesOf, Room, Rulebook

OwnerOf = Callable[[str], Awaitable[str | None]]
"""The account that owns a store; None where there is none."""
OpenShows = Callable[[str], Awaitable[Sequence[str]]]
"""The ids of a store's shows that are not over."""
Withdraw = Callable[[str, str, str], Awaitable[None]]
"""Given an actor, a show and a saying that is deleted: it is no question any longer."""

PAGE: int = 50
"""Reports or deeds told at once."""


@dataclass(frozen=True, slots=True)
class Overview:
    """How a room is moderated. `reports` and `trail` are pages.

    `names`: what those in it are called.
    """

    rules: Rules
    moderators: frozenset[str]
    reports: Sequence[Report]
    trail: Sequence[Noted]
    names: Mapping[str, str]


class Moderating:
    """The use cases. Each raises `UnknownError` and `ForbiddenError`, and what it says."""

    def __init__(
        self,
        hub: Hub,
        rulebook: Rulebook,
        owner_of: OwnerOf,
        open_shows: OpenShows,
        withdraw: Withdraw,
        archive: Archive,
        names_of: NamesOf,
    ) -> None:
        self._hub = hub
        self._rulebook = rulebook
        self._owner_of = owner_of
        self._open_shows = open_shows
        self._withdraw = withdraw
        self._archive = archive
        self._names_of = names_of

    async def overview(
        self, actor: str, show: str, reports_after: int, trail_before: int | None
    ) -> Overview:
        """Everything a moderator may know; pages begin after and before these ids."""
        room = await self._hub.demand(actor, show, Action.READ)
        rules = await self._rulebook.rules(room.store, show, _now_ms())
        trail = await self._rulebook.trail(room.store, trail_before, PAGE)
        persons = {account for account, _ in rules.sanctions} | room.moderators
        persons |= {each for noted in trail for each in (noted.deed.actor, noted.deed.whom) if each}
        return Overview(
            rules,
            room.moderators,
            await self._rulebook.reports(show, reports_after, PAGE),
            trail,
            await self._names_of(persons),
        )

    async def delete(self, actor: str, show: str, message: str, reason: str) -> None:
        """Take a saying out of the room, for everybody; again it changes nothing."""
        room = await self._hub.demand(actor, show, Action.DELETE)
        said = await self._find(show, message)
        if said is not None:  # else perhaps it is erased, and only the nodes were not told
            author = said["from"]["id"]
            _demand_against(room, actor, Action.DELETE, author)
            deed = _deed(room, show, actor, Action.DELETE, author, reason)
            await self._rulebook.note(
                msgspec.structs.replace(deed, message=message, detail=said["text"])
            )
        await self._withdraw(actor, show, message)
        await self._hub.bus.erase(show, message)
        unpinning = _deed(room, show, actor, Action.PIN)
        await self._switch(unpinning, lambda now: without_pinned(now, message))
        await self._tell([show], Deleted(message), EVERYBODY)

    async def sanction(
        self,
        *,
        actor: str,
        show: str,
        account: str,
        kind: SanctionKind,
        seconds: int | None,
        reason: str,
        key: str | None = None,
    ) -> Sanction:
        """Sanction an account for so many seconds, or for ever. Raises `TooManyError`.

        Asked for again by the same `key` it ends when it would have.
        """
        room = await self._hub.demand(actor, show, Action.SANCTION)
        _demand_against(room, actor, Action.SANCTION, account)
        deed = _deed(room, show, actor, Action.SANCTION, account, reason)
        until_ms = None if seconds is None else deed.at_ms + seconds * 1_000
        deed = msgspec.structs.replace(deed, detail=f"{kind} {seconds or 'for ever'}")
        sanction = await self._rulebook.sanction(deed, kind, until_ms, key)
        await self._tell_sanction(room.store, sanction)
        return sanction

    async def lift(
        self, *, actor: str, show: str, account: str, kind: SanctionKind, reason: str
    ) -> None:
        """Forgive an account."""
        room = await self._hub.demand(actor, show, Action.LIFT)
        deed = _deed(room, show, actor, Action.LIFT, account, reason)
        lifted = await self._rulebook.lift(msgspec.structs.replace(deed, detail=kind), kind)
        if lifted is not None:
            await self._tell_sanction(room.store, lifted)

    async def switch(self, actor: str, show: str, switches: dict[str, Any]) -> Settings:
        """Set some of a room's switches, but for the pinned saying."""
        room = await self._hub.demand(actor, show, Action.SET)
        deed = _deed(room, show, actor, Action.SET)
        detail = ", ".join(f"{name} {value}" for name, value in switches.items())
        deed = msgspec.structs.replace(deed, detail=detail)
        return await self._switch(deed, lambda now: msgspec.structs.replace(now, **switches))

    async def pin(self, actor: str, show: str, message: str | None) -> Settings:
        """Pin a saying on top of the room, or none."""
        room = await self._hub.demand(actor, show, Action.PIN)
        pinned = None if message is None else await self._saying(show, message)
        deed = msgspec.structs.replace(_deed(room, show, actor, Action.PIN), message=message)
        return await self._switch(
            deed, lambda now: msgspec.structs.replace(now, pinned_saying=pinned)
        )

    async def report(self, actor: str, show: str, message: str, reason: str) -> None:
        """Tell the moderators of a saying; again it changes nothing. Raises `TooManyError`."""
        await self._hub.demand(actor, show, Action.REPORT)
        said = await self._find(show, message)
        if said is None:
            raise UnknownError("Nothing was said by this id.")
        author = said["from"]
        report = Report(
            show=show,
            message=message,
            author=author["id"],
            name=author["name"],
            text=said["text"],
            reporter=actor,
            reason=reason,
            at_ms=_now_ms(),
        )
        kept = await self._rulebook.report(report)
        if kept is not None:
            await self._hub.publish(show, msgspec.to_builtins(Reported(kept)), MODERATORS)

    async def settle(self, actor: str, show: str, report: int) -> None:
        """A report is dealt with; again it changes nothing."""
        room = await self._hub.demand(actor, show, Action.SETTLE)
        deed = _deed(room, show, actor, Action.SETTLE)
        deed = msgspec.structs.replace(deed, detail=str(report))
        await self._rulebook.settle(deed, report)
        await self._hub.publish(show, msgspec.to_builtins(Settled(report)), MODERATORS)

    async def appoint(self, actor: str, store: str, account: str, *, moderates: bool) -> None:
        """The owner of a store makes an account its moderator, or no longer."""
        owner = await self._owner_of(store)
        if owner is None:
            raise UnknownError("There is no such store.")
        if owner != actor or account == actor:
            raise ForbiddenError("Only the seller appoints moderators, and not itself.")
        what = Action.APPOINT if moderates else Action.DISMISS
        deed = Deed(store=store, actor=actor, what=what.value, whom=account, at_ms=_now_ms())
        act = self._rulebook.appoint if moderates else self._rulebook.dismiss
        await act(deed)
        shows = await self._open_shows(store)
        for to in (MODERATORS, person(account)):
            await self._tell(shows, Appointed(account, moderates), to)

    async def _find(self, show: str, message: str) -> dict[str, Any] | None:
        """What was said by this id, lately or as far as it is archived."""
        said = await self._hub.bus.find(show, message)
        if said is not None:
            return said
        kept = await self._archive.find(show, message)
        return None if kept is None else kept.event()

    async def _saying(self, show: str, message: str) -> PinnedSaying:
        said = await self._hub.bus.find(show, message)
        if said is None:
            raise UnknownError("Nothing was said by this id lately.")
        author = said["from"]
        return PinnedSaying(message, author["name"], said["text"], author["id"], said["at_ms"])

    async def _switch(self, deed: Deed, change: Callable[[Settings], Settings]) -> Settings:
        assert deed.show is not None
        settings = await self._rulebook.switch(deed, change)
        await self._tell([deed.show], settings, EVERYBODY)
        return settings

    async def _tell_sanction(self, store: str, sanction: Sanction) -> None:
        shows = await self._open_shows(store)
        await self._tell(shows, sanction, MODERATORS)
        if sanction.kind in TOLD:
            await self._tell(shows, sanction, person(sanction.account))

    async def _tell(self, shows: Sequence[str], change: Change, to: str) -> None:
        for show in shows:
            await self._hub.publish(show, msgspec.to_builtins(change), to)


def _demand_against(room: Room, actor: str, action: Action, account: str) -> None:
    own = action is Action.DELETE and account == actor
    if not own and not may(room.rank(actor), action, room.rank(account)):
        raise ForbiddenError("Nobody acts against the seller, no moderator against another.")


def _deed(
    room: Room, show: str, actor: str, what: Action, whom: str | None = None, reason: str = ""
) -> Deed:
    return Deed(
        store=room.store,
        show=show,
        actor=actor,
        what=what.value,
        whom=whom,
        reason=reason,
        at_ms=_now_ms(),
    )


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
