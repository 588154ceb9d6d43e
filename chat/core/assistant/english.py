"""How English viewers ask: the tables of reading.py."""

from typing import Final

from chat.core.assistant.facts import Intent
from chat.core.assistant.tongue import Tongue, any_of, words

_KNOWN: Final = words(
    # the wares, their stock and price
    "how many much left still available in stock sold out remaining remain more enough plenty",
    "quantity have has got get buy sell price prices priced pricing cost costs sale discount",
    "discounted won dollars sizes size colour colours options option kinds other come comes",
    "xs s m l xl xxl small medium large red yellow pink blue white black green purple grey gray",
    "beige navy which what what's each one ones",
    # delivery
    "shipping ship ships shipped delivery deliver delivered postage free fee fees charge charges",
    "pay extra included need spend minimum over certain amount until when will would long take",
    "takes days day arrive arrives here soon fast quick quickly time times receive eta expect",
    "usually order ordered today now send sent",
    # what goes with any question
    "are is it the a an any there do does did you this that these those on for of if i we am and",
    "my right your they them or about currently too to at be can could so all only just really",
    "please hi hello hey um sorry guys anyone from with by me us total altogether up also",
)
_SIZES: Final = "xs|s|m|l|xl|xxl|small|medium|large"
_COLOURS: Final = "red|yellow|pink|blue|white|black|green|purple|gr[ae]y|beige|navy"
_MINE: Final = r"\bmy (order|package|parcel|delivery|shipment|stuff)\b"
_SENDING: Final = "shipping|delivery|postage|ship|deliver"

_ORDER: Final = any_of(
    rf"\b(where|when|has|did|is|status|check|track)\b.*{_MINE}",
    rf"{_MINE}.*\b(status|where|shipped|when|has not|going on|coming|yet)\b",
    r"\border status\b|\btrack (my|an|the) order\b",
)
_FEE: Final = any_of(
    r"\bfree (shipping|delivery|postage)\b",
    rf"\b({_SENDING})\b.*\b(free|fees?|costs?|charges?|prices?|extra|included|how much)\b",
    rf"\b(how much|charge|cost|price|pay|fee)\b.*\b({_SENDING})\b",
)
_TIME: Final = any_of(
    r"\b(how (long|fast|quick|quickly|soon|many days)|when)\b.*\b(ship|ships|shipping|shipped"
    r"|delivery|deliver|delivered|arrives?|get here|come|here|receive|get (it|this)|sent?)\b",
    r"\b(shipping|delivery) (times?|days?)\b|\beta\b",
)
_STOCK: Final = any_of(
    r"\b(in|out of) stock\b|\bsold out\b|\bavailable\b|\bplenty\b|\bquantity\b|\bstock\W*$",
    r"\bhow many\b.*\b(left|remain(ing)?|have|got)\b",
    r"\b(any|more|are there|is there)\b.*\b(left|remaining)\b",
    r"\bstill (have|got|sell|get|buy|order)\b|\byou (have|got) (any|more|enough)\b",
)
_PRICE: Final = any_of(
    r"\bhow much (is|are|for|does|do|won|it|this|that|the|these|those|each)\b|\bhow much\W*$",
    r"\bpric(es?|ed|ing)\b|\bcosts?\b|\bon sale\b|\bdiscount(ed)?\b",
)
_OPTIONS: Final = any_of(
    r"\b(what|which|any|other|what's)\b.*\b(sizes?|colours?|options)\b|^(sizes|colours)\W*$",
    rf"\bin (a )?(size )?({_SIZES}|{_COLOURS})\b|\b(have|got|is there|come) (an? )?({_SIZES})\b",
)

ENGLISH: Final = Tongue(
    asks=any_of(
        r"\?",
        r"(^|[,.!] ?)((hi|hello|hey|so|and|um|ok|okay|sorry|guys|please|but|just)[ ,!]+)*"
        r"(how|what|what's|when|where|which|is|are|do|does|can|could|has|have|did|will|would|any"
        r"|got|you got|you have|prices?|sizes?|colours?)\b",
        r"\b(how (much|many|long|do)|where is|what's going on|(do|can) you|can i|(is|are) there)\b",
    ),
    silent=any_of(
        r"ㅋㅋ|\b(thanks|thank|lol|haha\w*|lmao|asking|asks|asked|don't|dont|know|wish|never|earn)\b",
        r"\b(isn't|won't|aren't|doesn't|wouldn't|amazon|ebay|walmart|temu|coupang)\b",
        r"\b(friend|friend's|somebody|someone|else's)\b|^please (?!how|what|when)\b",
        r"\b(other|another|different) (stores?|shops?|sellers?|sites?)\b",
    ),
    special=any_of(
        r"\b(restock\w*|payment|back in|coupons?|codes?|cancel\w*|return\w*|exchange|refund\w*)\b",
        r"\b(address|change|abroad|overseas|international\w*|jeju|express|overnight|same day)\b",
        r"\b(can i buy|if i buy (two|2|more)|buy two|tall|weekends?|bundle|show|stream|better)\b",
        r"\bshould\b|\b(shipping|delivery|ship|deliver)\b.*\bto\b(?! (pay|spend))",
    ),
    intents={
        Intent.ORDER: _ORDER,
        Intent.FEE: _FEE,
        Intent.TIME: _TIME,
        Intent.STOCK: _STOCK,
        Intent.PRICE: _PRICE,
        Intent.OPTIONS: _OPTIONS,
    },
    known=_KNOWN.__contains__,
)
