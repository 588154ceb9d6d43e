"""The viewers of one show on this node, and what they are about to be told.

A crowd lives from its first viewer to its last. It listens to the show's events on the bus,
gathers them for a tick and writes each tick's frames to everybody; it keeps what it told lately,
so that who comes in, or comes back, is told the rest; what the bus lost it asks the store for, and
when the store has lost it too, everybody is told afresh how things are. All its
tasks belong to `run`, but for looks at the show, which end by themselves.
"""

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from functools import partial
from typing import Final

import structlog

from chat.connection import Connection
from chat.core.batch import Batch, Gathering, tick_s
from chat.core.closes import Close
from chat.core.events import Present
from chat.core.frames import Event, Lane, pack
from chat.core.log import Heard, Log, Position
from chat.core.moderation import Appointed, Deleted, Forgotten, read_change
from chat.core.presence import Arrivals
from chat.core.rate_limit import SELLER_TALK, TALK, Buckets, TalkBucket
from chat.core.standing import Followed, Ordered, read_standing
from chat.core.talk import Talk
from chat.errors import UnavailableError
from chat.house_rules import HouseRules
from chat.picture import Looks, Picture, look
from chat.ports import Bus, Customers, Describe, Listener
from chat.standing import Standing

log = structlog.get_logger()

HEARTS_EVERY_S: Final = 0.2
"""How often hearts are passed on; between, they are added up."""
ASK_AGAIN_S: Final = 0.5
"""When the store does not tell what was missed it is asked again."""
WRITES_AT_ONCE: Final = 200
"""After so many writes of a tick other work of the loop gets its turn."""

APPOINTED_KEPT: Final = 100
"""So many of the last appointments are known while a look at the show goes on."""


class Crowd(Listener):
    """One show's viewers here. `run` must run for as long as there are any."""

    def __init__(self, show: str, bus: Bus, describe: Describe, customers: Customers) -> None:
        self.show = show
        self.opened = asyncio.Event()
        """Set once the show's events are heard, or cannot be for now."""
        self.arrivals = Arrivals()
        """Who came here and is not counted yet."""
        self.present = 0
        """How many watch on all nodes, as far as is known here."""
        self._bus = bus
        self._connections: dict[Connection, None] = {}
        self._audience: dict[Connection, int] = {}
        """Those of the connections that were welcomed, after so many ticks: later ones are told to
        them."""
        self._ticks = 0
        self._appointed: deque[tuple[int, Appointed]] = deque(maxlen=APPOINTED_KEPT)
        """The last appointments of this epoch, with their numbers."""
        self._persons = Buckets()
        self._log = Log()
        self._told = 0
        """The offset up to which ticks have told."""
        self._talk = Talk()
        self.rules = HouseRules(show, describe)
        self.buyers = Standing(customers.buys, customers.looking, time.monotonic)
        self.followers = Standing(customers.follows, customers.looking, time.monotonic)
        self._describe = describe
        self._looks = Looks[Picture | None]()
        self._gathering = Gathering()
        self._gathered = asyncio.Event()
        self._doubtful = asyncio.Event()
        self._outdated: asyncio.Queue[Sequence[Connection]] = asyncio.Queue()
        self._cheered = asyncio.Event()
        self._hearts = 0
        self._deserted = asyncio.Event()

    def __len__(self) -> int:
        """How many connections there are, welcomed or not."""
        return len(self._connections)

    def add(self, connection: Connection) -> None:
        """Somebody comes in; `welcome` comes next."""
        self._connections[connection] = None

    def remove(self, connection: Connection) -> None:
        """Somebody left. After the last one the crowd is over and must not be added to."""
        self._connections.pop(connection, None)
        self._audience.pop(connection, None)
        if not self._connections:
            self._deserted.set()

    def talk_bucket(self, person: str | None, *, seller: bool) -> TalkBucket:
        """What the person may say, whichever of its connections it uses."""
        rate = SELLER_TALK if seller else TALK
        return TalkBucket(rate) if person is None else self._persons.of(person, rate)

    def received(self, epoch: str, event: Event) -> None:
        """An event from the bus: told with the next tick, unless it is known already."""
        if event.lane is Lane.SHOP:
            heard = self._log.hear(epoch, event)
            if heard is Heard.GAP:
                self._doubtful.set()
            if heard is not Heard.NEW:
                return
        elif event.lane is Lane.TALK and not self._talk.is_new(event):
            return
        self._gather(event)

    def restored(self) -> None:
        """Events may have been missed: the store is asked."""
        self._doubtful.set()

    def cheer(self, count: int) -> None:
        """Hearts from a viewer here."""
        self._hearts += count
        self._cheered.set()

    def set_present(self, total: int) -> None:
        """How many watch; told when it changed."""
        if total != self.present:
            self.present = total
            self._gather(Event(Lane.TALK, pack(Present(total))))

    def forget_silent(self, now: float) -> None:
        """Forget the rates of persons who have been silent long enough."""
        self._persons.forget_full(now)

    def close(self, code: Close) -> None:
        """Close every connection."""
        for connection in [*self._connections]:
            connection.close(code)

    async def welcome(self, connection: Connection, since: Position | None = None) -> bool:
        """Tell a connection how things are, and all events from then on; False: no such show.

        `since`: what it knows already; if it is still known here what came after that, it is told
        exactly this. Whatever describing the show raises is raised here.
        """
        picture = await self._picture()
        if picture is not None and connection in self._connections:
            self._welcome(connection, picture, since)
        return picture is not None

    async def run(self) -> None:
        """Listen and tell until the last viewer has left."""
        await self._bus.subscribe(self.show, self)
        try:
            await self._catch_up()
            self._take()  # nobody is here to be told
            self.opened.set()
            async with asyncio.TaskGroup() as tasks:
                running = [
                    tasks.create_task(self._tell_ticks()),
                    tasks.create_task(self._pass_hearts_on()),
                    tasks.create_task(self._keep_whole()),
                    tasks.create_task(self._refresh()),
                ]
                await self._deserted.wait()
                for task in running:
                    task.cancel()
        finally:
            await self._bus.unsubscribe(self.show, self)

    def _obey(self, event: Event) -> None:
        change = read_change(event.packed)
        if isinstance(change, Deleted):
            self._talk.erase(change.id)
        elif isinstance(change, Appointed):
            self._appointed.append((event.offset, change))
            for connection in self._connections:
                connection.appoint(change)
        elif isinstance(change, Forgotten):
            self._log.forget()
        elif change is not None:
            self.rules.heard(change)
        else:
            self._note_standing(event)

    def _note_standing(self, event: Event) -> None:
        change = read_standing(event.packed)
        if isinstance(change, Ordered):
            self.buyers.changed(change.order.buyer)
        elif isinstance(change, Followed):
            self.followers.changed(change.account)

    def _gather(self, event: Event) -> None:
        if event.lane is Lane.SHOP:
            self._obey(event)
        self._gathering.add(event)
        self._gathered.set()

    async def _picture(self) -> Picture | None:
        """How things are at a place after which everything is known; None: no such show."""
        while True:
            place = Position(self._log.position.epoch, self._told)
            describing = partial(
                look, self.show, self._describe, place, self._talk, max(self.present, len(self))
            )
            picture = await self._looks.share(self.show, describing)
            if picture is None or self._log.since(picture.position) is not None:
                return picture

    def _welcome(self, connection: Connection, picture: Picture, since: Position | None) -> None:
        self._rank(connection, picture)
        missed = None if since is None else self._log.since(since)
        recovered = since is not None and missed is not None
        place = since if since is not None and recovered else picture.position
        if missed is None:
            missed = self._log.since(place) or ()
        told = [event for event in missed if event.offset <= self._told]
        told.extend(self._talk.since(picture.said))
        own = self.rules.told_to(connection.member.id)
        snapshot = picture.showing(self._talk.shown_to(connection.member.address, picture.talk))
        connection.welcome(snapshot, own, place.offset, Batch(told), recovered=recovered)
        self._audience[connection] = self._ticks

    def _rank(self, connection: Connection, picture: Picture) -> None:
        """What it is may have changed between the look by which it came in and its coming in."""
        account = connection.member.id
        if account is not None:
            connection.appoint(Appointed(account, account in picture.moderators))
            for offset, change in self._appointed:
                if offset > picture.position.offset:
                    connection.appoint(change)

    async def _tell_ticks(self) -> None:
        clock, telling_s = asyncio.get_running_loop().time, 0.0
        while True:
            await self._gathered.wait()
            await asyncio.sleep(tick_s(telling_s))
            self._gathered.clear()
            batch, began = self._take(), clock()
            await self._tell(batch, self._ticks)
            telling_s = clock() - began

    async def _tell(self, batch: Batch, tick: int) -> None:
        """Write to everybody, but to those who are welcomed meanwhile: a welcome tells it too."""
        audience = [*self._audience]
        for start in range(0, len(audience), WRITES_AT_ONCE):
            for connection in audience[start : start + WRITES_AT_ONCE]:
                if self._audience.get(connection, tick) < tick:
                    connection.deliver(batch)
            await asyncio.sleep(0)

    def _take(self) -> Batch:
        """What was gathered; from now on it is what was told."""
        self._ticks += 1
        batch, hearts = self._gathering.take()
        self._told = max(self._told, batch.last)
        self._talk.note(batch.events, hearts)
        return batch

    async def _pass_hearts_on(self) -> None:
        while True:
            await self._cheered.wait()
            self._cheered.clear()
            count, self._hearts = self._hearts, 0
            try:
                await self._bus.cheer(self.show, count)
            except UnavailableError:
                log.info("hearts lost, no bus", show=self.show, count=count)
            await asyncio.sleep(HEARTS_EVERY_S)

    async def _keep_whole(self) -> None:
        while True:
            await self._doubtful.wait()
            self._doubtful.clear()
            await self._catch_up()
            if self._doubtful.is_set():
                await asyncio.sleep(ASK_AGAIN_S)

    async def _catch_up(self) -> None:
        """Ask for what was missed; doubt stays where it is not told."""
        if not await self.rules.learn():
            self._doubtful.set()
        told = self._talk.told()
        try:
            tail = await self._bus.tail(self.show, self._log.position)
            past = await self._bus.past(self.show)
        except UnavailableError:
            self._doubtful.set()
            return
        for event in self._talk.missed(past):
            self._gather(event)
        missing = self._log.fill(tail)
        if missing is None:
            self._talk.agree(past, told)
            self._appointed.clear()
            for event in tail.events:
                self._obey(event)
            self._begin_anew()
        else:
            for event in missing:
                self._gather(event)

    def _begin_anew(self) -> None:
        """What was missed is lost: nobody is told anything more before how things are."""
        self._gathering.forget_numbered()
        self.buyers.forget()
        self.followers.forget()
        self._told = self._log.position.offset
        stale = [*self._audience]
        self._audience.clear()
        self._outdated.put_nowait(stale)

    async def _refresh(self) -> None:
        while True:
            stale = await self._outdated.get()
            try:
                for start in range(0, len(stale), WRITES_AT_ONCE):
                    await self._welcome_all(stale[start : start + WRITES_AT_ONCE])
            except Exception:
                log.exception("cannot describe the show", show=self.show)
                self.close(Close.FAULT)

    async def _welcome_all(self, connections: Sequence[Connection]) -> None:
        """Tell them how things are; one look serves them all."""
        picture = await self._picture()
        for connection in connections:
            if picture is None:
                connection.close(Close.NO_SUCH_SHOW)
            elif connection in self._connections:
                self._welcome(connection, picture, None)
