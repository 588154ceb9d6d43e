"""The assistant's decision on one line of the chat: an answer, or silence.

A wrong answer costs a seller more than none: whatever is not clear is left to the seller. The
seller's own words go first where they are about the same (what delivery costs and takes) or the
question is nearly theirs; then what the shop knows, then the likest entry of the FAQ.
"""

from typing import Final

from chat.core.assistant import sentences
from chat.core.assistant.facts import Answer, Entry, Intent, Shop, Thresholds
from chat.core.assistant.reading import Reading, read, strange_letters
from chat.core.assistant.retrieval import Hit, Index
from chat.core.assistant.spelling import plain
from chat.core.assistant.wares import apart, meant


class Faq:
    """A store's own answers, and the index to find them."""

    def __init__(self, entries: tuple[Entry, ...] = ()) -> None:
        self.entries = entries
        self._plain = [plain(entry.question) for entry in entries]
        self._index = Index(self._plain)
        self._intents: list[Intent | None] = []
        self._delivery: dict[tuple[Intent | None, bool], int] = {}
        for number, entry in enumerate(entries):
            reading = read(f"{entry.question}?")
            self._intents.append(None if reading is None else reading.intent)
            if reading is not None and reading.intent in {Intent.FEE, Intent.TIME}:
                self._delivery.setdefault((reading.intent, reading.korean), number)

    def plainly(self, number: int) -> str:
        """An entry's question in plain spelling."""
        return self._plain[number]

    def on_delivery(self, reading: Reading) -> int | None:
        """The number of the entry about delivery that asks the same, in the same language."""
        return self._delivery.get((reading.intent, reading.korean))

    def likest(self, reading: Reading) -> Hit | None:
        """The entry most like the question; it asks the same of the shop, or nothing."""
        hit = self._index.likest(reading.text)
        if hit is None or reading.intent not in {None, self._intents[hit.number]}:
            return None
        return hit


def answer(question: str, shop: Shop, faq: Faq, thresholds: Thresholds) -> Answer | None:
    """The answer to a line of the chat; None: it is chatter, or the seller's."""
    reading = read(question)
    return None if reading is None else reply(reading, shop, faq, thresholds)


def reply(reading: Reading, shop: Shop, faq: Faq, thresholds: Thresholds) -> Answer | None:
    """The answer to a question that is read already."""
    if reading.many:
        return None
    own = faq.on_delivery(reading)
    if own is not None:
        return Answer(Intent.FAQ, faq.entries[own].answer, str(own))
    hit = faq.likest(reading)
    if hit is not None and (
        hit.score < thresholds.score
        or hit.margin < thresholds.margin
        or apart(reading.text, faq.plainly(hit.number), shop.wares)
    ):
        hit = None
    if hit is None or hit.score < thresholds.own_words:
        known = _from_shop(reading, shop, thresholds)
        if known is not None:
            return known
    if hit is None:
        return None
    return Answer(Intent.FAQ, faq.entries[hit.number].answer, str(hit.number))


def _from_shop(reading: Reading, shop: Shop, thresholds: Thresholds) -> Answer | None:
    if reading.intent is Intent.ORDER:
        return _of_order(shop, korean=reading.korean)
    if reading.intent in _OF_DELIVERY:
        return _of_delivery(reading, reading.intent, shop, thresholds)
    if reading.intent in _OF_WARES:
        return _of_ware(reading, reading.intent, shop, thresholds)
    return None


def _of_order(shop: Shop, *, korean: bool) -> Answer | None:
    found = shop.order
    text = (
        sentences.no_order(korean=korean)
        if found is None
        else sentences.order(found, korean=korean)
    )
    return None if text is None else Answer(Intent.ORDER, text, private=True)


_OF_DELIVERY: Final = {Intent.FEE: sentences.fee, Intent.TIME: sentences.time}
_OF_WARES: Final = {
    Intent.STOCK: sentences.stock,
    Intent.PRICE: sentences.price,
    Intent.OPTIONS: sentences.options,
}


def _of_delivery(
    reading: Reading, intent: Intent, shop: Shop, thresholds: Thresholds
) -> Answer | None:
    strange = strange_letters(reading.text, korean=reading.korean)
    if shop.delivery is None or strange > thresholds.strange:
        return None
    return Answer(intent, _OF_DELIVERY[intent](shop.delivery, korean=reading.korean))


def _of_ware(reading: Reading, intent: Intent, shop: Shop, thresholds: Thresholds) -> Answer | None:
    found = meant(reading.text, shop.wares, shop.pinned)
    if found is None:
        return None
    ware, rest = found
    strange = strange_letters(rest, korean=reading.korean)
    if strange > thresholds.strange or (intent is Intent.OPTIONS and not ware.options):
        return None
    return Answer(intent, _OF_WARES[intent](ware, korean=reading.korean), ware.id)
