"""What a buyer should not have said to everybody: telephone, account, card and resident
registration numbers and e-mail addresses, made unreadable before anybody sees them.

Every letter and digit of what is found becomes `*`; everything else stays as it was typed. A number
is found however its digits are written: full width, in circles, as keycaps, 공일공, o1o, with
separators or characters of no width between them. A number that only might be one (a price, a date,
a size, a barcode, an order or tracking number) stays. Idempotent: masking masked text changes
nothing.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

MASK: Final = "*"
DIGITS: Final = 9
"""Fewer digits than this in a whole text are no number to be masked."""

_SPOKEN_DIGITS: Final = str.maketrans("공영빵일이삼사오육륙칠팔구oOlI|", "000123456678900111")
_DASHES: Final = frozenset("‐‑‒–—―−ー－﹣ㅡ")
_UNSEEN: Final = frozenset({"Mn", "Me", "Cf"})

_GAP: Final = r"[ \-.·/()_~*,:|]{0,3}"
_JOIN: Final = r"[ \-.·_]{0,2}"


@dataclass(frozen=True, slots=True)
class _View:
    """A text as a reader hears it: `at[i]` is where in the text its character `i` stands."""

    text: str
    at: list[int]


def mask(text: str) -> str:
    """The text with what nobody else should read masked; of the same length."""
    while (masked := _mask_once(text)) != text:
        text = masked
    return text


def mask_cards(text: str) -> str:
    """The text with the digits of card numbers masked, and nothing else; of the same length."""
    if not _MAY_BE_CARD.search(text):
        return text
    plain = _plain(text)
    hidden = _found(_FIND_CARD, plain, plain)
    return "".join(MASK if i in hidden else c for i, c in enumerate(text)) if hidden else text


def _mask_once(text: str) -> str:
    hidden: set[int] = set()
    plain = _plain(text)
    spoken = _View(plain.text.translate(_SPOKEN_DIGITS), plain.at)
    for view, finders in ((plain, _FINDERS), (spoken, _SPOKEN_FINDERS)):
        if sum(map(str.isdigit, view.text)) < DIGITS:
            continue
        for find in finders:
            hidden.update(_found(find, view, plain))
    if _AT.search(plain.text):
        hidden.update(_found(_FIND_EMAIL, plain, plain))
    if not hidden:
        return text
    return "".join(MASK if i in hidden else c for i, c in enumerate(text))


def _found(find: Callable[[str], Iterator[tuple[int, int]]], view: _View, plain: _View) -> set[int]:
    spans = find(view.text)
    return {
        view.at[i] for start, end in spans for i in range(start, end) if plain.text[i].isalnum()
    }


def _plain(text: str) -> _View:
    chars: list[str] = []
    at: list[int] = []
    for index, char in enumerate(text):
        for folded in char if char.isascii() else _fold(char):
            chars.append(folded)
            at.append(index)
    return _View("".join(chars), at)


@lru_cache(maxsize=4096)
def _fold(char: str) -> str:
    if unicodedata.category(char) in _UNSEEN:
        return ""
    if char in _DASHES:
        return "-"
    digit = unicodedata.digit(char, None)
    return unicodedata.normalize("NFKC", char) if digit is None else str(digit)


def _digits(text: str) -> list[int]:
    return [int(char) for char in text if char.isdigit()]


def _matches(
    *patterns: str, check: Callable[[str], bool] = bool
) -> Callable[[str], Iterator[tuple[int, int]]]:
    compiled = [re.compile(pattern, re.IGNORECASE | re.ASCII) for pattern in patterns]

    def find(text: str) -> Iterator[tuple[int, int]]:
        for pattern in compiled:
            for found in pattern.finditer(text):
                if check(found["it"]):
                    yield found.span("it")

    return find


def _spread(count: str) -> str:
    return rf"(?:{_GAP}\d){{{count}}}"


_MOBILE: Final = (
    rf"(?<!\d)(?P<it>01[016789]{_GAP}\d{{3,4}}{_GAP}\d{{4}})(?!\d)",
    rf"(?<!\d)(?<!\d[-./,:])(?P<it>0{_GAP}1{_GAP}[016789]{_spread('7,8')})(?!\d)",
    rf"(?<!\d)(?P<it>\+?82{_GAP}0?{_GAP}1{_GAP}[016789]{_spread('7,8')})(?!\d)",
)
_LANDLINE: Final = (
    r"(?<!\d)(?<!\d[-./,:])(?P<it>\(?0(?:2|3[1-3]|4[1-4]|5[1-5]|6[1-4]|70|50\d)"
    r"(?:[)\-. ·]{1,3}\d{3,4}[\-. ·]{1,3}|\d{3,4}[\-. ·]?)\d{4})(?![\d,]|[-./]\d)",
)
_INTERNATIONAL: Final = (
    r"(?<![\d+])(?P<it>(?:\+|\b00(?=[1-9]))\d(?:[ \-.()]{0,2}\d){7,14})(?!\d|,\d)",
)

_MAY_BE_CARD: Final = re.compile(r"\d(?:\D{0,6}\d){12}")
"""Thirteen digits near each other: no card's number is shorter."""

_CARD_START: Final = r"(?:2[2-7]|3|4|5|6|9)"
_CARD: Final = (
    rf"(?<!\d)(?<!\d[-.])(?P<it>(?={_CARD_START})\d{{13,19}})(?!\d)",
    rf"(?<!\d)(?<!\d[-.])(?P<it>(?={_CARD_START})\d{{4}}(?:[ \-.·_/]{{1,3}}\d{{4}}){{3}}"
    r"(?:[ \-.·_/]{1,3}\d{1,3})?)(?!\d)",
    r"(?<!\d)(?P<it>3\d{3}[ \-.·_/]{1,3}\d{6}[ \-.·_/]{1,3}\d{4,5})(?!\d)",
    r"(?<!\d)(?P<it>[2-69](?:[ \-.·_/]{1,3}\d){12,18})(?!\d)",
)
_RESIDENT: Final = (r"(?<!\d)(?P<it>\d{6}[ \-~./·_]{1,3}[1-8]\d{6}|\d{13})(?!\d)",)

_BANK: Final = (
    "국민|신한|우리|하나|농협|기업|카카오|카뱅|토스|케이|새마을금고|우체국|수협|신협|부산|대구|광주|전북|제주|"
    "경남|씨티|산업|제일|아이엠|kb|nh|ibk|sc|imbank|woori|shinhan|kookmin|hana|kakao|toss"
)
_DATE: Final = r"(?!(?:19|20)\d\d[-./ ]?[01]\d[-./ ]?[0-3]\d(?!\d{2}))"
_ACCOUNT_NUMBER: Final = (
    rf"(?<!\d){_DATE}(?P<it>\d(?:{_JOIN}\d){{9,15}})(?!\d|,\d|:\d| ?(?:원|won|krw|개))"
)
_ACCOUNT: Final = (
    rf"(?:{_BANK})(?:\s?(?:은행|뱅크|bank))?[\s:)\]]{{0,3}}(?:계좌|account)?(?:\s?번호)?[\s:은는]{{0,4}}"
    + _ACCOUNT_NUMBER,
    r"(?:계좌|입금|송금|account|acct|a/c)\s?(?:번호|number|no\.?)?[\s:은는]{0,4}" + _ACCOUNT_NUMBER,
    rf"{_ACCOUNT_NUMBER}[\s(\[]{{0,3}}(?:(?:{_BANK})(?:은행|뱅크|\s?bank)|농협|카뱅|계좌|국민\b|신한\b)",
    r"(?<![\d-])(?P<it>1\d{2}-\d{3}-\d{6}|\d{6}-\d{2}-\d{6}|\d{3}-\d{2}-\d{4}-\d{3}|1002-\d{3}-\d{6}"
    r"|\d{3}-\d{6}-\d{5}|\d{3}-\d{4}-\d{4}-\d{2}|\d{3}-\d{6}-\d{2}-\d{3}|3333-\d{2}-\d{7}"
    r"|1000-\d{4}-\d{4}|9\d{3}-\d{4}-\d{4}-\d|\d{3}-\d{2}-\d{6})(?![\d-])",
)

_PROVIDERS: Final = (
    "naver|gmail|daum|hanmail|kakao|nate|outlook|hotmail|icloud|yahoo|네이버|지메일|다음|한메일"
)
_AT: Final = re.compile(r"@|[(\[]at[)\]]|골뱅이", re.IGNORECASE)
_EMAIL: Final = (
    r"(?P<it>[a-z0-9][a-z0-9._%+\-]{0,63} ?(?:@|\(at\)|\[at\]|골뱅이) ?"
    rf"(?:[a-z0-9\-]{{1,63}}(?: ?(?:\.|\(dot\)|\[dot\]|닷|쩜|점) ?(?:[a-z]{{2,24}}|컴|넷))+"
    rf"|(?:{_PROVIDERS})(?![a-z])(?: ?(?:\.|닷|쩜|점) ?(?:com|net|컴|넷))?))",
)


def _is_card(text: str) -> bool:
    digits = _digits(text)
    first = "".join(map(str, digits[:2]))
    starts = {13: ("4",), 14: ("30", "36", "38", "39"), 15: ("34", "37")}
    if not first.startswith(starts.get(len(digits), ("2", "3", "4", "5", "6", "9"))):
        return False
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return len(set(digits)) > 1 and (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _is_resident(text: str) -> bool:
    """A number of 주민등록법: a date of birth; run together also its check digit.

    Numbers given since October 2020 have no check digit, so a written dash is believed without.
    """
    digits = _digits(text)
    month, day = digits[2] * 10 + digits[3], digits[4] * 10 + digits[5]
    if not (1 <= month <= 12 and 1 <= day <= 31 and 1 <= digits[6] <= 8):
        return False
    if len(text) > len(digits):
        return True
    weighted = sum(
        d * w for d, w in zip(digits, (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5), strict=False)
    )
    return (11 - weighted % 11) % 10 == digits[12] and not _is_barcode(digits)


def _is_barcode(digits: list[int]) -> bool:
    korean = digits[:3] == [8, 8, 0]
    return korean and (sum(digits[0::2]) + 3 * sum(digits[1::2])) % 10 == 0


_FIND_CARD: Final = _matches(*_CARD, check=_is_card)
_FINDERS: Final = (
    _matches(*_RESIDENT, check=_is_resident),
    _FIND_CARD,
    _matches(*_MOBILE, *_LANDLINE, *_INTERNATIONAL),
    _matches(*_ACCOUNT),
)
_FIND_EMAIL: Final = _matches(*_EMAIL)
_SPOKEN_FINDERS: Final = (
    _matches(*_RESIDENT, check=_is_resident),
    _FIND_CARD,
    _matches(*_MOBILE),
)
