"""Who buys and sells while everything is killed, and what they were told for certain.

They insist: what is not answered is asked again by the same key, at whichever server answers,
until it is.
"""

import random
from asyncio import timeout
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from tests.bench.audience import passed
from tests.standin.faults import Fault
from tests.whole.server import Server
from tests.whole.shop import RECIPIENT, Json, take

ASK_AGAIN_S: Final = 0.05
REFUND_EVERY_S: Final = 0.2
PATIENCE_S: Final = 90.0
QUANTITY_LIMIT: Final = 3
COUPON: Final = "CHAOS"
POINTS_SPENT_MINOR: Final = 1_500
PROVIDERS: Final = ("toss", "stripe")
DECISIONS: Final = ("approve", "approve", "approve", "approve", "decline")
FAULTS: Final = (
    ("confirm", Fault.HANG_AFTER),
    ("confirm", Fault.ERROR_AFTER),
    ("confirm", Fault.DECLINE),
    ("cancel", Fault.HANG_AFTER),
    ("cancel", Fault.ERROR_AFTER),
    ("look_up", Fault.NONSENSE),
)
"""What goes wrong at the provider now and then, besides its death."""


NO_ANSWER: Final = (httpx.TransportError, AttributeError)
"""What the client raises; the last, where its loop lost a connection as it opened."""
WISHES: Final[Sequence[Json]] = (
    {"lines": [{"line": 0, "quantity": 1}]},
    {"amount_minor": 700},
    {},
)
"""What a seller gives back: a unit, some money, or the rest."""


@dataclass(slots=True)
class Diary:
    """What was told for certain."""

    holds: dict[str, str] = field(default_factory=dict)
    """The buyer of each hold that was acknowledged."""
    orders: dict[str, str] = field(default_factory=dict)
    paid: set[str] = field(default_factory=set)
    refunds: set[str] = field(default_factory=set)
    refused: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    """Answers of 500: a server that said that it did not know what happened."""


@dataclass(slots=True)
class Person:
    """Somebody who insists. `over`: whether it is time to go home."""

    id: str
    client: httpx.AsyncClient
    servers: Sequence[Server]
    diary: Diary
    chance: random.Random
    over: Callable[[], bool]

    async def insist(
        self, method: str, path: str, body: Any = None, *, keyed: bool = False
    ) -> Json | None:
        """The answer, however often it takes; None when it is a refusal."""
        headers = {"Idempotency-Key": f"{self.chance.getrandbits(64):x}"} if keyed else {}
        async with timeout(PATIENCE_S):
            while True:
                url = self.chance.choice(self.servers).url
                try:
                    answer = await self.client.request(
                        method, url + path, json=body, headers=headers
                    )
                except NO_ANSWER:
                    await passed(ASK_AGAIN_S)
                    continue
                if answer.status_code < 500:
                    return self._read(answer)
                if answer.status_code == 500:
                    self.diary.faults.append(f"{method} {path}: {answer.text}")
                await passed(ASK_AGAIN_S)

    def _read(self, answer: httpx.Response) -> Json | None:
        if answer.is_error:
            self.diary.refused[answer.json()["code"]] += 1
            return None
        found: Json = answer.json() if answer.content else {}
        return found


@dataclass(slots=True)
class Buyer(Person):
    """Holds, sometimes thinks better of it, orders with coupon and points, pays or does not."""

    product: str
    standin: str

    async def run(self) -> None:
        """Buy until it is over."""
        while not self.over():
            wish = take(self.product, self.chance.randint(1, QUANTITY_LIMIT))
            held = await self.insist("POST", "/holds", wish, keyed=True)
            if held is None:
                await passed(ASK_AGAIN_S)
                continue
            hold = held["holds"][0]["id"]
            self.diary.holds[hold] = self.id
            if self.chance.random() < 0.15:
                await self.insist("DELETE", f"/holds/{hold}")
            elif self.chance.random() < 0.9:  # the others forget it: it expires
                await self._buy(hold)

    async def buy_surely(self) -> None:
        """One unit, paid with money alone: its points are for later."""
        held = await self.insist("POST", "/holds", take(self.product), keyed=True)
        assert held is not None
        order = await self._order(held["holds"][0]["id"], {})
        assert order is not None
        await self._pay(order, ["approve"])
        async with timeout(PATIENCE_S):
            while order not in self.diary.paid:
                await passed(ASK_AGAIN_S)
                await self._confirm(order)

    async def _buy(self, hold: str) -> None:
        wish: Json = {"coupon": COUPON} if self.chance.random() < 0.4 else {}
        if self.chance.random() < 0.5:
            purse = await self.insist("GET", "/me/points")
            ready_minor = 0 if purse is None else purse["wallet"]["ready_minor"]
            if ready_minor:
                wish["points_minor"] = min(ready_minor, POINTS_SPENT_MINOR)
        order = await self._order(hold, wish)
        if order is None:
            return
        if self.chance.random() < 0.85:
            await self._pay(order, DECISIONS)
        if self.chance.random() < 0.2:
            await self.insist("POST", f"/orders/{order}/cancel")

    async def _order(self, hold: str, wish: Json) -> str | None:
        quote = await self.insist("POST", "/quotes", {"holds": [hold], **wish})
        if quote is None:
            return None
        body = {"holds": [hold], "recipient": RECIPIENT, "total_minor": quote["total_minor"]}
        placed = await self.insist("POST", "/orders", body | wish, keyed=True)
        if placed is None:
            return None
        order: str = placed["id"]
        self.diary.orders[order] = self.id
        return order

    async def _pay(self, order: str, decisions: Sequence[str]) -> None:
        provider = self.chance.choice(PROVIDERS)
        begun = await self.insist("POST", f"/orders/{order}/pay?provider={provider}")
        if begun is None:
            return
        if len(decisions) > 1 and self.chance.random() < 0.15:
            at, fault = self.chance.choice(FAULTS)
            await self._at_provider("/standin/faults", {"at": at, "fault": fault})
        page = begun["redirect"].removeprefix(self.standin)
        await self._at_provider(f"{page}/{self.chance.choice(decisions)}")
        await self._confirm(order)

    async def _confirm(self, order: str) -> None:
        settled = await self.insist("POST", f"/orders/{order}/confirm")
        if settled is not None and settled["state"] == "paid":
            self.diary.paid.add(order)

    async def _at_provider(self, path: str, body: Any = None) -> None:
        """Post something to the provider until it has heard it."""
        async with timeout(PATIENCE_S):
            while True:
                try:
                    await self.client.post(self.standin + path, json=body)
                except NO_ANSWER:
                    await passed(ASK_AGAIN_S)
                else:
                    return


@dataclass(slots=True)
class Seller(Person):
    """Gives back units, amounts and whole orders of what was paid."""

    async def run(self) -> None:
        """Give back until it is over."""
        while not self.over():
            await passed(REFUND_EVERY_S)
            if not self.diary.paid:
                continue
            order = self.chance.choice(sorted(self.diary.paid))
            wish = self.chance.choice(WISHES) | {"restock": self.chance.random() < 0.8}
            given = await self.insist("POST", f"/orders/{order}/refunds", wish, keyed=True)
            if given is not None:
                self.diary.refunds |= {refund["id"] for refund in given["refunds"]}
