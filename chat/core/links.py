"""Links in what is said, also those written so that a filter would not see them.

A link is a URL, or a domain on its own whose ending is a top-level domain that is no common word;
where it is one (t.me), a path must follow. Schemes spoilt on purpose (hxxp), dots that are spelled
(dot, 점, 닷), full-width letters and characters of no width do not hide one. An e-mail address is
no link; `chat.core.masks` masks it first.
"""

import re
import unicodedata
from functools import lru_cache
from typing import Final

_UNSEEN: Final = frozenset({"Mn", "Me", "Cf"})
_DOTS: Final = frozenset("。．｡․﹒")
_ENDINGS: Final = (
    "com|net|org|info|biz|kr|jp|cn|tw|hk|vn|ru|de|uk|eu|io|ai|gg|tv|ly|cc|gl|gd|xyz|shop|store|link|"
    "site|online|club|app|dev|vip|bet|tk|ml|cf|lol|icu|page|cloud|한국|닷컴|닷넷"
)
_WORDS_TOO: Final = (
    "me|do|to|so|in|is|it|at|be|us|co|my|id|no|am|pm|sh|st|la|top|live|life|fun|one|pro|art|space"
)
_LABEL: Final = r"[a-z0-9가-힣](?:[a-z0-9가-힣\-]{0,62})"
_SPELLED: Final = (
    r"(?: ?[(\[{]\s?(?:\.|dot|점|닷|쩜)\s?[)\]}] ?"
    r"| dot | 점 | 쩜 | 닷 |(?<=[가-힣])(?:점|쩜|닷)| \. ?)"
)
_NO_MORE: Final = r"(?![a-z0-9\-@])"

_LINK: Final = re.compile(
    r"h ?[tx] ?[tx] ?p ?s? ?[:;] ?/ ?/"
    r"|(?<![a-z0-9])www ?\. ?[a-z0-9가-힣]"
    rf"|(?<![a-z0-9@\-])(?:{_LABEL}\.){{1,4}}(?:{_ENDINGS}){_NO_MORE}"
    rf"|(?<![a-z0-9@\-])(?:[a-z0-9\-]{{1,63}}\.){{1,4}}(?:{_WORDS_TOO})(?::\d{{2,5}})?/[a-z0-9@+]"
    rf"|(?<![a-z0-9@\-]){_LABEL}{_SPELLED}"
    rf"(?:com|net|org|kr|co ?{_SPELLED} ?kr|io|ly|컴)(?![a-z0-9가-힣])"
    r"|(?<![a-z0-9])[a-z0-9가-힣]{2,63} ?닷 ?(?:컴|넷|com|net)(?![a-z0-9])"
    r"|(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?::\d{2,5}|/[a-z0-9])"
)


def find_link(text: str) -> str | None:
    """The first link in a text, as a reader would copy it; None when there is none."""
    found = _LINK.search("".join(map(_fold, text)))
    return None if found is None else found.group()


@lru_cache(maxsize=4096)
def _fold(char: str) -> str:
    if unicodedata.category(char) in _UNSEEN:
        return ""
    if char in _DOTS:
        return "."
    return unicodedata.normalize("NFKC", char).casefold()
