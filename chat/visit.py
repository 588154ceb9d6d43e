"""A viewer's visit: hello, welcome, then one command after another until either side ends it.

The order at the door is what makes a welcome consistent: listen to the show first, then look how
things are, then tell what came since that look began.
"""

import asyncio
import secrets
import time
from dataclasses import dataclass, replace
from typing import Final

from chat.buying import Buying
from chat.connection import Connection
from chat.core import moderation, room
from chat.core.addressee import EVERYBODY
from chat.core.budget import part_of
from chat.core.closes import Close
from chat.core.commands import Hello, decode
from chat.core.events import Accepted
from chat.core.frames import Event, Format, Lane, pack
from chat.core.log import Position
from chat.core.questions import Objection, Origin
from chat.core.room import Member, Rank, member
from chat.crowd import Crowd
from chat.errors import UnavailableError
from chat.hub import Hub
from chat.ports import Pace, Person, Receive, Room, Socket, TooSoon, Verdict

HELLO_S: Final = 5.0
"""How long a connection may take to say hello."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who stands at the door of a show, its websocket accepted.

    `cookie`: the access token the browser sent along; it counts when hello brings none.
    """

    show: str
    socket: Socket
    wire: Format
    receive: Receive
    cookie: str | None


async def visit(hub: Hub, visitor: Visitor) -> None:
    """Attend to one viewer until its connection ends."""
    try:
        hello = await _hello(visitor)
        if isinstance(hello, Close):
            visitor.socket.close(hello)
        elif hello is not None:
            token = visitor.cookie if hello.token is None else hello.token
            await _attend(hub, visitor, hello, await hub.identify(token))
    except Exception:
        visitor.socket.close(Close.FAULT)
        raise


async def _hello(visitor: Visitor) -> Hello | Close | None:
    try:
        async with asyncio.timeout(HELLO_S):
            message = await visitor.receive()
    except TimeoutError:
        return Close.HELLO_TIMEOUT
    if message is None:
        return None
    hello = decode(message, visitor.wire)
    return hello if isinstance(hello, Hello) else Close.MALFORMED


async def _attend(hub: Hub, visitor: Visitor, hello: Hello, person: Person | None) -> None:
    described = await hub.look(visitor.show)
    if described is None:
        visitor.socket.close(Close.NO_SUCH_SHOW)
        return
    if hub.closing:
        visitor.socket.close(Close.GOING_AWAY)
        return
    crowd = hub.enter(visitor.show)
    connection = Connection(visitor.socket, visitor.wire, _member(crowd, described, person))
    crowd.add(connection)
    if connection.member.rank is not Rank.SELLER:
        crowd.arrivals.add(_visitor(hello, person))
    try:
        await crowd.opened.wait()
        since = None if hello.since is None else Position(hello.since.epoch, hello.since.offset)
        if await crowd.welcome(connection, since):
            await _converse(hub, crowd, connection, visitor)
        else:
            connection.close(Close.NO_SUCH_SHOW)
    finally:
        hub.leave(crowd, connection)


def _member(crowd: Crowd, room: Room, person: Person | None) -> Member:
    if person is None:
        return member(None, Rank.VIEWER, crowd.talk_bucket(None, seller=False))
    rank = room.rank(person.id)
    talk = crowd.talk_bucket(person.id, seller=rank is Rank.SELLER)
    return member((person.id, room.name(person)), rank, talk)


def _visitor(hello: Hello, person: Person | None) -> str:
    """What a visitor is counted by: its client's id rather, which stays when it signs in."""
    if hello.visitor is not None:
        return f"client {hello.visitor}"
    return secrets.token_urlsafe(9) if person is None else f"person {person.id}"


async def _converse(hub: Hub, crowd: Crowd, connection: Connection, visitor: Visitor) -> None:
    buying: Buying | None = None
    while (message := await visitor.receive()) is not None:
        outcome = room.handle(
            decode(message, visitor.wire),
            connection.member,
            time.monotonic(),
            time.time_ns() // 1_000_000,
            secrets.token_urlsafe(9),
            room.Forbidden(hub.unwanted, links=not crowd.rules.links_allowed),
        )
        if isinstance(outcome, room.Dismissed):
            connection.close(outcome.close)
            return
        if isinstance(outcome, room.Said):
            await _judge(hub, crowd, connection, outcome)
        elif isinstance(outcome, room.Refused):
            connection.tell(outcome.event())
        elif isinstance(outcome, room.Wanted):
            if hub.till is None:
                connection.close(Close.MALFORMED)
                return
            buying = buying or Buying(hub.till, crowd.show, connection)
            buying.take(outcome.wish)
        elif isinstance(outcome, room.Hearted):
            crowd.cheer(outcome.count)
        elif not await crowd.welcome(connection):
            connection.close(Close.NO_SUCH_SHOW)
            return


async def _judge(hub: Hub, crowd: Crowd, connection: Connection, said: room.Said) -> None:
    member, rules = connection.member, crowd.rules.now
    assert member.id is not None
    try:
        if rules is None:
            raise UnavailableError("The rules of the room are not known.")
        speaker = await _speaker(crowd, member, rules.settings)
        said = room.as_buyer(said) if speaker.buyer else said
        outcome = moderation.decide(speaker, rules, said.event["at_ms"])
        answer: room.Refused | Accepted
        if isinstance(outcome, moderation.Objection):
            answer = _refused(said, outcome)
        else:
            pace = None if member.trusted else Pace(member.id, rules.settings.slow_s)
            if outcome is moderation.Audience.SENDER:
                answer = await _say(hub, crowd, member, said, pace, member.address)
            elif "question" in said.event:
                answer = await _ask(hub, crowd, member, said, pace)
            else:
                answer = await _say(hub, crowd, member, said, pace)
    except UnavailableError:
        answer = _refused(said, moderation.Objection("unavailable"))
    connection.tell(answer if isinstance(answer, Accepted) else answer.event())


async def _speaker(
    crowd: Crowd, member: Member, settings: moderation.Settings
) -> moderation.Speaker:
    """Raises `UnavailableError` where a switch asks for what is not known."""
    assert member.id is not None
    if member.trusted:
        return moderation.Speaker(member.id, member.rank)
    look = crowd.buyers.has if settings.buyers_only else crowd.buyers.seen_soon
    buyer = await look(member.id, crowd.rules.store)
    follower = settings.followers_only and await crowd.followers.has(member.id, crowd.rules.store)
    return moderation.Speaker(member.id, member.rank, buyer, follower)


async def _ask(
    hub: Hub, crowd: Crowd, member: Member, said: room.Said, pace: Pace | None
) -> room.Refused | Accepted:
    """A question is kept before it is shown: whoever repeats it after a failure asks once."""
    if hub.ask is None:
        raise UnavailableError("Nobody keeps questions.")
    soon = None if pace is None else await hub.bus.too_soon(crowd.show, _key(member, said), pace)
    if soon is not None:
        return _refused(said, moderation.Objection("slow", soon.until_ms))
    origin = Origin.MODERATOR if member.trusted else Origin.VIEWER
    kept = await hub.ask(crowd.show, said.event, origin, said.client_id)
    if isinstance(kept, Objection):
        return _refused(said, moderation.Objection(kept.reason))
    said = replace(said, event=said.event | {"id": kept.id})
    return await _say(hub, crowd, member, said, pace)


async def _say(
    hub: Hub,
    crowd: Crowd,
    member: Member,
    said: room.Said,
    pace: Pace | None,
    to: str = EVERYBODY,
) -> room.Refused | Accepted:
    event = Event(Lane.TALK, pack(said.event), to)
    part = part_of(member.rank, buyer="buyer" in said.event["from"])
    verdict = await hub.bus.say(crowd.show, event, _key(member, said), part, pace)
    if isinstance(verdict, TooSoon):
        return _refused(said, moderation.Objection("slow", verdict.until_ms))
    heard = verdict is Verdict.SHOWN and to == EVERYBODY and not member.trusted
    if heard and hub.overheard is not None:
        hub.overheard(crowd.show, said.event)
    if to == EVERYBODY and not member.trusted and hub.spoken is not None:
        hub.spoken(crowd.show, said.event, _key(member, said))
    return Accepted(said.client_id, verdict is not Verdict.THINNED)


def _key(member: Member, said: room.Said) -> str:
    return f"{member.id}:{said.client_id}"


def _refused(said: room.Said, objection: moderation.Objection) -> room.Refused:
    return room.Refused(said.client_id, objection.reason, objection.until_ms)
