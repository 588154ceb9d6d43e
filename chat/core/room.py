"""The rules of a room: what becomes of a member's command.

`handle` decides and changes nothing but the member's own buckets; what is said again by the same id
costs once. Whoever calls it publishes, answers or closes as the outcome says. Only who is signed in
may speak; everybody may send hearts.
Numbers and addresses that are nobody else's business are masked in what is said, whoever says it.
Links, unless the room allows them, and unwanted words are for the seller and moderators alone.
"""

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any, Final

from chat.core import addressee
from chat.core.closes import Close
from chat.core.commands import Command, Faulty, Hello, Say, Sync, Unsayable, Unwantable, Want
from chat.core.links import find_link
from chat.core.masks import mask
from chat.core.rate_limit import HEARTS, MESSAGES, QUESTION_COST, SYNC_COST, Bucket, TalkBucket
from chat.core.refusals import Reason
from chat.core.text import TEXT_CODE_POINTS, clean, is_blank
from chat.core.words import WordList


class Rank(IntEnum):
    """What somebody is in a room; more may do more."""

    VIEWER = 0
    MODERATOR = 1
    SELLER = 2


_RANK_NEEDED: Final = {
    addressee.EVERYBODY: Rank.VIEWER,
    addressee.MODERATORS: Rank.MODERATOR,
    addressee.SELLER: Rank.SELLER,
}


def hears(rank: Rank, to: str) -> bool:
    """Whether an event for these is for everybody of the rank."""
    needed = _RANK_NEEDED.get(to)
    return needed is not None and rank >= needed


@dataclass(frozen=True, slots=True)
class Member:
    """One connection's standing in a room; `id` is None for who is not signed in.

    `talk` is the person's bucket, shared by its connections; the other two are the connection's.
    """

    id: str | None
    name: str
    rank: Rank
    talk: TalkBucket
    messages: Bucket
    hearts: Bucket

    @property
    def trusted(self) -> bool:
        """Whether the member may say what others may not: links, unwanted words."""
        return self.rank >= Rank.MODERATOR

    @property
    def address(self) -> str:
        """What is told to this person alone is addressed so."""
        return addressee.EVERYBODY if self.id is None else addressee.person(self.id)

    def hears(self, to: str) -> bool:
        """Whether an event for these is for the member too."""
        return self.address == to or hears(self.rank, to)

    def describe(self) -> dict[str, Any] | None:
        """The member as others see it; None for who is not signed in."""
        if self.id is None:
            return None
        return {
            "id": self.id,
            "name": self.name,
            "seller": self.rank is Rank.SELLER,
            "moderator": self.rank is Rank.MODERATOR,
        }


def member(person: tuple[str, str] | None, rank: Rank, talk: TalkBucket) -> Member:
    """A newcomer with full buckets; `person` is id and name of who is signed in."""
    person_id, name = person or (None, "")
    return Member(person_id, name, rank, talk, Bucket(MESSAGES), Bucket(HEARTS))


@dataclass(frozen=True, slots=True)
class Forbidden:
    """What is not for everybody to say: these words, and `links` where the room is so."""

    words: WordList
    links: bool = True


@dataclass(frozen=True, slots=True)
class Said:
    """To be published and remembered; then its sender is told `accepted`."""

    client_id: str
    event: dict[str, Any]


def as_buyer(said: Said) -> Said:
    """The same, of somebody who has bought in the store."""
    author = said.event["from"] | {"buyer": True}
    return replace(said, event=said.event | {"from": author})


@dataclass(frozen=True, slots=True)
class Hearted:
    """So many hearts to be added to the room's."""

    count: int


@dataclass(frozen=True, slots=True)
class SnapshotWanted:
    """To be answered with a fresh welcome."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing happened; the sender is told why."""

    client_id: str
    reason: Reason
    until_ms: int | None = None

    def event(self) -> dict[str, Any]:
        """What the sender is told; `until_ms` where it ends by itself."""
        told = {"type": "refused", "id": self.client_id, "reason": self.reason}
        return told if self.until_ms is None else told | {"until_ms": self.until_ms}


@dataclass(frozen=True, slots=True)
class Dismissed:
    """The connection is to be closed."""

    close: Close


@dataclass(frozen=True, slots=True)
class Wanted:
    """To be asked of the shop's till, which answers; or refused there, being no wish at all."""

    wish: Want | Unwantable


Outcome = Said | Hearted | SnapshotWanted | Wanted | Refused | Dismissed


def handle(
    command: Command | Faulty | None,
    member: Member,
    now: float,
    now_ms: int,
    new_id: str,
    forbidden: Forbidden,
) -> Outcome:
    """Decide on one command.

    `now`: seconds of a steady clock, for the rates. `now_ms`: the wall clock's, for `at_ms`.
    `new_id`: the id of what is said, if anything is.
    """
    if not member.messages.take(now, SYNC_COST if isinstance(command, Sync) else 1.0):
        return Dismissed(Close.TOO_MANY)
    if command is None or isinstance(command, Hello):
        return Dismissed(Close.MALFORMED)
    if isinstance(command, Unsayable):
        return Refused(command.id, "malformed")
    if isinstance(command, Want | Unwantable):
        return Wanted(command)
    if isinstance(command, Say):
        return _say(command, member, now, now_ms, new_id, forbidden)
    if isinstance(command, Sync):
        return SnapshotWanted()
    return Hearted(member.hearts.take_up_to(now, command.count))


def _say(
    command: Say, member: Member, now: float, now_ms: int, new_id: str, forbidden: Forbidden
) -> Said | Refused:
    text = clean(command.text)
    reason = _objection(command, text, member, now)
    if reason is not None:
        return Refused(command.id, reason)
    text = mask(text)
    if not member.trusted and (offence := _offence(text, forbidden)) is not None:
        return Refused(command.id, offence)
    member.talk.keep(command.id, now)
    event = {
        "type": "said",
        "id": new_id,
        "from": member.describe(),
        "text": text,
        "at_ms": now_ms,
    }
    return Said(command.id, event | _question(command))


def _question(command: Say) -> dict[str, Any]:
    if not command.question:
        return {}
    about = {} if command.product is None else {"product": command.product}
    return {"question": True, **about}


def _objection(command: Say, text: str, member: Member, now: float) -> Reason | None:
    if member.id is None:
        return "sign_in"
    if is_blank(text):
        return "empty"
    if len(text) > TEXT_CODE_POINTS:
        return "too_long"
    if not member.talk.afford(command.id, now, QUESTION_COST if command.question else 1.0):
        return "too_fast"
    return None


def _offence(text: str, forbidden: Forbidden) -> Reason | None:
    if forbidden.words.find(text):
        return "banned_word"
    return "link" if forbidden.links and find_link(text) is not None else None
