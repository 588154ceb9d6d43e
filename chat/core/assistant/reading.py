"""Reading a line of the chat: whether it asks something, and what.

Most lines ask nothing. A line is read as a question only by its form; wishes, quotations, jokes
and questions about somebody else's shop are read as none. Patterns are tried on NFC text in lower
case, of bounded length, and none of them can backtrack far.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from chat.core.assistant.facts import Intent

QUESTION_CODE_POINTS: Final = 120
"""Longer lines are stories; they are left to people."""
WORD_CODE_POINTS: Final = 12
"""No longer word is known; this also bounds what trying to know it costs."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A question. `intent`: what of the shop it asks about, None where it may be the FAQ's."""

    text: str
    korean: bool
    intent: Intent | None


def read(line: str) -> Reading | None:
    """The question in a line; None where it asks nothing, or nothing we should answer."""
    if len(line) > QUESTION_CODE_POINTS:
        return None
    text = " ".join(unicodedata.normalize("NFC", line).lower().replace("’", "'").split())
    korean = _HANGUL.search(text) is not None
    tongue = _KOREAN if korean else _ENGLISH
    if not tongue.asks.search(text) or tongue.silent.search(text):
        return None
    return Reading(text, korean, _intent(tongue, text))


def strange_letters(text: str, *, korean: bool) -> int:
    """How many letters there are in words that ask for more than a shop's facts."""
    known = (_KOREAN if korean else _ENGLISH).known
    return sum(
        len(word)
        for word in _WORD.findall(text)
        if len(word) > WORD_CODE_POINTS or known.fullmatch(word) is None
    )


@dataclass(frozen=True, slots=True)
class _Tongue:
    asks: re.Pattern[str]
    silent: re.Pattern[str]
    special: re.Pattern[str]
    """Asks for more than the shop's facts tell: for the FAQ alone."""
    intents: tuple[tuple[Intent, re.Pattern[str]], ...]
    known: re.Pattern[str]


def _intent(tongue: _Tongue, text: str) -> Intent | None:
    if tongue.special.search(text):
        return None
    found = [intent for intent, pattern in tongue.intents if pattern.search(text)]
    if Intent.ORDER in found:
        return Intent.ORDER
    if Intent.FEE in found and Intent.PRICE in found:
        found.remove(Intent.PRICE)
    return found[0] if len(found) == 1 else None


_HANGUL: Final = re.compile("[가-힣]")
_WORD: Final = re.compile(r"[\w'-]+")


def _korean_words(stems: str, endings: str) -> re.Pattern[str]:
    """Words made of these stems and endings; endings alone are what is left behind a name."""
    stem, ending = ("|".join(words.split()) for words in (stems, endings))
    return re.compile(f"(?:{stem}){{0,3}}(?:{ending}){{0,4}}")


_KOREAN: Final = _Tongue(
    asks=re.compile(
        r"[?？]|(나요|까요|가요|은가|는가|죠|습니까|ㅂ니까)[~!. ]*$"
        r"|(얼마|언제|어디|몇|뭐|무슨|어떤|어떻게|며칠).{0,20}(요|까|나|지)[~!. ]*$"
        r"|(얼마|언제|어디|뭐)[~!. ]*$|알려 ?(주세요|줘요|줘)"
    ),
    silent=re.compile(
        r"(?<!알려)(?<!알려 )(주세요|줘요?\b)|하세요|보내세요|지 ?마"
        r"|ㅋㅋ|ㅎㅎ|[가-힣]냐고|[가-힣]다고|인지|건 아니"
        r"|안 물|쿠팡|네이버|옥션|지마켓|11번가|아마존|알리|테무"
        r"|다른 (쇼핑몰|가게|데|곳|사이트|스토어|사람|분)|딴 ?데"
        r"|친구|남의|남편|언니|오빠|엄마|감사|고마|지 않|얼마나 (기다|예쁜|좋|사)|살이에"
    ),
    special=re.compile(
        r"재입고|다시 (들어|입고)|취소|환불|교환|유통기한|쿠폰|퀵"
        r"|당일|해외|외국|미국|일본|중국|제주|도서|산간|섬"
        r"|[개병장]까지|사면|센티|길이|무게|크기|원산지|중에|방송"
        r"|새벽|주말|공휴일|묶음|합배송|[이가] ?아니"
    ),
    intents=(
        (
            Intent.ORDER,
            re.compile(
                r"(내|제|나의|저의|제가|내가|저번에|지난번에|어제|아까|그제)\b.{0,12}"
                r"(주문|택배|산 거|산거|배송).{0,20}(어디|언제|상태|출발|시작|왔|확인|조회|도착)"
                r"|주문한 ?(거|것|게|상품|물건).{0,10}(어디|언제|출발|시작|도착)"
            ),
        ),
        (
            Intent.FEE,
            re.compile(
                r"(배송|택배|배달) ?(비|료|요금).{0,12}(얼마|있|무료|따로|어떻게|공짜|들|내|\?)"
                r"|무료 ?배송|배송.{0,3}(무료|공짜)"
            ),
        ),
        (
            Intent.TIME,
            re.compile(
                r"(배송|택배|배달)(?! ?[비료]).{0,8}(언제|며칠|몇 ?일|얼마나|기간|오래)"
                r"|언제.{0,6}(배송|도착|발송|출고)|주문하면.{0,8}(언제|며칠|몇 ?일)"
                r"|언제 ?(와|오나|받)"
            ),
        ),
        (
            Intent.STOCK,
            re.compile(
                r"재고|품절|매진|수량|남았|남아|남은|다 ?팔|아직 ?(있|살|구매)"
                r"|몇 ?[가-힣]{1,2} ?(있|남)"
            ),
        ),
        (
            Intent.PRICE,
            re.compile(
                r"얼마(예|에|인|죠|요|\?|[~!. ]*$)|가격.{0,8}(얼마|어떻|뭐|알려|궁금|\?)|할인|세일"
            ),
        ),
        (
            Intent.OPTIONS,
            re.compile(
                r"(사이즈|색상|색깔|컬러|옵션|색).{0,10}(뭐|무슨|어떤|어떻|종류|있|알려|몇)"
                r"|(무슨|어떤) ?(사이즈|색|컬러|옵션)"
                r"|\b(xs|s|m|l|xl|xxl)(도|는|은)? ?(사이즈)?(도|는|은)? ?있"
            ),
        ),
    ),
    known=_korean_words(
        "재고 품절 매진 수량 남 팔렸 팔리 아직 살 구매 구입 있 없 몇 개 장 병 다발 송이 벌 얼마"
        " 가격 할인가 할인 세일 지금 현재 이거 이것 그거 요거 저거 상품 제품 사이즈 색상 색깔"
        " 컬러 옵션 종류 색 무슨 어떤 어떻 어때 뭐 알려 주실 주세 궁금 어느 정도 혹시 저기 배송"
        " 택배 언제 도착 며칠 일 기간 걸리 걸려 걸릴 무료 공짜 주문 오늘 받을 따로 내 수 거 것 게"
        " 건 좀 더 다 총 그럼 근데 이 옷 꽃 한 두 하나 xl xxl xs s m l",
        "나요 까요 가요 예요 에요 이에요 인가요 인가 되나요 되나 되요 돼요 되는 되 됐 했 하나요"
        " 하나 해요 하면 한가요 건가요 은 는 이 가 도 을 를 에 로 으로 만 씩 부터 이나 나 아 았"
        " 았나 어 었 게 은가요 요 죠 지 쯤 비 비용 료 중 중인 와요 오나요 있 야 해 하세"
        " 으면 면 들 뭐",
    ),
)

_ENGLISH: Final = _Tongue(
    asks=re.compile(
        r"\?"
        r"|^(hi |hello |hey |so |and |um )?(how|what|what's|whats|when|where|where's|wheres|which"
        r"|is|are|do|does|can|could|has|have|did|will|any)\b"
    ),
    silent=re.compile(
        r"\b(please|thanks|thank|lol|haha\w*|lmao|asking|asks"
        r"|asked|don't|dont|know|amazon|ebay|walmart"
        r"|temu|coupang|friend|friend's|somebody|someone|else's|wish|never|earn|isn't|won't|aren't"
        r"|doesn't|wouldn't|(other|another|different) (stores?|shops?|sellers?|sites?))\b"
    ),
    special=re.compile(
        r"\b(restock\w*|back in|coupons?|cancel\w*|return\w*"
        r"|refund\w*|abroad|overseas|international\w*|jeju"
        r"|can i buy|if i buy|buy two|tall|express|overnight"
        r"|same day|weekends?|bundle|show|stream|better)\b"
        r"|\b(shipping|delivery|ship|deliver)\b.*\bto\b"
    ),
    intents=(
        (
            Intent.ORDER,
            re.compile(
                r"\b(where|where's|wheres|when|has|did|status|check"
                r"|track)\b.*\bmy (order|package|parcel)\b"
                r"|\bmy (order|package|parcel)\b.*\b(status|where)\b"
            ),
        ),
        (
            Intent.FEE,
            re.compile(
                r"\bfree (shipping|delivery)\b"
                r"|\b(shipping|delivery)\b.*\b(free|fees?|costs?|charges?|price)\b"
                r"|\b(how much|charge|cost|price)\b.*\b(shipping|delivery)\b"
            ),
        ),
        (
            Intent.TIME,
            re.compile(
                r"\b(how long|how fast|how many days|when|how soon)\b.*"
                r"\b(ship|ships|shipping|delivery|delivered|arrives?)\b"
                r"|\b(shipping|delivery) times?\b"
            ),
        ),
        (
            Intent.STOCK,
            re.compile(
                r"\b(in|out of) stock\b|\bsold out\b|\bstill available\b|\bhow many\b.*\bleft\b"
                r"|\bany\b.*\bleft\b|\bare there\b.*\bleft\b"
            ),
        ),
        (
            Intent.PRICE,
            re.compile(
                r"\bhow much (is|are|for|does|do)\b|\bhow much\W*$"
                r"|\bprices?\b|\bwhat (does|do)\b.*\bcost\b"
                r"|\bon sale\b|\bdiscount(ed)?\b"
            ),
        ),
        (
            Intent.OPTIONS,
            re.compile(
                r"\b(what|which|any|other)\b.*\b(sizes?|colou?rs?|options)\b"
                r"|\bin (xs|s|m|l|xl|xxl)\b"
            ),
        ),
    ),
    known=re.compile(
        r"how|many|much|are|is|it|the|a|an|any|there|left|still|available|in|stock|sold|out|do|does|you"
        r"|have|has|this|that|one|these|those|what|what's|whats|which|prices?|costs?|on|sale|for|of"
        r"|discount|sizes?|colou?rs?|options|other|come|comes|xs|s|m|l|xl|xxl|i|if|order|today|now|hi"
        r"|hello|hey|so|and|my|right|your|they|or|about|currently|get|got|shipping|delivery|free|fees?"
        r"|charge|when|will|long|take|ship|days|arrives?|fast|soon|until|time|over|certain|amount|too"
    ),
)
