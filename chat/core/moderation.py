"""The rules of a room as everybody in it is bound by them, and who may change them.

`Rules` are a value; a `Change` is one row of them as it is now, with a version. Of two versions of
a row the higher holds, so changes may come twice, late or in any order and every node still ends
with the same rules. `decide` says what becomes of a saying. Moderators and the seller are bound by
no rule. Times are milliseconds of the wall clock.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from types import MappingProxyType
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from chat.core.refusals import Reason
from chat.core.room import Rank

SLOW_MAX_S: Final = 120
"""The longest time between two sayings of one person that a room may ask for."""

SanctionKind = Literal["mute", "ban", "shadow_ban"]
TOLD: Final[tuple[SanctionKind, ...]] = ("mute", "ban")
"""The sanctions whoever they concern is told of: that it is shadow banned is told nobody."""
SlowSeconds = Annotated[int, Meta(ge=0, le=SLOW_MAX_S)]


class PinnedSaying(msgspec.Struct, frozen=True):
    """A saying that stays on top: its id, who said it, what.

    `author`: the account; `at_ms`: when it was said. Empty and 0 where that is not known any more.
    """

    id: str
    name: str
    text: str
    author: str = ""
    at_ms: int = 0


class Settings(msgspec.Struct, frozen=True, tag_field="type", tag="room"):
    """A room's switches. `slow_s`: seconds between two sayings of one person, 0 for none.

    `links_allowed`: everybody may post links, not only the seller and moderators.
    """

    slow_s: SlowSeconds = 0
    buyers_only: bool = False
    followers_only: bool = False
    links_allowed: bool = False
    frozen: bool = False
    pinned_saying: PinnedSaying | None = None
    version: int = 0


def without_pinned(settings: Settings, saying: str) -> Settings:
    """The switches without this saying on top, if it is there."""
    pinned = settings.pinned_saying
    if pinned is None or pinned.id != saying:
        return settings
    return msgspec.structs.replace(settings, pinned_saying=None)


class Sanction(msgspec.Struct, frozen=True, tag_field="type", tag="sanction"):
    """What one account suffers, or with `lifted` no longer; `until_ms` None: for ever."""

    account: str
    kind: SanctionKind
    until_ms: int | None
    version: int
    lifted: bool = False

    def holds(self, now_ms: int) -> bool:
        """Whether it binds now."""
        return not self.lifted and (self.until_ms is None or now_ms < self.until_ms)


class Deleted(msgspec.Struct, frozen=True, tag_field="type", tag="deleted"):
    """A saying nobody is to see any more."""

    id: str


class Appointed(msgspec.Struct, frozen=True, tag_field="type", tag="moderator"):
    """An account moderates from now on, or no longer."""

    account: str
    moderates: bool


class Forgotten(msgspec.Struct, frozen=True, tag_field="type", tag="forgotten"):
    """Somebody was erased: nobody is told again what was told before."""


Change = Settings | Sanction | Deleted | Appointed | Forgotten
"""What a numbered event may tell of a room's rules, or to its nodes."""

_CHANGES: Final[msgspec.msgpack.Decoder[Change]] = msgspec.msgpack.Decoder(Change)


def read_change(packed: bytes) -> Change | None:
    """The change a packed event tells; None for events of other kinds."""
    try:
        return _CHANGES.decode(packed)
    except msgspec.ValidationError:
        return None


@dataclass(frozen=True, slots=True)
class Rules:
    """What binds a room now; changed by making another one."""

    settings: Settings = field(default_factory=Settings)
    sanctions: Mapping[tuple[str, SanctionKind], Sanction] = field(
        default_factory=lambda: MappingProxyType({})
    )

    def after(self, change: Settings | Sanction) -> "Rules":
        """The rules with a change; the same rules where they know a higher version."""
        if isinstance(change, Settings):
            newer = change.version > self.settings.version
            return replace(self, settings=change) if newer else self
        key = (change.account, change.kind)
        known = self.sanctions.get(key)
        if known is not None and known.version >= change.version:
            return self
        return replace(self, sanctions=MappingProxyType({**self.sanctions, key: change}))

    def holding(self, account: str, kind: SanctionKind, now_ms: int) -> Sanction | None:
        """The sanction of this kind that binds the account now."""
        sanction = self.sanctions.get((account, kind))
        return sanction if sanction is not None and sanction.holds(now_ms) else None

    def told_to(self, account: str) -> list[Sanction]:
        """What the account is told of its own sanctions; some may have run out."""
        found = (self.sanctions.get((account, kind)) for kind in TOLD)
        return [sanction for sanction in found if sanction is not None and not sanction.lifted]

    def may_use_codes(self, account: str, now_ms: int) -> bool:
        """Whether the account may buy by codes in the chat; orders are nobody's to forbid."""
        return self.holding(account, "ban", now_ms) is None


class Audience(Enum):
    """Who is shown a saying that was allowed."""

    EVERYBODY = "everybody"
    SENDER = "sender"
    """It looks said to its sender alone: the sender is shadow banned."""


@dataclass(frozen=True, slots=True)
class Objection:
    """A saying is refused: why, and until when if that is known."""

    reason: Reason
    until_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who wants to speak. `buyer`: it has bought in the store. `follower`: it follows it."""

    account: str
    rank: Rank
    buyer: bool = False
    follower: bool = False


def decide(speaker: Speaker, rules: Rules, now_ms: int) -> Audience | Objection:
    """What becomes of a saying. Slow mode is judged as it is published (`chat.ports.Pace`)."""
    if speaker.rank >= Rank.MODERATOR:
        return Audience.EVERYBODY
    objection = _sanctioned(speaker, rules, now_ms) or _switched(speaker, rules.settings)
    if objection is not None:
        return objection
    shadowed = rules.holding(speaker.account, "shadow_ban", now_ms)
    return Audience.EVERYBODY if shadowed is None else Audience.SENDER


def _sanctioned(speaker: Speaker, rules: Rules, now_ms: int) -> Objection | None:
    if banned := rules.holding(speaker.account, "ban", now_ms):
        return Objection("banned", banned.until_ms)
    if muted := rules.holding(speaker.account, "mute", now_ms):
        return Objection("muted", muted.until_ms)
    return None


def _switched(speaker: Speaker, settings: Settings) -> Objection | None:
    if settings.frozen:
        return Objection("frozen")
    if settings.buyers_only and not speaker.buyer:
        return Objection("buyers_only")
    if settings.followers_only and not speaker.follower:
        return Objection("followers_only")
    return None


class Action(Enum):
    """What somebody may want to do to a room; the values name it in the audit trail."""

    REPORT = "report"
    DELETE = "delete"
    SANCTION = "sanction"
    LIFT = "lift"
    SET = "set"
    PIN = "pin"
    SETTLE = "settle"
    READ = "read"
    ANSWER = "answer"
    APPOINT = "appoint"
    DISMISS = "dismiss"


RANK_NEEDED: Final = {
    Action.REPORT: Rank.VIEWER,
    Action.DELETE: Rank.MODERATOR,
    Action.SANCTION: Rank.MODERATOR,
    Action.LIFT: Rank.MODERATOR,
    Action.SET: Rank.MODERATOR,
    Action.PIN: Rank.MODERATOR,
    Action.SETTLE: Rank.MODERATOR,
    Action.READ: Rank.MODERATOR,
    Action.ANSWER: Rank.MODERATOR,
    Action.APPOINT: Rank.SELLER,
    Action.DISMISS: Rank.SELLER,
}
"""Action → the least rank that may do it."""

_AGAINST_SOMEBODY: Final = frozenset({Action.DELETE, Action.SANCTION})


def may(actor: Rank, action: Action, target: Rank | None = None) -> bool:
    """Whether the actor may do this, where it is done to somebody to such a one.

    Nobody acts against the seller, and no moderator against a moderator.
    """
    if actor < RANK_NEEDED[action]:
        return False
    return action not in _AGAINST_SOMEBODY or target is None or target < actor
