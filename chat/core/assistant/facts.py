"""What the assistant is told about a shop, and what it answers.

Everything the house does not know is None or empty, and is never answered. Money is whole minor
units of a currency.
"""

from dataclasses import dataclass
from enum import StrEnum

import msgspec


class Intent(StrEnum):
    """What a question is about."""

    STOCK = "stock"
    PRICE = "price"
    FEE = "fee"
    TIME = "time"
    OPTIONS = "options"
    ORDER = "order"
    FAQ = "faq"


@dataclass(frozen=True, slots=True)
class Ware:
    """A product. `was_minor`: its price before a deal. `options`: sizes or colours, as told."""

    id: str
    title: str
    price_minor: int
    currency: str
    free: int
    was_minor: int | None = None
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Delivery:
    """What delivery costs and takes. `free_from_minor`: an order of that much is sent free."""

    fee_minor: int
    currency: str
    free_from_minor: int | None
    days_least: int
    days_most: int


@dataclass(frozen=True, slots=True)
class Order:
    """The asker's newest order: what it is of, and its state as the house calls it."""

    title: str
    state: str


@dataclass(frozen=True, slots=True)
class Shop:
    """What is for sale in a show, and what the asker alone may know of."""

    wares: tuple[Ware, ...]
    pinned: str | None = None
    delivery: Delivery | None = None
    order: Order | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A question a seller foresaw, and the answer."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Answer:
    """`about`: the ware's id or the number of the FAQ's entry. `private`: for the asker alone."""

    intent: Intent
    text: str
    about: str = ""
    private: bool = False

    @property
    def topic(self) -> str:
        """Equal for answers that say the same thing."""
        return f"{self.intent}:{self.about}"


class Answered(msgspec.Struct, frozen=True):
    """What was answered; `topic` names what it was about. `private`: to the asker alone."""

    at_ms: int
    asker: str
    question: str
    answer: str
    topic: str
    private: bool


@dataclass(frozen=True, slots=True)
class Thresholds:
    """When to speak.

    `score`: the least likeness (0 to 1) of a question to the FAQ's; `margin`: by how much it must
    beat the next. `own_words`: from this likeness on the seller's answer goes before the shop's.
    `strange`: the most letters in words that mean something the shop's facts do not tell.
    """

    score: float = 0.50
    margin: float = 0.20
    own_words: float = 0.85
    strange: int = 0
