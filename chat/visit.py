"""A viewer's visit: hello, welcome, then one command after another until either side ends it.

The order at the door is what makes a welcome consistent: listen to the show first, then look how
things are, then tell what came since that look began.
"""

import asyncio
import secrets
import time
from dataclasses import dataclass, replace
from typing import Final

from chat.connection import Connection
from chat.core import moderation, room
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
from chat.ports import Person, Receive, Room, Socket, Verdict

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
    return member((person.id, person.name), rank, talk)


def _visitor(hello: Hello, person: Person | None) -> str:
    """What a visitor is counted by: its client's id rather, which stays when it signs in."""
    if hello.visitor is not None:
        return f"client {hello.visitor}"
    return secrets.token_urlsafe(9) if person is None else f"person {person.id}"


async def _converse(hub: Hub, crowd: Crowd, connection: Connection, visitor: Visitor) -> None:
    while (message := await visitor.receive()) is not None:
        outcome = room.handle(
            decode(message, visitor.wire),
            connection.member,
            time.monotonic(),
            time.time_ns() // 1_000_000,
            secrets.token_urlsafe(9),
            hub.unwanted,
        )
        if isinstance(outcome, room.Dismissed):
            connection.close(outcome.close)
            return
        if isinstance(outcome, room.Said):
            await _judge(hub, crowd, connection, outcome)
        elif isinstance(outcome, room.Refused):
            connection.tell(outcome.event())
        elif isinstance(outcome, room.Hearted):
            crowd.cheer(outcome.count)
        elif not await crowd.welcome(connection):
            connection.close(Close.NO_SUCH_SHOW)
            return


async def _judge(hub: Hub, crowd: Crowd, connection: Connection, said: room.Said) -> None:
    person, at_ms = connection.member.id, said.event["at_ms"]
    assert person is not None
    if crowd.rules.now is None:
        connection.tell(room.Refused(said.client_id, "unavailable").event())
        return
    speaker = await _speaker(hub, crowd, connection.member, said.client_id)
    outcome = moderation.decide(speaker, crowd.rules.now, at_ms)
    if isinstance(outcome, moderation.Objection):
        refused = room.Refused(said.client_id, outcome.reason, outcome.until_ms)
        connection.tell(refused.event())
        return
    crowd.rules.note_said(person, said.client_id, at_ms)
    if outcome is moderation.Audience.SENDER:
        connection.tell(Accepted(said.client_id, True))
        crowd.tell_person(person, said.event)
    elif "question" in said.event:
        await _ask(hub, crowd, connection, said)
    else:
        await _say(hub, crowd, connection, said)


async def _ask(hub: Hub, crowd: Crowd, connection: Connection, said: room.Said) -> None:
    """A question is kept before it is shown: whoever repeats it after a failure asks once."""
    trusted = connection.member.trusted
    origin = Origin.MODERATOR if trusted else Origin.VIEWER
    try:
        if hub.ask is None:
            raise UnavailableError
        kept = await hub.ask(crowd.show, said.event, origin, said.client_id)
    except UnavailableError:
        connection.tell(room.Refused(said.client_id, "unavailable").event())
        return
    if isinstance(kept, Objection):
        connection.tell(room.Refused(said.client_id, kept.value).event())
    else:
        await _say(hub, crowd, connection, replace(said, event=said.event | {"id": kept.id}))


async def _speaker(hub: Hub, crowd: Crowd, member: Member, client_id: str) -> moderation.Speaker:
    assert member.id is not None
    buyer = False
    if crowd.rules.now is not None and crowd.rules.now.settings.buyers_only:
        described = await hub.look(crowd.show)
        buyer = described is not None and await hub.buys(member.id, described.store)
    last_said_ms = crowd.rules.last_said_ms(member.id, client_id)
    return moderation.Speaker(member.id, member.rank, buyer, last_said_ms)


async def _say(hub: Hub, crowd: Crowd, connection: Connection, said: room.Said) -> None:
    member = connection.member
    key, reserved = f"{member.id}:{said.client_id}", member.rank > Rank.VIEWER
    event = Event(Lane.TALK, pack(said.event))
    try:
        verdict = await hub.bus.say(crowd.show, event, key, reserved=reserved)
    except UnavailableError:
        connection.tell(room.Refused(said.client_id, "unavailable").event())
    else:
        is_new = verdict is Verdict.SHOWN
        if is_new and member.rank is Rank.VIEWER and hub.overheard is not None:
            hub.overheard(crowd.show, said.event)
        shown = verdict is not Verdict.THINNED
        connection.tell(Accepted(said.client_id, shown))
