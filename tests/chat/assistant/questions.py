"""The questions, the shop they are asked in, and how answers are judged.

Two sets are judged apart: `questions.tsv` was written along with the assistant, `strangers.tsv` by
somebody who knew neither it nor the first set and typed as viewers do. Each has one line a
question: what the right answer is about (`-`: silence), which ware is pinned, what is said. Lines
are numbered from 0 within a language; even ones are the half that patterns and thresholds may be
tuned on, odd ones the half that judges.
"""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from chat.core.assistant.answers import Faq, answer
from chat.core.assistant.facts import Delivery, Entry, Intent, Order, Shop, Thresholds, Ware

SETS: Final = ("questions", "strangers")
WARES: Final = (
    Ware("tulip", "튤립 한 다발 (Tulips)", 18_000, "KRW", 12, options=("빨강", "노랑", "분홍")),
    Ware("tea", "동백꽃차 Camellia Tea 50g", 12_000, "KRW", 0),
    Ware("candle", "장미 향초 Rose Candle", 24_000, "KRW", 3, was_minor=30_000),
    Ware("soap", "장미 비누 Rose Soap", 9_000, "KRW", 40),
    Ware("shirt", "플로럴 티셔츠 Floral T-shirt", 39_000, "KRW", 8, options=("S", "M", "L", "XL")),
    Ware("vase", "유리 화병 Glass Vase", 45_000, "KRW", 7),
    Ware("cream", "핸드크림 Hand Cream", 15_000, "KRW", 30),
)
ENTRIES: Final = {
    "jeju": "제주도나 도서산간도 배송되나요?",
    "return": "교환이나 환불은 어떻게 하나요?",
    "gift": "선물 포장 되나요?",
    "card": "메시지 카드 넣을 수 있나요?",
    "fresh": "꽃은 얼마나 오래 가나요?",
    "water": "물은 얼마나 자주 갈아줘야 하나요?",
    "shop": "오프라인 매장이 있나요?",
    "receipt": "현금영수증 발급되나요?",
    "together": "합배송 되나요?",
    "wash": "티셔츠는 세탁기에 돌려도 되나요?",
    "scent": "향초 향이 강한가요?",
    "abroad": "Do you ship abroad?",
    "return_en": "How do I return an item?",
    "gift_en": "Can you gift wrap it?",
    "skin": "Is the hand cream safe for sensitive skin?",
    "pay": "What payment methods do you accept?",
    "card_en": "Can I add a message card?",
    "burn": "How long does the candle burn?",
}
FAQ: Final = Faq(tuple(Entry(question, f"about {key}") for key, question in ENTRIES.items()))


@dataclass(frozen=True, slots=True)
class Question:
    """One line, and what the right answer is about; None for silence."""

    korean: bool
    judging: bool
    expected: str | None
    pinned: str | None
    text: str


@dataclass(frozen=True, slots=True)
class Score:
    """`wrong`: answers that are not right, as (expected, given, text)."""

    asked: int
    answerable: int
    answered: int
    wrong: tuple[tuple[str | None, str, str], ...]

    @property
    def precision(self) -> float:
        """The share of the answers that are right."""
        return 1 - len(self.wrong) / self.answered if self.answered else 1.0

    @property
    def coverage(self) -> float:
        """The share of the answerable questions that are answered rightly."""
        return (self.answered - len(self.wrong)) / self.answerable


def load(name: str) -> list[Question]:
    """All questions of a set."""
    found: list[Question] = []
    korean, number = True, 0
    for line in Path(__file__).with_name(f"{name}.tsv").read_text("utf-8").splitlines():
        if line.startswith("#"):
            korean, number = line == "# ko", 0
            continue
        expected, pinned, text = line.split("\t")
        right = None if expected == "-" else expected
        found.append(
            Question(korean, number % 2 == 1, right, None if pinned == "none" else pinned, text)
        )
        number += 1
    return found


def given(question: Question, thresholds: Thresholds) -> str | None:
    """What the assistant's answer is about, spelt as in the file."""
    shop = Shop(
        WARES,
        question.pinned,
        Delivery(3_000, "KRW", 50_000, 2, 3),
        Order("튤립 한 다발", "paid"),
    )
    found = answer(question.text, shop, FAQ, thresholds)
    if found is None:
        return None
    if found.intent is Intent.FAQ:
        return f"faq:{[*ENTRIES][int(found.about)]}"
    return f"{found.intent}:{found.about}".rstrip(":")


def judge(questions: Iterable[Question], thresholds: Thresholds) -> Score:
    """How well these are answered."""
    asked = answerable = answered = 0
    wrong: list[tuple[str | None, str, str]] = []
    for question in questions:
        said = given(question, thresholds)
        asked += 1
        answerable += question.expected is not None
        if said is not None:
            answered += 1
            if said != question.expected:
                wrong.append((question.expected, said, question.text))
    return Score(asked, answerable, answered, tuple(wrong))


def half(questions: Iterable[Question], *, korean: bool, judging: bool) -> list[Question]:
    """Those of one language and half."""
    return [q for q in questions if q.korean is korean and q.judging is judging]


def report(name: str, questions: Sequence[Question], thresholds: Thresholds) -> str:
    """A set's figures by language and half, and the time of one question."""
    lines = []
    for korean in (True, False):
        for judging in (False, True):
            score = judge(half(questions, korean=korean, judging=judging), thresholds)
            lines.append(
                f"{name}, {'Korean' if korean else 'English'} "
                f"{'judging' if judging else 'tuning'} half: "
                f"{score.asked} lines, {score.answered} answers, precision {score.precision:.3f}, "
                f"coverage {score.coverage:.3f}"
            )
    began = time.perf_counter()
    judge(questions, thresholds)
    spent = (time.perf_counter() - began) / len(questions)
    return "\n".join([*lines, f"{name}: {spent * 1e6:.0f} µs a line"])
