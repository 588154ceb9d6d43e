"""What viewers type is brought to one spelling."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.core.assistant.spelling import plain


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("이거 얼만가요ㅠㅠ", "이거 얼마인가요"),
        ("재고 있나여?? 🙏", "재고 있나요??"),
        ("얼마예용", "얼마예요"),
        ("무배 되나욤", "무료배송 되나요"),
        ("안녕하세요 몇일 걸려요?", "며칠 걸려요?"),
        ("제꺼 어케 됬나요", "제 거 어떻게 됐나요"),
        ("플로럴티 있어요", "플로럴티셔츠 있어요"),
        ("How much r u selling these 4?", "how much are you selling these 4?"),
        ("what’s the tshirt price pls", "what's the t-shirt price please"),
        ("is it avaliable, shiping free?", "is it available, shipping free?"),
        ("what colors r there 😂", "what colours are there ㅋㅋ"),
    ],
)
def test_slang_and_typos_are_what_they_stand_for(said: str, meant: str) -> None:
    assert plain(said) == meant


@pytest.mark.parametrize(
    "line", ["비용 내용 사용 이유", "파티 화면 택배", "sold out storage border"]
)
def test_words_that_look_like_slang_stay(line: str) -> None:
    assert plain(line) == line


@given(st.text(max_size=200))
def test_any_text_is_spelt_in_bounded_length(line: str) -> None:
    assert len(plain(line)) <= 8 * len(line) + 8
