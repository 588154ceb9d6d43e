"""What the room needs of the house around it, and of its own adapters.

The house gives `Identify` and `Describe`. The adapters give a `Socket` for each viewer, a `Bus`
between the nodes and the `Presence` of all nodes' viewers.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, Protocol

from chat.core import nicknames
from chat.core.archive import Kept, Place, Recall, Saying, Share
from chat.core.assistant.facts import Answered, Entry, Shop
from chat.core.budget import Part
from chat.core.closes import Close
from chat.core.commands import Want
from chat.core.deeds import Deed, Noted, Report
from chat.core.events import Held, NotHeld
from chat.core.frames import Event
from chat.core.log import Position, Tail
from chat.core.moderation import Rules, Sanction, SanctionKind, Settings
from chat.core.presence import Attendance
from chat.core.questions import Objection, Origin, Question, QuestionAnswered
from chat.core.room import Rank
from chat.core.talk import Past
from chat.errors import ChatError


@dataclass(frozen=True, slots=True)
class Person:
    """Who is signed in."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Room:
    """What a show is like now: `products` as the shop tells them, `pinned` one of their ids.

    `seller` and `moderators` are accounts, `names` what they are called; `store` is the seller's,
    `rules` bind the others.
    `answers`: the last to questions about the products or in the show, newest first. `offers`:
    events that tell how what is offered beside the products' own prices stands now.
    """

    stage: str
    on_air: bool
    pinned: str | None
    products: list[dict[str, Any]]
    seller: str
    moderators: frozenset[str] = frozenset()
    store: str = ""
    rules: Rules = field(default_factory=Rules)
    answers: Sequence[QuestionAnswered] = ()
    offers: Sequence[Mapping[str, Any]] = ()
    names: Mapping[str, str] = field(default_factory=dict)

    def name(self, person: Person) -> str:
        """What a person is called in the room."""
        if self.rank(person.id) >= Rank.MODERATOR:
            return person.name
        return nicknames.shown(person.id, person.name, self.names.values())

    def rank(self, account: str) -> Rank:
        """What an account is in the room."""
        if account == self.seller:
            return Rank.SELLER
        return Rank.MODERATOR if account in self.moderators else Rank.VIEWER


class Identify(Protocol):
    """Who holds an access token."""

    async def __call__(self, token: str | None) -> Person | None:
        """The person; None for no token, a wrong one or an old one."""


class Describe(Protocol):
    """What a show is like."""

    async def __call__(self, show: str) -> Room | None:
        """The room as it is now; None where there is no such show."""


IsTo = Callable[[str, str], Awaitable[bool]]
"""Whether an account, named first, is something to a store."""


LOOKS_AT_ONCE: Final = 4
"""About so many customers a node asks at once; more wait, so that those who buy need not."""


@dataclass(frozen=True, slots=True)
class Customers:
    """What accounts are to stores: whether they have bought there, and follow them."""

    buys: IsTo
    follows: IsTo
    looking: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(LOOKS_AT_ONCE))
    """Who asks either holds it meanwhile."""


NamesOf = Callable[[Collection[str]], Awaitable[Mapping[str, str]]]
"""What accounts are called, as far as they are known."""

OriginAllowed = Callable[[str | None, str | None], bool]
"""Whether a page of this Origin may open a room of the server asked for by this Host."""

Receive = Callable[[], Awaitable[str | bytes | None]]
"""The next message of a viewer; None once it is gone."""


class Till(Protocol):
    """The shop's till as a room sees it; it tells problems as HTTP does."""

    def hold(
        self, person: str | None, show: str, wish: Want, answer: Callable[[Held | NotHeld], None]
    ) -> None:
        """Ask for a hold; `answer` is called once, now or when it is durable. Never waits."""

    def refuse(self, key: str, error: ChatError) -> NotHeld:
        """How the till tells that a room takes no such wish."""


class Socket(Protocol):
    """A viewer's websocket as the room writes to it. Nothing here waits or raises."""

    lags: bool
    """Whether so much waits for the network that the viewer goes without talk."""

    def write(self, frame: bytes) -> None:
        """Send a whole websocket frame; nothing happens on a closing socket."""

    def takes_deflated(self) -> bool:
        """Whether frames may be deflated (RFC 7692), each by itself."""

    def backlog(self) -> int:
        """Bytes written that the network has not taken yet."""

    def close(self, code: Close) -> None:
        """Send a close frame, once; the connection ends soon even if the viewer never answers."""


class Listener(Protocol):
    """Who hears a show's events. Nothing here waits or raises."""

    def received(self, epoch: str, event: Event) -> None:
        """An event was published, in the order of publishing; `epoch` is a SHOP event's."""

    def restored(self) -> None:
        """Events are heard again, after some may have been missed."""


class Verdict(Enum):
    """What became of a saying."""

    SHOWN = "shown"
    AGAIN = "again"
    """It was shown before, under the same key."""
    THINNED = "thinned"
    """Too much was said at once: nobody is shown it."""


@dataclass(frozen=True, slots=True)
class TooSoon:
    """In slow mode its author has to wait: until when, in milliseconds of the wall clock."""

    until_ms: int


@dataclass(frozen=True, slots=True)
class Pace:
    """So many seconds have to be between two sayings of a person that are shown; 0: none now."""

    person: str
    slow_s: int


class Bus(Protocol):
    """Between the nodes: what one publishes in a show, all that listen to it hear.

    At most once: what is published while a listener's node is cut off is not repeated to it; the
    listener is told `restored` and asks for `tail` and `past`. Everything here raises
    `UnavailableError` when the bus is out of reach, except `subscribe` and `unsubscribe`.
    """

    async def publish(self, show: str, packed: bytes, to: str, key: str | None) -> None:
        """Number an event, remember it and tell it; nothing when the key was seen lately."""

    async def tail(self, show: str, since: Position) -> Tail:
        """Where a show's sequence ends; the events after a place, or else all that are kept."""

    async def say(
        self, show: str, event: Event, key: str, part: Part, pace: Pace | None = None
    ) -> Verdict | TooSoon:
        """Tell whom it is for and remember it, both or neither, once for a key.

        `part`: what it may use of the room's budget; what is for one person uses none of it.
        `pace`: its author's in slow mode.
        """

    async def too_soon(self, show: str, key: str, pace: Pace) -> TooSoon | None:
        """Whether slow mode would not let it be said now; what was said before may be again."""

    async def cheer(self, show: str, count: int) -> None:
        """Add hearts to the show's, and tell everybody how many, both or neither."""

    async def find(self, show: str, saying: str) -> dict[str, Any] | None:
        """What was said by this id, as far as it is remembered."""

    async def erase(self, show: str, saying: str) -> None:
        """Forget what was said; newcomers are not told it any more."""

    async def said_by(self, show: str, account: str, until_ms: int) -> Sequence[str]:
        """The ids of what an account said until then and is remembered."""

    async def forget(self, show: str, account: str, sayings: Sequence[str]) -> bool:
        """Forget these and what tells of them, and what was told of the account or to it alone.

        Whether numbered events were among it, now or since `forgotten` was called last: nodes
        remember those too.
        """

    async def forgotten(self, show: str, account: str) -> None:
        """Nodes were told to forget what they remember of the account."""

    async def talking(self) -> Sequence[str]:
        """The shows where something was said in the last seconds."""

    async def past(self, show: str) -> Past:
        """What newcomers are told."""

    async def subscribe(self, show: str, listener: Listener) -> None:
        """Hear a show from when this returns; without a bus, from the first `restored` on."""

    async def unsubscribe(self, show: str, listener: Listener) -> None:
        """Stop hearing, unless another listener has taken the show over."""


@dataclass(frozen=True, slots=True)
class Beat:
    """How many watch a show on one node, and who came there since the last beat."""

    viewers: int
    arrived: frozenset[str] = frozenset()


class Presence(Protocol):
    """How many watch, over all nodes. Raises `UnavailableError` when out of reach."""

    async def beat(self, beats: Mapping[str, Beat]) -> dict[str, int]:
        """Tell this node's beats by show; the totals of the same shows."""

    async def leave(self, shows: Sequence[str]) -> None:
        """This node has no viewers there any more."""

    async def attendance(self, show: str) -> Attendance:
        """How many watch a show, did at most, and came."""


class Rulebook(Protocol):
    """The rules of all rooms, kept durably. A change and its deed are kept both or neither.

    Sanctions and moderators are a store's, switches a show's. A change that changes nothing is no
    deed. Whatever the database raises is raised here.
    """

    async def rules(self, store: str, show: str, now_ms: int) -> Rules:
        """A show's switches, and the sanctions that hold."""

    async def moderators(self, store: str) -> frozenset[str]:
        """The accounts that moderate a store."""

    async def appoint(self, deed: Deed) -> bool:
        """`whom` moderates from now on; False: it did already."""

    async def dismiss(self, deed: Deed) -> bool:
        """`whom` moderates no longer; False: it did not."""

    async def sanction(
        self, deed: Deed, kind: SanctionKind, until_ms: int | None, key: str | None = None
    ) -> Sanction:
        """Sanction `whom`; the same again when it is there already. Raises `TooManyError`.

        By a `key` that the same person has used for the same before nothing changes: the sanction
        is told as it is now.
        """

    async def lift(self, deed: Deed, kind: SanctionKind) -> Sanction | None:
        """Forgive `whom`, or who is forgiven already; None when there was nothing to forgive."""

    async def switch(self, deed: Deed, change: Callable[[Settings], Settings]) -> Settings:
        """Change the show's switches under a lock; how they are then.

        Raises `UnknownError` where the deed is about a saying that is deleted.
        """

    async def note(self, deed: Deed) -> None:
        """Keep a deed that changes nothing here."""

    async def report(self, report: Report) -> Report | None:
        """Keep a report; None when this person reported this before. Raises `TooManyError`."""

    async def settle(self, deed: Deed, report: int) -> bool:
        """The show's report is dealt with; False when none waits by this id."""

    async def reports(self, show: str, after: int, limit: int) -> Sequence[Report]:
        """Those that wait in a show and have a higher id, oldest first."""

    async def trail(self, store: str, before: int | None, limit: int) -> Sequence[Noted]:
        """What was done in a store's rooms before an id, newest first."""


Ask = Callable[[str, Mapping[str, Any], Origin, str], Awaitable[Question | Objection]]
"""Given a show, what was said there (the event), its origin and a key of the person's own: the
question as it is kept, the same for the same key, or why it is not. Raises `UnavailableError`."""


@dataclass(frozen=True, slots=True)
class Page:
    """Questions, and the place from which on there are more; None where these are the last."""

    questions: Sequence[Question]
    more: int | None


class QuestionBook(Protocol):
    """The questions of all shows, kept durably. Whatever the database raises is raised here."""

    async def keep(self, question: Question, origin: Origin, key: str) -> Question | Objection:
        """Keep a new question; one that was kept under this key lately; or why it is not kept.

        Raises `UnavailableError` where its asker was erased after asking.
        """

    async def find(self, show: str, question: str) -> Question | None:
        """A show's question by its id."""

    async def change(
        self, question: str, change: Callable[[Question], Question | None]
    ) -> Question | None:
        """Change a question under a lock; how it is then, None where it cannot be changed."""

    async def waiting(self, show: str, after: int, limit: int) -> Page:
        """The show's open questions after a place, oldest first."""

    async def told(self, show: str, products: Sequence[str]) -> list[Question]:
        """The last answers about each of the products, and in the show, newest first."""

    async def answered_in(self, show: str, before: int | None, limit: int) -> Page:
        """The show's answered questions before a place, newest first."""

    async def answered_about(self, product: str, before: int | None, limit: int) -> Page:
        """Those about a product that were answered in text, before a place, newest first."""


@dataclass(frozen=True, slots=True)
class StoreFaq:
    """What a store's assistant says by itself. `on`: whether it says anything."""

    on: bool = True
    entries: tuple[Entry, ...] = ()


class FaqBook(Protocol):
    """The FAQs of stores. Durable when `save` returns."""

    async def load(self, store: str) -> StoreFaq:
        """The store's FAQ; an empty one where none was kept."""

    async def save(self, store: str, faq: StoreFaq) -> None:
        """Keep a store's FAQ in place of the one before."""


class ShopFacts(Protocol):
    """What the house knows of the shop around a show."""

    async def store(self, show: str) -> str | None:
        """The show's store; None where there is no such show."""

    async def shop(self, show: str, asker: str | None) -> Shop:
        """What is for sale now; with an asker, that person's newest order in the store too."""


class AnswerMemory(Protocol):
    """What was answered lately, over all nodes. Raises `UnavailableError` when out of reach."""

    async def claim(self, show: str, what: str, seconds: int) -> bool:
        """Whether nobody has claimed this in the last so many seconds; it is claimed now."""

    async def note(self, show: str, answered: Answered) -> None:
        """Remember an answer; the oldest make room."""

    async def lately(self, show: str) -> Sequence[Answered]:
        """The last answers, newest first."""


@dataclass(frozen=True, slots=True)
class Taken:
    """Some of a show's sayings that wait for the archive, oldest first.

    `entries` name them to the store, `left` so many wait behind them, and of those before them so
    many are `lost`.
    """

    show: str
    entries: Sequence[bytes]
    sayings: Sequence[Saying]
    left: int
    lost: int


@dataclass(frozen=True, slots=True)
class Orphan:
    """A show where something may wait for the archive, and since when the store knows."""

    show: str
    since: str


class Unarchived(Protocol):
    """What was said and waits for the archive. Raises `UnavailableError` when out of reach."""

    async def take(self, share: Share) -> Sequence[Taken | None]:
        """The oldest sayings of each show; None where another node is at it."""

    async def archived(self, taken: Sequence[Taken]) -> None:
        """These are in the archive: they wait no longer."""

    async def orphans(self) -> Sequence[Orphan]:
        """Shows of which no node has said lately that something is said there."""

    async def delist(self, orphans: Sequence[Orphan]) -> None:
        """Nothing waits there, unless something was said since they were found."""


class Archive(Protocol):
    """What was said in all rooms, kept durably. Whatever the database raises is raised here."""

    async def keep(self, sayings: Sequence[Saying]) -> None:
        """Keep them, all or none; those kept already, or erased, are passed over."""

    async def recall(self, show: str, after: Place | None, recall: Recall) -> Sequence[Kept]:
        """What was said in a show after a place, oldest first; one more than asked for, if any."""

    async def find(self, show: str, saying: str) -> Saying | None:
        """What was said by this id, unless it was deleted."""

    async def sweep(self, before_ms: int, limit: int) -> int:
        """Forget so many of those said before; how many it were, 0 while another node is at it."""


@dataclass(frozen=True, slots=True)
class Trace:
    """Something of a person in a show, by its id."""

    show: str
    id: str


@dataclass(frozen=True, slots=True)
class Traces:
    """Where something of a person may be: in shows, pinned there, asked there, in open reports.

    `stores`: those of the questions, whose other shows were told the answers.
    """

    shows: frozenset[str]
    stores: frozenset[str]
    pinned: Sequence[Trace]
    questions: Sequence[Trace]
    reports: Sequence[Trace]


class Erasures(Protocol):
    """Persons erased from what is kept durably. Whatever the database raises is raised here."""

    async def begin(self, account: str, until_ms: int, asked_by: str) -> Traces:
        """From now on nothing is archived that the account said until then."""

    async def finish(self, account: str, until_ms: int) -> int:
        """Take everything away that the account said until then; how many sayings it were."""
