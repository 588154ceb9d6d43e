"""Moderation over HTTP, as typed operations."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from chat.core.deeds import Noted, Reason, Report
from chat.core.moderation import Sanction, SanctionKind, Settings, SlowSeconds
from chat.moderating import Moderating

Operation = tuple[str, str, Callable[..., Awaitable[Any]], int]
MessageId = Annotated[str, Meta(min_length=1, max_length=64)]
AccountId = Annotated[str, Meta(min_length=1, max_length=64)]
Seconds = Annotated[int, Meta(ge=1, le=31_536_000)]
"""Up to a year; whoever wants longer says for ever."""
Number = Annotated[int, Meta(ge=0, lt=2**53)]


class Deletion(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A message to take out of the room."""

    message: MessageId
    reason: Reason = ""


class NewSanction(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A sanction for so many seconds, null: for ever."""

    account: AccountId
    kind: SanctionKind
    seconds: Seconds | None
    reason: Reason = ""


class Pardon(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A sanction to lift."""

    account: AccountId
    kind: SanctionKind
    reason: Reason = ""


class Switches(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What shall change; what is left out stays."""

    slow_s: SlowSeconds | UnsetType = UNSET
    buyers_only: bool | UnsetType = UNSET
    followers_only: bool | UnsetType = UNSET
    links_allowed: bool | UnsetType = UNSET
    frozen: bool | UnsetType = UNSET


class PinMessage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The message to pin, null for none."""

    message: MessageId | None


class NewReport(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A message moderators should see."""

    message: MessageId
    reason: Reason = ""


class Settlement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A report that is dealt with."""

    report: Number


class ModerationView(msgspec.Struct, frozen=True, kw_only=True):
    """A room's rules; reports that wait, oldest first; what was done in the store, newest first.

    `names`: what the accounts in it are called, as far as they are known.
    """

    settings: Settings
    sanctions: list[Sanction]
    moderators: list[str]
    reports: list[Report]
    trail: list[Noted]
    names: dict[str, str]


class ModerationDesk:
    """Answers for moderation."""

    def __init__(self, moderating: Moderating) -> None:
        self._moderating = moderating

    async def look(
        self,
        person: str,
        show: str,
        reports_after: Number = 0,
        trail_before: Number | None = None,
    ) -> ModerationView:
        """A room's rules, sanctions, reports and trail."""
        found = await self._moderating.overview(person, show, reports_after, trail_before)
        return ModerationView(
            settings=found.rules.settings,
            sanctions=list(found.rules.sanctions.values()),
            moderators=sorted(found.moderators),
            reports=list(found.reports),
            trail=list(found.trail),
            names=dict(found.names),
        )

    async def switch(self, person: str, show: str, body: Switches) -> Settings:
        """Set a room's switches."""
        wanted = msgspec.structs.asdict(body)
        switches = {name: value for name, value in wanted.items() if value is not UNSET}
        return await self._moderating.switch(person, show, switches)

    async def delete(self, person: str, show: str, body: Deletion) -> None:
        """Delete a message."""
        await self._moderating.delete(person, show, body.message, body.reason)

    async def sanction(
        self, person: str, show: str, idempotency_key: str, body: NewSanction
    ) -> Sanction:
        """Mute, ban or shadow ban an account in the store's rooms, once for a key."""
        return await self._moderating.sanction(
            actor=person, show=show, key=idempotency_key, **msgspec.structs.asdict(body)
        )

    async def lift(self, person: str, show: str, body: Pardon) -> None:
        """Lift a sanction."""
        await self._moderating.lift(actor=person, show=show, **msgspec.structs.asdict(body))

    async def pin(self, person: str, show: str, body: PinMessage) -> Settings:
        """Pin a message, or none."""
        return await self._moderating.pin(person, show, body.message)

    async def report(self, person: str, show: str, body: NewReport) -> None:
        """Report a message to the moderators."""
        await self._moderating.report(person, show, body.message, body.reason)

    async def settle(self, person: str, show: str, body: Settlement) -> None:
        """Mark a report as dealt with."""
        await self._moderating.settle(person, show, body.report)

    async def appoint(self, person: str, slug: str, account: str) -> None:
        """Make an account a moderator of one's own store."""
        await self._moderating.appoint(person, slug, account, moderates=True)

    async def dismiss(self, person: str, slug: str, account: str) -> None:
        """An account moderates one's own store no longer."""
        await self._moderating.appoint(person, slug, account, moderates=False)


def operations(moderating: Moderating) -> list[Operation]:
    """The operations of moderation."""
    desk = ModerationDesk(moderating)
    room = "/shows/{show}/moderation"
    return [
        ("GET", room, desk.look, 200),
        ("PATCH", room, desk.switch, 200),
        ("POST", f"{room}/delete", desk.delete, 204),
        ("POST", f"{room}/sanction", desk.sanction, 200),
        ("POST", f"{room}/lift", desk.lift, 204),
        ("POST", f"{room}/pin", desk.pin, 200),
        ("POST", f"{room}/report", desk.report, 204),
        ("POST", f"{room}/settle", desk.settle, 204),
        ("PUT", "/stores/{slug}/moderators/{account}", desk.appoint, 204),
        ("DELETE", "/stores/{slug}/moderators/{account}", desk.dismiss, 204),
    ]
