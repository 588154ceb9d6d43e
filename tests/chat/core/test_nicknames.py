"""Names people give themselves: who looks like whom, and what nobody may be called."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.core.nicknames import fault, guest_name, looks, shown
from chat.core.words import WordList

UNWANTED = WordList.of(["rotten*", "시발"])


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("Sora", "sora"),
        ("Sora", "Ｓｏｒａ"),
        ("Sora", "S o r a"),
        ("Sora", "Sоrа"),
        ("Sora", "S0ra"),
        ("Sora", "S\u200bora"),
        ("Sora", "Śórá"),
        ("Lily", "1i1y"),
        ("Lily", "IiIy"),
        ("꽃집", "ㄲㅗㅊ집"),
        ("꽃집", "꽃.집"),
        ("꽃집", "꽃 집"),
    ],
)
def test_names_that_look_alike_are_one(name: str, other: str) -> None:
    assert looks(name) == looks(other)
    assert shown("a1", other, [name, "x"]) == guest_name("a1")


@pytest.mark.parametrize(("name", "other"), [("Sora", "Sara"), ("꽃집", "꽃길"), ("민아", "민하")])
def test_names_that_differ_stay(name: str, other: str) -> None:
    assert shown("a1", other, [name]) == other


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("\u3164", "blank"),
        ("...", "blank"),
        ("r.o.t.t.e.n", "banned_word"),
        ("시1발", "banned_word"),
        ("shop.example.com", "link"),
        ("010-1234-5678", "number"),
        ("Se11er", "reserved"),
        ("Аdmin", "reserved"),
        ("판매 자", "reserved"),
        ("KKOT", "reserved"),
    ],
)
def test_what_nobody_may_be_called(name: str, why: str) -> None:
    assert fault(name, UNWANTED) == why


@pytest.mark.parametrize(
    "name", ["봄", "Ann", "꽃사랑", "best seller fan", "민수 2", "Ольга", "花子"]
)
def test_what_everybody_may_be_called(name: str) -> None:
    assert fault(name, UNWANTED) is None


@given(st.text(max_size=60))
def test_any_text_is_judged(name: str) -> None:
    fault(name, UNWANTED)
    assert shown("a1", name, [name]) == guest_name("a1")


def test_a_guest_is_called_the_same_each_time() -> None:
    assert guest_name("a1") == guest_name("a1") != guest_name("a2")
    assert fault(guest_name("a1"), UNWANTED) is None
