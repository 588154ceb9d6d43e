"""Words that mean the same to a shop, brought to one of them before questions are compared.

Only for likeness: what is answered is always what the seller wrote.
"""

import re
from typing import Final

_SAME: Final = tuple(
    (re.compile(said), meant)
    for said, meant in (
        # Korean
        ("반품|교환|환불|환급", "환불"),
        ("묶음 ?(배송)?|묶배|합배(?!송)|합포장|묶어서|합쳐서", "합배송"),
        ("(같이|한 ?번에) ?(?=배송|보내|받|오|와)", "합배송"),
        ("합배송 ?배송", "합배송"),
        ("(손)?편지|엽서|쪽지|메모|문구", "메시지"),
        ("(축하|생일|감사|기념일) ?카드|카드(?=.{0,3}(써|쓸|적|넣|문구|동봉|추가|같이))", "메시지"),
        ("(메시지 ?)+(카드)?", "메시지카드"),
        ("시들|시드|싱싱|수명", "오래가"),
        ("(며칠|얼마나|오래) ?(이나|정도|동안)? ?(가|살아|유지|버티)(?!격)", "오래가"),
        ("(오래가.{0,9})?오래가", "오래가"),
        ("생화|꽃다발", "꽃"),
        ("(갈아|교체) ?(줘|주|해)?(야|면)?", "갈아"),
        ("매일|날마다|며칠에 ?한 ?번|몇 ?번|자주", "자주"),
        ("오프(라인)? ?(매장|샵|가게)?|매장|쇼룸|방문|가게|직접 ?(가서|보러|구경)", "매장"),
        ("(물)?(세탁|빨래)(기)?(에)? ?(돌려|돌리|사용)?|빨아|빨면", "세탁"),
        ("(냄새|향기|향(?!초|수))[이은는도가]?", "향 "),
        ("강해|강하|강한|강할|진하|진한|진해|센가|쎄|독하|독한", "강한"),
        ("(현금 ?)?영수증 ?(처리|발행|발급|신청|끊어)?", "현금영수증"),
        ("선물(용으로|용|할 ?건데|할 ?거|하려|하는|할|인데)", "선물"),
        ("포장지|래핑|박스 ?포장", "포장"),
        ("도서 ?산간 ?(지역)?|섬 ?지역|울릉도|제주도|섬(?=[에도으])", "제주"),
        ("택배|배달", "배송"),
        ("넣|동봉|써 ?(?=주|줄)|적어|첨부|끼워|보낼", "넣"),
        ("소비기한|유효기간", "유통기한"),
        # English
        (
            r"\b(overseas|international\w*|worldwide|globally|(other|another|foreign) countr\w+)\b",
            "abroad",
        ),
        (r"\b(returns|returned|returning|refund\w*|exchang\w+|money back)\b", "return"),
        (r"\bsend (it |them |this )?back\b", "return"),
        (r"\b(deliver\w*|shipp?\w*|send|sent)\b", "ship"),
        (r"\b(presents?|gifts|gifting)\b", "gift"),
        (r"\b(wrapped|wrapping|wraps|packag\w+)\b", "wrap"),
        (r"\b(notes?|letters?|greetings?|messages)\b", "message"),
        (r"\b(include|put|attach|insert|write|enclose)\b", "add"),
        (
            r"\b(paypal|(credit|debit|bank) cards?|visa|mastercard|pay|paying|payments"
            r"|(apple|google|kakao|naver|samsung) ?pay)\b",
            "payment",
        ),
        (r"\b(methods|options|ways?|types?|kinds?)\b", "method"),
        (r"\b(take|takes|accepted|accepts|support)\b", "accept"),
        (r"\b(lit|burns|burning|burned)\b", "burn"),
        (r"\bhow many (hours|hrs)\b", "how long"),
        (r"\b(ok|okay|good|suitable|gentle|fine|alright|usable)\b", "safe"),
        (r"\b(allerg\w+|irritat\w+)\b", "sensitive"),
        (r"\b(washed|washable|washing|laundry)\b", "wash"),
    )
)


def alike(text: str) -> str:
    """The plain text with one word for each of these meanings."""
    for said, meant in _SAME:
        text = said.sub(meant, text)
    return text
