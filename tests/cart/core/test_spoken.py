"""What viewers say to buy, and what they only say."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cart.core.catalog import tidy_code
from cart.core.spoken import LINE_LIMIT_CHARS, Reading, read


@pytest.mark.parametrize(
    ("line", "first"),
    [
        ("A12", ("A12", 1)),
        ("  a12 ", ("A12", 1)),
        ("Ａ１２", ("A12", 1)),
        ("a-12", ("A-12", 1)),
        ("7", ("7", 1)),
        ("A12 2", ("A12", 2)),
        ("A12  x2", ("A12", 2)),
        ("A12 X 2", ("A12", 2)),
        ("A12 ×3", ("A12", 3)),
        ("A12*3", ("A12", 3)),
        ("A12 2개", ("A12", 2)),
        ("Ａ１２\u3000２개", ("A12", 2)),
        ("동백", ("동백", 1)),
        ("동백 2", ("동백", 2)),
        ("동백 12 개", ("동백", 12)),
        ("tea 3pcs", ("TEA", 3)),
    ],
)
def test_a_code_and_how_many(line: str, first: tuple[str, int]) -> None:
    """Width, case, spacing and the ways to count do not matter."""
    assert read(line)[0] == Reading(*first)


@pytest.mark.parametrize(
    "line",
    [
        "",
        " ",
        "!!",
        "A12 0",
        "A12 2 3",
        "A12 주세요?",
        "얼마예요?",
        "a" * 30,
        "x" * 99,
        "A1 " + "\ufdfa" * 30,
    ],
)
def test_anything_else_is_talk(line: str) -> None:
    """It orders nothing whatever codes there are."""
    assert not read(line)


@pytest.mark.parametrize(
    ("line", "readings"),
    [
        ("A12x2", [("A12X2", 1), ("A12", 2)]),
        ("동백2개", [("동백2개", 1), ("동백", 2)]),
        ("red 2", [("RED", 2), ("RED2", 1)]),
        ("A 12", [("A", 12), ("A12", 1)]),
        ("A12 2", [("A12", 2)]),
        ("AX 2", [("AX", 2), ("AX2", 1)]),
        ("A12X 2", [("A12", 2), ("A12X2", 1)]),
    ],
)
def test_two_readings_are_told_in_order(line: str, readings: list[tuple[str, int]]) -> None:
    """What stands together is one code first; what stands apart is counted first."""
    assert list(read(line)) == [Reading(*reading) for reading in readings]


@given(st.text(max_size=LINE_LIMIT_CHARS + 4))
def test_whatever_is_said_is_read_within_bounds(line: str) -> None:
    """At most nine readings, of codes as sellers may set them, of one to 99 units."""
    readings = read(line)
    assert len(readings) <= 9
    for reading in readings:
        assert tidy_code(reading.code) == reading.code
        assert 1 <= reading.quantity <= 99


@given(st.from_regex(r"[A-Za-z가-힣]{2,6}[0-9]{0,4}", fullmatch=True), st.integers(1, 99))
@example("AX", 1)
def test_a_code_that_is_said_as_it_is_set_is_found(code: str, quantity: int) -> None:
    """Whatever code the seller chose, in every form."""
    kept = tidy_code(code)
    assert kept is not None
    assert Reading(kept, 1) in read(code)
    for said in (f"{code} {quantity}", f"{code} x{quantity}", f"{code.lower()} {quantity}개"):
        assert Reading(kept, quantity) in read(said)


CODES = {"A1", "A12", "B-3", "7", "12", "동백", "꽃신", "TEA", "RED2"}
"""What the store of these lines has."""


def meant(line: str) -> tuple[str, int] | None:
    """What a line buys there."""
    found = next((reading for reading in read(line) if reading.code in CODES), None)
    return None if found is None else (found.code, found.quantity)


BUYS = [
    (
        "A1",
        1,
        """A1 주세요|A1주세요|a1 주세여~|A1 주세용!!|A1 주세요.|A1 주세요 ♥|A1 줘요|A1 할게요
        A1 살께요|A1로 할게요|A1으로 주세요|A1을 주세요|A1만 주세요|A1도 주세요|저 A1 주세요
        저도 A1 주세요|A1 구매할게요|A1 주문할게요|A1 주문이요|A1 구매합니다|A1 담아 주세요
        A1 잡아주세요|A1 하나|A1 하나 주세요|A1 하나만요|A1 한 개 주세요|A1 한장요|a1 please
        A1, please!|A1 pls|I'll take A1|I’ll buy a1 please""",
    ),
    (
        "A1",
        2,
        """A1 2개요|A1 두개|A1 두 개요|A1두개요|A1 2개 주세요|A1 2개만 주세요|A1 2개만요
        A1 두개 더 주세요|A1 둘 주세요|A1 2장 할게요|A1 2벌요|A1 2개 부탁드려요
        A1로 2개 주세요|A1 x2 주세요|A1 2 주세요|A1 2개!|저 A1 2개요|A1 x2|A1 x2 please
        A1 2 pls|a1 2pcs please|I'll take A1 x2|I'll take a1 2 please|A1*2""",
    ),
    ("A1", 10, "A1 열개|A1 열 개 주세요|A1 10개요|A1 10ea"),
    ("A12", 3, "A12 3개요|A12 세개 주세요|A12 셋|A12 x3 please|a12 3 PLZ"),
    ("7", 1, "7|7번 주세요|7번 할게요|7번으로 주세요"),
    ("7", 2, "7번 2개|7번 두개요|7 2개 주세요|7 x2 please|7번 둘"),
    ("동백", 4, "동백 네개|동백네개요|동백 4개 주세요|동백 넷|동백 네 켤레 주문할게요"),
    ("B-3", 1, "b-3 please|B-3 주세요|B-3 구매요"),
    ("RED2", 1, "red2|red 2|red2 please|RED2 주세요"),
]

TALK = """A1 있어요?|A1 있어요|A1 있나요|A1 얼마예요|A1 얼마예요?|A1 얼마|A1 가격
        A1 2개 남았나요?|A1 2개 남았나요|A1 2개 남았어요|A1 2개 있나요|A1 주세요?|A1 2개요?
        A1 하나요|A1 하나요?|A1 살까요|A1 살래요|A1 두개 살까|A1?|A1 말고|A1 말고요|A1 취소
        A1 취소해 주세요|A1 취소할게요|A1 2개 취소요|A1 빼 주세요|A1 빼고 주세요
        A1 안 살게요|A1 안살게요|A1 못 살게요|A1 말고 7 주세요|A1 말고 7 2개
        A1 나중에 살게요|A1 다음에 주세요|A1 보여 주세요|A1 보여주세요|A1 설명해 주세요
        A1 입어봐 주세요|A1 할인해 주세요|A1 더 주세요|A1 부탁드려요|A1 한두개 주세요
        A1 두세개요|A1 둘 다 주세요|A1 1-2개|A1 1~2개 주세요|A1 100개 주세요|A1 0개 주세요
        A1 두개 샀어요|A1 샀어요|A1 주문했어요|A1 주문 완료|A1 2개 주문했어요|A1 품절
        A1 예쁘다|A1 예쁘네요|A1 사고 싶어요|A1 사이즈 2개 주세요|A1 환불해 주세요
        A1로 바꿔 주세요|A1 링크 주세요|A1 쿠폰 주세요|A1이랑 7 주세요|2개 주세요
        두개 주세요|12개|12개 주세요|12개요|7개 주세요|7개|7 주세요|12 주세요|7시에 봐요
        7번 봤어요|저 두개 주세요|주세요|저 주세요|하나요|동백 예뻐요|동백은요
        동백 언제 와요|동백 2개 남았대요|A1 팔렸어요|A1 2개 팔렸어요|A1!|A1~|A1 ㅋㅋ
        안녕하세요|A1 please?|A1?|is A1 left|how much is A1|A1 price|A1 price please
        show A1 please|show me A1 please|A1 sold out|I want to see A1|not A1|not A1 please
        no A1|cancel A1|cancel A1 please|A1 cancelled|A1 or A12 please|A1 and A12
        I'll take A1 later|I'll take A1 or 7|I'll take a 7|I'll take 7|7 please|12 pls
        I'll take 2|2 please|I bought A1|I bought 2 A1|A1 is nice|love A1|A1 2 left
        A1 2 left?|A1 x2?|any A1 left please|can I see A1|please|I'll take it
        A1 in red please|A1 size M please|red please|A1 2 sold|tea please?|where is my tea
        A1 again please|nice tea"""


def lines(table: str) -> list[str]:
    """What stands in a table, apart."""
    return [line.strip() for row in table.splitlines() for line in row.split("|")]


@pytest.mark.parametrize(
    ("line", "bought"), [(line, (code, n)) for code, n, table in BUYS for line in lines(table)]
)
def test_what_orders_in_korean_and_english(line: str, bought: tuple[str, int]) -> None:
    """A code, how many, and the words that only order."""
    assert meant(line) == bought


@pytest.mark.parametrize("line", lines(TALK))
def test_questions_denials_and_remarks_buy_nothing(line: str) -> None:
    """Nor does what could be an order or something else."""
    assert meant(line) is None


ORDERING = "주세요|2개|두개|하나|더|만|요|로|저|please|I'll|take"
DENYING = "있어요|얼마|말고|취소|안|빼고|남았나요|not|show"
WORDS = st.sampled_from(f"{ORDERING}|{DENYING}".split("|"))


@given(st.lists(WORDS, max_size=3), st.lists(WORDS, max_size=3))
def test_no_words_around_a_code_buy_another_or_a_denied_one(
    before: list[str], after: list[str]
) -> None:
    """Whatever is said around it: only this code, never with a question mark or a denial."""
    line = " ".join([*before, "A1", *after])
    bought = meant(line)
    assert bought is None or bought[0] == "A1"
    assert meant(line + "?") is None
    if set(before + after) & set(DENYING.split("|")):
        assert bought is None
