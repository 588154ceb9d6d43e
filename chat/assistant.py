"""The shop assistant in its rooms: it overhears what viewers say and answers what it is sure of.

It never delays a message: what is overheard waits in a short line and is left to the seller when
that is full. Nobody is answered more than once in `ASKER_WITHIN_S`; what everybody was told within
`TOPIC_WITHIN_S` is told to the asker alone. What is about a person's order only that person hears.
What it has no answer to is put among the questions that wait for the seller. A store out of reach
costs an answer, nothing else.
"""

import asyncio
import secrets
import time
from collections.abc import Mapping
from typing import Any, Final

import structlog

from chat.core import addressee
from chat.core.assistant.answers import Faq, reply
from chat.core.assistant.facts import Answer, Answered, Intent, Thresholds
from chat.core.assistant.reading import Reading, read
from chat.core.budget import Part
from chat.core.frames import Event, Lane, pack
from chat.core.questions import Origin, is_worth_handing_over
from chat.hub import Hub
from chat.ports import AnswerMemory, FaqBook, ShopFacts, StoreFaq, Verdict

log = structlog.get_logger()

WAITING: Final = 64
"""So many questions wait at most; more are left to the seller."""
ASKER_WITHIN_S: Final = 3
TOPIC_WITHIN_S: Final = 20
INDEXES_KEPT: Final = 64
"""So many stores' indexes are kept; then all are forgotten."""
SPEAKER: Final = {"id": "assistant", "name": "Kkot", "seller": False, "assistant": True}


class Assistant:
    """The assistant of a node. `run` must be running."""

    def __init__(self, hub: Hub, faqs: FaqBook, facts: ShopFacts, memory: AnswerMemory) -> None:
        self._hub = hub
        self._faqs = faqs
        self._facts = facts
        self._memory = memory
        self._waiting: asyncio.Queue[tuple[str, Mapping[str, Any], Reading]] = asyncio.Queue(
            WAITING
        )
        self._indexes: dict[StoreFaq, Faq] = {}

    def overhear(self, show: str, said: Mapping[str, Any]) -> None:
        """A viewer said this; `said` is the event."""
        reading = read(said["text"])
        if reading is not None and not self._waiting.full():
            self._waiting.put_nowait((show, said, reading))

    async def run(self) -> None:
        """Answer until cancelled."""
        while True:
            show, said, reading = await self._waiting.get()
            try:
                await self._attend(show, said, reading)
            except Exception as error:  # noqa: BLE001 - one question must not end the others
                log.warning("a question went unanswered", show=show, error=repr(error))

    async def _attend(self, show: str, said: Mapping[str, Any], reading: Reading) -> None:
        store = await self._facts.store(show)
        faq = StoreFaq(on=False) if store is None else await self._faqs.load(store)
        if not faq.on:
            return
        asker = said["from"]["id"]
        named = asker if reading.intent is Intent.ORDER else None
        shop = await self._facts.shop(show, named)
        found = reply(reading, shop, self._index(faq), Thresholds())
        if found is None:
            await self._hand_over(show, said)
        elif await self._memory.claim(show, f"asker:{asker}", ASKER_WITHIN_S):
            await self._tell(show, said, found)

    async def _hand_over(self, show: str, said: Mapping[str, Any]) -> None:
        """The seller is asked instead, unless the viewer asked the seller itself."""
        ask = self._hub.ask
        if ask is not None and "question" not in said and is_worth_handing_over(said["text"]):
            await ask(show, said, Origin.ASSISTANT, said["id"])

    async def _tell(self, show: str, said: Mapping[str, Any], found: Answer) -> None:
        event = {
            "type": "said",
            "id": secrets.token_urlsafe(9),
            "from": SPEAKER,
            "text": found.text,
            "at_ms": time.time_ns() // 1_000_000,
            "reply_to": said["id"],
        }
        asker = said["from"]["id"]
        private = found.private or not await self._memory.claim(
            show, f"topic:{found.topic}", TOPIC_WITHIN_S
        )
        if private or not await self._say(show, event):
            private = True
            to = addressee.person(asker)
            await self._hub.publish(show, event | {"private": True}, to=to)
        answered = (event["at_ms"], asker, said["text"], found.text, found.topic, private)
        if not found.private:
            await self._memory.note(show, Answered(*answered))

    async def _say(self, show: str, event: Mapping[str, Any]) -> bool:
        """Whether everybody is told; a room that is too busy for it is not."""
        key = f"assistant:{event['id']}"
        talk = Event(Lane.TALK, pack(event))
        return await self._hub.bus.say(show, talk, key, Part.EVERYBODY) is Verdict.SHOWN

    def _index(self, faq: StoreFaq) -> Faq:
        found = self._indexes.get(faq)
        if found is None:
            if len(self._indexes) >= INDEXES_KEPT:
                self._indexes.clear()
            found = self._indexes[faq] = Faq(faq.entries)
        return found
