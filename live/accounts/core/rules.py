"""What an email, a name and a password may look like.

Each rule gives the form that is kept, or None when the text breaks it. A password is measured and
hashed in NFKC (NIST SP 800-63B §3.1.1.2), so that one keyboard's composed letters are another's.
"""

import re
import unicodedata
from typing import Final

EMAIL_CHARACTERS: Final = 254
LOCAL_PART_CHARACTERS: Final = 64
NAME_CHARACTERS: Final = 40
PASSWORD_LEAST_CHARACTERS: Final = 10
PASSWORD_MOST_CHARACTERS: Final = 200
LOCALES: Final = frozenset({"ko", "en"})

EMAIL: Final = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)*")
ZERO_WIDTH_JOINER: Final = "\u200d"
"""The one format character a name may have: it holds emoji together."""


def email(text: str) -> str | None:
    """The address in the form accounts are found by: NFKC, lower case, no space around it."""
    address = unicodedata.normalize("NFKC", text).strip().lower()
    local, _, _ = address.partition("@")
    if len(address) > EMAIL_CHARACTERS or len(local) > LOCAL_PART_CHARACTERS:
        return None
    return address if EMAIL.fullmatch(address) and _visible(address) else None


def name(text: str) -> str | None:
    """The name others see: NFC, runs of white space as one space, nothing invisible."""
    shown = " ".join(unicodedata.normalize("NFC", text).split())
    if not 1 <= len(shown) <= NAME_CHARACTERS:
        return None
    return shown if _visible(shown.replace(ZERO_WIDTH_JOINER, "")) else None


def password(text: str) -> str | None:
    """The password as it is hashed."""
    normal = unicodedata.normalize("NFKC", text)
    if not PASSWORD_LEAST_CHARACTERS <= len(normal) <= PASSWORD_MOST_CHARACTERS:
        return None
    return normal


def locale(text: str | None) -> str:
    """The language to write to this person in; Korean unless they chose."""
    return text if text in LOCALES else "ko"


def _visible(text: str) -> bool:
    """No control, format, surrogate or private character (Unicode category C)."""
    return bool(text) and not any(unicodedata.category(letter)[0] == "C" for letter in text)
