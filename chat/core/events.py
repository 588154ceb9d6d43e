"""What the room itself tells its viewers, as types: one for each kind of event, by its lane.

The shop's events come from outside as maps. From these types the room's protocol is told to
machines (AsyncAPI), so a member that is told stands here.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from chat.core.deeds import Report
from chat.core.moderation import Appointed, Deleted, Sanction, Settings
from chat.core.questions import Question, QuestionAnswered
from chat.core.refusals import MEANINGS


class Author(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody as others see them; `buyer`: it has bought in the store; `assistant`: it is the
    shop assistant."""

    id: str
    name: str
    seller: bool
    moderator: bool = False
    buyer: bool = False
    assistant: bool = False


class You(msgspec.Struct, frozen=True, kw_only=True):
    """Who the viewer is in the room; `sanctions`: its own mute and ban, where they hold."""

    id: str
    name: str
    seller: bool
    moderator: bool
    sanctions: list[Sanction]


class Said(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag="said"
):
    """Somebody said something; `reply_to` is the id of the question that the assistant answers.

    `private`: only this viewer is told, in the shop lane. `question`: the seller is to answer it,
    about `product` or about the show.
    """

    id: str
    author: Author = msgspec.field(name="from")
    text: str
    at_ms: int
    reply_to: str | None = None
    private: bool = False
    question: bool = False
    product: str | None = None


class Hearts(msgspec.Struct, frozen=True, tag_field="type", tag="hearts"):
    """So many hearts since the last such event."""

    count: int


class Present(msgspec.Struct, frozen=True, tag_field="type", tag="present"):
    """So many watch, over all nodes."""

    count: int


class Thinned(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="thinned"):
    """So many sayings there were in the last second, and so many of them were shown."""

    said: int
    shown: int


class Welcome(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="welcome"):
    """How things are; it replaces what the client knew. Events after `offset` of `epoch` follow."""

    show: str
    now_ms: int
    stage: str
    on_air: bool
    pinned: str | None
    products: list[dict[str, Any]]
    offers: list[dict[str, Any]]
    talk: list[Said]
    present: int
    hearts: int
    room: Settings
    answers: list[QuestionAnswered]
    you: You | None
    epoch: str
    offset: int
    recovered: bool


class Accepted(msgspec.Struct, frozen=True, tag_field="type", tag="accepted"):
    """What was said under the client's `id` was taken; not `shown`: too much was said at once."""

    id: str
    shown: bool


class Refused(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag="refused"):
    """What was said under the client's `id` was not; `until_ms` where the reason ends by itself."""

    id: str
    reason: Annotated[str, Meta(extra_json_schema={"enum": list(MEANINGS)})]
    until_ms: int | None = None


class Held(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="held"):
    """What was asked for by `hold` under the client's `id` is held, as the shop tells it."""

    id: str
    holds: Sequence[Any]
    now_ms: int


class NotHeld(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="not_held"):
    """What was asked for by `hold` under the client's `id` is not: the problem HTTP would tell."""

    id: str
    problem: Mapping[str, Any]


class Reported(msgspec.Struct, frozen=True, tag_field="type", tag="reported"):
    """A viewer reported a saying."""

    report: Report


class Settled(msgspec.Struct, frozen=True, tag_field="type", tag="settled"):
    """The report of this id is dealt with."""

    report: int


class Asked(msgspec.Struct, frozen=True, tag_field="type", tag="question"):
    """A question waits for the seller, or something became of it."""

    question: Question


TALK: Final = (Said, Hearts, Present, Thinned)
"""Told to everybody; a slow reader goes without. A private `said` is in the shop lane."""
OWN: Final = (Welcome, Accepted, Refused, Held, NotHeld)
"""Told to one connection."""
SHOP: Final = (
    *(Settings, Deleted, Sanction, Appointed, Reported, Settled),
    *(Asked, QuestionAnswered),
)
"""Numbered; those of the shop itself come beside them."""
