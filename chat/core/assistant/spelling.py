"""One spelling for what viewers type, so that patterns and titles need no other.

Text becomes NFC in lower case; marks and emoji fall away but ? and !; laughter is kept as ㅋㅋ.
Slang, clipped words and usual typos become the words they stand for. Titles and a store's own
questions go the same way. The cost is linear in the text's length.
"""

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

from chat.core.assistant.tongue import words


def plain(text: str) -> str:
    """The text in the one spelling."""
    text = unicodedata.normalize("NFC", text).lower().replace("’", "'")
    text = _MARKS.sub(" ", _LAUGHTER.sub(" ㅋㅋ ", text))
    text = _POLITE.sub("요", text)
    for said, meant in _KOREAN:
        text = said.sub(meant, text)
    text = _ENGLISH_WORDS.sub(lambda found: _english(found[0]), _T_SHIRT.sub("t-shirt", text))
    return " ".join(text.split())


def _english(word: str) -> str:
    if word in _ENGLISH:
        return _ENGLISH[word]
    if len(word) < _MISTYPED_FROM or len(word) > _MISTYPED_TO or word in _OFTEN_TYPED:
        return _LENGTHENED.sub(r"\1", word) if len(word) <= _MISTYPED_TO else word
    meant = {right for form in _without_one(word) for right in _NEAR.get(form, ())}
    return meant.pop() if len(meant) == 1 else _LENGTHENED.sub(r"\1", word)


def _without_one(word: str) -> set[str]:
    """The word, and the word with one of its letters but the first left out."""
    return {word} | {word[:at] + word[at + 1 :] for at in range(1, len(word))}


def _near(words: Iterable[str]) -> dict[str, set[str]]:
    """Two words share a form where a letter is missing, added, changed or swapped."""
    found: dict[str, set[str]] = {}
    for word in words:
        for form in _without_one(word):
            found.setdefault(form, set()).add(word)
    return found


_LAUGHTER: Final = re.compile("[ㅋ😂🤣😆🙄]+")
_MARKS: Final = re.compile(r"[^\w?!.,'\s-]|[ㄱ-ㅊㅌ-ㅣ_]")
_POLITE: Final = re.compile(
    "(?<=[나까가어아에예돼되해워와려개은는세했죠좀])(?:[여욤용염욥유욧효]|요용|욘)(?![가-힣])"
)
_LENGTHENED: Final = re.compile(r"([a-z])\1{2,}")
_T_SHIRT: Final = re.compile(r"\bt shirt")
_ENGLISH_WORDS: Final = re.compile(r"[a-z]+(?:'[a-z]+)?")

_KOREAN: Final = tuple(
    (re.compile(said), meant)
    for said, meant in (
        ("안녕하(세요|십니까)|안뇽|안냥|반갑습니다|수고(하세요|하십니다|많으십니다|많으세요)", " "),
        ("져(?![가-힣])", "죠"),
        ("몇일", "며칠"),
        ("얼만(?=가|데|지|감|[?]|$)", "얼마인"),
        ("어케|어캐|어떠케|어뜨케|어떡해", "어떻게"),
        ("(?<![가-힣])(머|모)(?= ?(있|예|에))", "뭐"),
        ("뭐뭐", "뭐"),
        ("됬", "됐"),
        ("되여|되요", "돼요"),
        ("무배(?!송)", "무료배송"),
        ("택포", "배송비 포함"),
        ("택비", "택배비"),
        ("현영", "현금영수증"),
        ("(?<![가-힣])(내|제|니) ?(꺼|껀|것|거)(?!나|기)", r"\1 거"),
        ("(싸이즈|사쥬|사이쥬)", "사이즈"),
        ("칼라(?!티)", "컬러"),
        ("갯수", "개수"),
        ("메세지", "메시지"),
        ("핸크|핸드 크림", "핸드크림"),
        ("캔들", "향초"),
        ("꽃병", "화병"),
        ("(?<![파시커뷰])티(?=[는가도만]?( |얼|사|몇|[?]|$))", "티셔츠"),
        (r"\bshipping fee\b(?= ?[가-힣])", "배송비"),
        (r"\bprice\b(?= ?[가-힣])", "가격"),
        (r"\bstock\b(?= ?[가-힣])", "재고"),
        (r"\bsize\b(?= ?[가-힣])", "사이즈"),
        (r"\bcolou?r\b(?= ?[가-힣])", "색상"),
    )
)
"""Said, and what is meant by it; the longer before the shorter."""

_ENGLISH: Final = {
    **dict.fromkeys(("u", "ya", "yall", "yous"), "you"),
    **dict.fromkeys(("ur", "yr"), "your"),
    **dict.fromkeys(("hw", "hoow", "hou", "ho"), "how"),
    **dict.fromkeys(("wat", "wut", "wht", "whta", "waht"), "what"),
    **dict.fromkeys(("whats", "wats", "what're"), "what's"),
    **dict.fromkeys(("wen", "whn"), "when"),
    **dict.fromkeys(("wheres", "wers", "where's"), "where"),
    **dict.fromkeys(("hows", "how's"), "how"),
    **dict.fromkeys(("mch", "mutch", "muc", "muhc"), "much"),
    **dict.fromkeys(("mny", "meny"), "many"),
    **dict.fromkeys(("its", "it's"), "it is"),
    **dict.fromkeys(("im", "i'm"), "i am"),
    **dict.fromkeys(("ive", "i've"), "i have"),
    **dict.fromkeys(("theres", "there's"), "there is"),
    **dict.fromkeys(("hasnt", "hasn't"), "has not"),
    **dict.fromkeys(("havent", "haven't"), "have not"),
    **dict.fromkeys(("pls", "plz", "plss", "pleasee"), "please"),
    **dict.fromkeys(("thx", "ty", "tysm"), "thanks"),
    **dict.fromkeys(("tshirt", "tee"), "t-shirt"),
    **dict.fromkeys(("tshirts", "tees"), "t-shirts"),
    **dict.fromkeys(("avail", "avaliable", "availble", "avalable"), "available"),
    **dict.fromkeys(("color", "colour"), "colour"),
    **dict.fromkeys(("colors", "colours"), "colours"),
    "r": "are",
    "y": "why",
    "n": "and",
    "c": "see",
    "b4": "before",
    "qty": "quantity",
    "pkg": "package",
    "gonna": "going to",
    "wanna": "want to",
    "gotta": "got to",
    "rn": "right now",
    "tmrw": "tomorrow",
    "restocking": "restock",
}

_MISTYPED_FROM: Final = 5
_MISTYPED_TO: Final = 16
_OFTEN_TYPED: Final = words(
    "available shipping shipped delivery deliver price prices stock order ordered package parcel",
    "arrive arrives arrived colours sizes return returns refund exchange payment discount",
    "remaining quantity options overseas international internationally sensitive message",
)
_NEAR: Final = _near(_OFTEN_TYPED)
