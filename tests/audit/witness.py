"""Viewers of a room who check every shop event they are told, and come back when they are cut off.

Within an epoch numbers rise one by one from the place of the welcome on; a welcome that says
`recovered` begins where the viewer was; of a product no older version follows a newer one.
"""

import asyncio
import itertools
import random
import socket
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from chat.core.returning import comes_back
from tests.bench.audience import passed
from tests.bench.room import FIRST_S, MOST_S, Audience, Frame, Guest, command, shake_hands

Json = dict[str, Any]

ABNORMAL: Final = 1006


@dataclass(slots=True, eq=False)
class Witness(Guest):
    """One viewer. `heard`: for each saying, whether it was told. `known`: the newest version of
    each product. Counted are visits; welcomes, and of them those that had to begin anew; shop
    events told; those missing between two; told twice or too late; older than what they replace.
    """

    number: int = 0
    token: str | None = None
    epoch: str = ""
    heard: bytearray = field(default_factory=bytearray)
    known: dict[str, int] = field(default_factory=dict)
    visits: int = 1
    welcomes: int = 0
    anew: int = 0
    told: int = 0
    missing: int = 0
    repeated: int = 0
    outdated: int = 0
    _newest: dict[tuple[str, str], int] = field(default_factory=dict)
    """By kind and product, since things were last told as they are."""

    def hello(self) -> bytes:
        """What it says when it comes back: it tells the place it knows."""
        place = {"epoch": self.epoch, "offset": self.offset}
        return command(type="hello", token=self.token, since=place)

    def welcome(self, event: Json) -> None:
        """Begin at the place a `welcome` tells."""
        self.welcomes += 1
        if event["recovered"]:
            here = self.epoch == event["epoch"] and self.offset == event["offset"]
            self.missing += not here
        else:
            self.anew += self.welcomes > 1
            self.epoch, self.offset = event["epoch"], event["offset"]
            self.known = {product["id"]: product["version"] for product in event["products"]}
            self._newest.clear()
        for said in event["talk"]:
            self.hear(number_of(said))

    def take(self, event: Json) -> None:
        """Check a numbered event."""
        ahead = event["offset"] - self.offset - 1
        self.told += 1
        self.missing += max(ahead, 0)
        self.repeated += ahead < 0
        self.offset = max(self.offset, event["offset"])
        about = event.get("product")
        if about is None:
            return
        whole = about if isinstance(about, dict) else {"id": about, "version": event["version"]}
        product, version = whole["id"], whole["version"]
        place = event["type"], product
        self.outdated += version <= self._newest.get(place, 0)
        self._newest[place] = version
        self.known[product] = max(version, self.known.get(product, 0))

    def hear(self, saying: int) -> None:
        """Note a saying by its number."""
        if saying >= len(self.heard):
            self.heard.extend(bytes(saying + 1 - len(self.heard)))
        self.heard[saying] = 1


class Witnesses(Audience):
    """All of them. `nodes`: where one may come; each time one is drawn, as a balancer would.

    `answers`: by the id of a saying, whether it was shown, or why it was refused.
    """

    def __init__(self, nodes: Sequence[str], show: str, chance: random.Random) -> None:
        super().__init__()
        self.everybody: list[Witness] = []
        self.answers: dict[str, bool | str] = {}
        self.dismissed = 0
        self._nodes = nodes
        self._show = show
        self._chance = chance
        self._coming: set[asyncio.Task[None]] = set()

    @property
    def away(self) -> int:
        """How many are on their way back."""
        return len(self._coming)

    async def invite(self, tokens: Sequence[str | None]) -> None:
        """Let one come for each token, in this order; returns when all are in."""
        coming = [self._first(number, token) for number, token in enumerate(tokens)]
        self.everybody = await asyncio.gather(*coming)

    def hear(self, guest: Guest, frame: Frame, now: int) -> None:
        """Check what is told."""
        assert isinstance(guest, Witness)
        for event in frame.events:
            if event["type"] == "welcome":
                guest.welcome(event)
            elif "offset" in event:
                guest.take(event)
            elif event["type"] in {"accepted", "refused"}:
                self.answers[event["id"]] = event.get("reason") or event["shown"]
        for saying in frame.said:
            guest.hear(saying)

    def lost(self, guest: Guest) -> None:
        """Come back, unless sent away for good."""
        assert isinstance(guest, Witness)
        del self.guests[guest.socket.fileno()]
        guest.socket.close()
        if guest.closed != ABNORMAL and not comes_back(guest.closed):
            self.dismissed += 1
        else:
            self._send_for(guest)

    def leave(self) -> None:
        """Nobody comes back any more."""
        for task in self._coming:
            task.cancel()
        super().leave()

    def _send_for(self, witness: Witness) -> None:
        task = asyncio.create_task(self._again(witness))
        self._coming.add(task)
        task.add_done_callback(self._coming.discard)

    async def _first(self, number: int, token: str | None) -> Witness:
        connection = await self._come(number, command(type="hello", token=token))
        witness = Witness(connection, number=number, token=token)
        self.add(connection, witness)
        return witness

    async def _again(self, witness: Witness) -> None:
        witness.rest, witness.closed = b"", 0
        witness.visits += 1
        witness.socket = await self._come(witness.number, witness.hello())
        self.add(witness.socket, witness)

    async def _come(self, number: int, hello: bytes) -> socket.socket:
        for failures in itertools.count():
            await passed(self._chance.uniform(0, min(MOST_S, FIRST_S * 2**failures)))
            node = self._chance.choice(self._nodes)
            try:
                connection = await shake_hands(node, self._show, number)
            except OSError:
                continue
            with suppress(ConnectionError):  # whoever reads it finds that it is lost
                await asyncio.get_running_loop().sock_sendall(connection, hello)
            return connection
        raise AssertionError("unreachable")


def number_of(said: Json) -> int:
    """The number a saying begins with."""
    return int(said["text"].split(" ")[0])
