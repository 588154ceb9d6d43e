"""Signed messages: the header `t=<unix seconds>,v1=<HMAC-SHA256 of "t.body" in hex>`.

Stripe's scheme (https://docs.stripe.com/webhooks#verify-manually), which the sandbox uses too.
"""

import hashlib
import hmac
from typing import Final

FRESH_S: Final = 300
"""A message older, or newer, than this is refused."""

SIGNATURES_LIMIT: Final = 8
"""Signatures looked at in one header; while a secret is replaced there are two."""


def sign(secret: bytes, body: bytes, now_s: float) -> str:
    """The header's value for a message."""
    at = int(now_s)
    return f"t={at},v1={_mac(secret, at, body)}"


def is_signed(secret: bytes, header: str, body: bytes, now_s: float) -> bool:
    """Whether the header signs this body, now."""
    parts = [part.partition("=")[::2] for part in header.split(",", SIGNATURES_LIMIT)]
    stamp = next((value for name, value in parts if name.strip() == "t"), "")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
        return False
    if abs(now_s - int(stamp)) > FRESH_S:
        return False
    due = _mac(secret, int(stamp), body).encode()
    said = [value.encode() for name, value in parts if name.strip() == "v1"]
    return any([hmac.compare_digest(one, due) for one in said])  # noqa: C419 - all, for the time


def _mac(secret: bytes, at: int, body: bytes) -> str:
    return hmac.new(secret, b"%d." % at + body, hashlib.sha256).hexdigest()
