"""Who publishes while players are tried: one publisher, put on the air when it is wanted."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from tests.conformance.door import Door, Session
from tests.conformance.media import Show
from tests.conformance.peer import PATIENCE_S, Peer

LIVE_WITHIN_S: Final = 15.0
NOT_YET: Final = (404, 409)


class Connected:
    """A session whose peer has shaken hands; a publisher's sends its show."""

    def __init__(self, session: Session, peer: Peer, show: Show | None) -> None:
        self.session = session
        self.peer = peer
        self.show = show

    @property
    def video(self) -> set[int]:
        """The payload types a picture may come with, as the server answered them."""
        return self._payload_types("video")

    @property
    def audio(self) -> set[int]:
        """The same for the sound."""
        return self._payload_types("audio")

    def _payload_types(self, kind: str) -> set[int]:
        sections = (each for each in self.session.answer.media if each.kind == kind)
        return {int(number) for section in sections for number in section.formats}

    def close(self) -> None:
        """Stop; the server hears nothing of it."""
        if self.show is not None:
            self.show.stop()
        self.peer.close()

    async def ended(self, within_s: float = PATIENCE_S) -> bool:
        """Whether the server ends the session in time; asked for anew with every answer."""
        try:
            async with asyncio.timeout(within_s):
                while not await self.session.is_over():
                    pass
        except TimeoutError:
            return False
        return True


async def connect(door: Door) -> Connected:
    """A connected session: a player that gets media, or a publisher that sends them."""
    peer = Peer()
    session = await door.open(peer.local)
    try:
        await peer.connect(session.answer)
    except TimeoutError:
        peer.close()
        raise AssertionError("no connection came about through the answer's candidates") from None
    show = Show(peer, session.answer.media) if door.protocol == "whip" else None
    if show is not None:
        show.begin()
    return Connected(session, peer, show)


async def until_live(watching: Door) -> None:
    """Return when players are taken; asked for anew with every answer. Raises `TimeoutError`."""
    async with asyncio.timeout(LIVE_WITHIN_S):
        while (await watching.post(watching.offer())).status_code in NOT_YET:
            pass
    await watching.close()


class Stage:
    """The publisher of the show that players watch; none when somebody else publishes it."""

    def __init__(self, publishing: Door | None, watching: Door | None) -> None:
        self._publishing = publishing
        self._watching = watching
        self._on_air: Connected | None = None

    async def on_air(self) -> None:
        """Return when players can join."""
        if self._publishing is None or self._watching is None:
            return
        if self._on_air is not None and not await self._on_air.session.is_over():
            return
        await self.off_air()
        self._on_air = await connect(self._publishing)
        await until_live(self._watching)

    async def off_air(self) -> None:
        """End the publisher's session."""
        if self._on_air is not None:
            self._on_air.close()
            await self._on_air.session.delete()
            self._on_air = None


@asynccontextmanager
async def connected(door: Door) -> AsyncIterator[Connected]:
    """A connected session that is closed in the end."""
    found = await connect(door)
    try:
        yield found
    finally:
        found.close()
