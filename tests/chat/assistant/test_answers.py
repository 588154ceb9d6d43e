"""The assistant's sentences, its privacy, and lines made to cost it time."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.core.assistant.answers import Faq, answer
from chat.core.assistant.facts import Answer, Delivery, Entry, Intent, Order, Shop, Thresholds, Ware
from chat.core.assistant.reading import QUESTION_CODE_POINTS, read
from chat.core.assistant.retrieval import Index
from chat.core.assistant.sentences import money

USUAL = Thresholds()
TEA = Ware("tea", "동백꽃차", 12_000, "KRW", 3, was_minor=15_000)
SHOP = Shop((TEA,), "tea", Delivery(3_000, "KRW", 50_000, 2, 3), Order("동백꽃차", "paid"))


def ask(question: str, shop: Shop = SHOP, faq: Faq | None = None) -> Answer | None:
    return answer(question, shop, faq or Faq(), USUAL)


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("몇 개 남았어요?", "동백꽃차: 3개 남았어요."),
        ("how many are left?", "동백꽃차: 3 left."),
        ("얼마예요?", "동백꽃차: 할인해서 12,000원이에요 (원래 15,000원)."),
        ("how much is it?", "동백꽃차: ₩12,000 in this deal (was ₩15,000)."),
        ("배송비 얼마예요?", "배송비는 3,000원이고, 50,000원 이상이면 무료예요."),
        ("is shipping free?", "Delivery is ₩3,000, free from ₩50,000."),
        ("배송 얼마나 걸려요?", "결제 후 2–3일 안에 도착해요."),
        ("where is my order?", "동백꽃차: your order is paid and being prepared."),
    ],
)
def test_an_answer_is_in_the_language_of_its_question(question: str, text: str) -> None:
    found = ask(question)
    assert found is not None
    assert found.text == text


def test_only_what_is_about_the_askers_order_is_private() -> None:
    order, price = ask("내 주문 어디까지 왔어요?"), ask("얼마예요?")
    assert order is not None
    assert price is not None
    assert (order.private, price.private) == (True, False)


def test_what_the_shop_does_not_know_is_not_answered() -> None:
    unknown = Shop((TEA,), "tea")
    for question in ("배송비 얼마예요?", "how long does shipping take?", "사이즈 뭐 있어요?"):
        assert ask(question, unknown) is None
    found = ask("where is my order?", unknown)
    assert found is not None
    assert found.text == "You have no order in this store yet."
    assert ask("where is my order?", Shop((), order=Order("꽃", "lost in space"))) is None


def test_the_sellers_own_words_go_before_the_shops() -> None:
    faq = Faq((Entry("배송비 얼마예요?", "제주는 5,000원, 다른 곳은 무료입니다."),))
    found = ask("배송비는 얼마인가요?", faq=faq)
    assert found == Answer(Intent.FAQ, "제주는 5,000원, 다른 곳은 무료입니다.", "0")


def test_two_entries_alike_leave_the_question_to_the_seller() -> None:
    twice = Faq((Entry("선물 포장 되나요?", "네"), Entry("선물 포장 되나요?", "아니요")))
    assert ask("선물 포장 되나요?", faq=twice) is None


def test_what_an_entry_says_of_one_ware_is_not_said_of_another() -> None:
    candle, soap = Ware("candle", "장미 향초", 1, "KRW", 1), Ware("soap", "장미 비누", 1, "KRW", 1)
    shop, faq = Shop((candle, soap)), Faq((Entry("향초 향이 강한가요?", "은은해요"),))
    assert ask("비누 향이 강한가요?", shop, faq) is None
    for question in ("향초 향이 강한가요?", "향초 냄새 강해요?", "향이 강한가요?"):
        assert ask(question, shop, faq) == Answer(Intent.FAQ, "은은해요", "0")


def test_who_asks_when_is_not_told_whether() -> None:
    faq = Faq((Entry("환불 되나요?", "네"),))
    assert ask("반품 되나요?", faq=faq) == Answer(Intent.FAQ, "네", "0")
    assert ask("반품 언제 되나요?", faq=faq) is None


def test_who_asks_two_things_is_left_to_the_seller() -> None:
    assert ask("얼마예요? 배송비는요?") is None
    assert read("얼마예요? 배송비는요?") is not None
    assert ask("얼마예요??") is not None


@pytest.mark.parametrize("ware", ["안개꽃", "수건", "오일", "옷걸이", "귀걸이"])
def test_a_ware_nobody_sells_here_is_not_made_of_known_syllables(ware: str) -> None:
    assert ask(f"{ware} 얼마예요?") is None
    assert ask(f"{ware} 있나요?") is None


def test_jamo_are_read_as_hangul() -> None:
    decomposed = "얼마예요?"
    assert ask(decomposed) == ask("얼마예요?")


def test_money_is_written_by_its_currency() -> None:
    assert money(1_234_567, "KRW", korean=True) == "1,234,567원"
    assert money(1_205, "USD", korean=False) == "$12.05"
    assert money(1_205, "JPY", korean=False) == "1,205 JPY"
    assert money(1_205, "CHF", korean=True) == "12.05 CHF"


@given(st.text(max_size=400))
def test_no_line_is_too_strange(line: str) -> None:
    found = ask(line)
    assert found is None or len(line) <= QUESTION_CODE_POINTS


@pytest.mark.parametrize(
    "line",
    [
        "얼마" * 60,
        "배송 " * 39 + "?",
        "how " * 29 + "?",
        "my order " * 13,
        "내 " * 58 + "?",
        "언제 " * 39 + "?",
        "a" * 119 + "?",
        "얼" * 5_000,
        "무배" * 59 + "?",
        "안개" * 59 + "?",
        "재고수량" * 29 + "?",
        "availabel " * 11 + "?",
        "a" * 60 + "?" * 60,
    ],
)
def test_lines_made_to_be_slow_cost_little(line: str) -> None:
    questions = tuple(Entry("얼마 배송 how 내 " * 10 + str(n), "답") for n in range(100))
    faq = Faq(questions)
    best = min(_spent(line, faq) for _ in range(3))
    assert best < 0.02


def _spent(line: str, faq: Faq) -> float:
    began = time.perf_counter()
    ask(line, faq=faq)
    return time.perf_counter() - began


def test_an_empty_faq_and_empty_questions_are_like_nothing() -> None:
    assert Index(()).likest("얼마예요?") is None
    assert Index(("?!",)).likest("?!") is None


def test_a_statement_is_no_question() -> None:
    assert read("배송 빨리 해주세요") is None
    assert read("너무 예뻐요") is None
    assert read("How much is it?") is not None
