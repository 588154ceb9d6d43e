"""Request bodies as JSON: bounded before they are read whole, checked before anybody sees them."""

from typing import Any, Final, TypeVar

import msgspec
from starlette.requests import Request

from chat.core.masks import mask_cards
from live.server.errors import (
    CardNumberError,
    InvalidError,
    MalformedError,
    TooLargeError,
    UnsupportedMediaTypeError,
)

JSON_BODY_BYTES: Final = 64 * 1024
"""The largest JSON body; a larger one is refused with 413."""

_NO_DIGITS: Final = bytes(set(range(256)) - set(b"0123456789"))
CARD_DIGITS: Final = 13
"""No payment card's number is shorter."""

T = TypeVar("T")


async def read_body(request: Request, limit_bytes: int) -> bytes:
    """The whole body. Raises `TooLargeError` as soon as it is known to exceed the limit."""
    declared = request.headers.get("content-length", "0")
    if not declared.isdecimal() or int(declared) > limit_bytes:
        raise TooLargeError("The body is too large.", limit_bytes=limit_bytes)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit_bytes:
            raise TooLargeError("The body is too large.", limit_bytes=limit_bytes)
    return bytes(body)


async def json_body(request: Request, struct: type[T]) -> T:
    """The body as a struct.

    Raises `UnsupportedMediaTypeError`, `TooLargeError`, `MalformedError` (no JSON), `InvalidError`
    (JSON of another shape, or text with NUL, which PostgreSQL does not keep) or `CardNumberError`.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise UnsupportedMediaTypeError("Send application/json.")
    raw = await read_body(request, JSON_BODY_BYTES)
    try:
        value = msgspec.json.decode(raw, type=struct)
        if b"\\u0000" in raw:
            without_nul(msgspec.to_builtins(value))
        if _may_hold_card(raw):
            without_cards(msgspec.to_builtins(value))
    except msgspec.ValidationError as error:
        raise InvalidError(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedError(str(error)) from None
    return value


def _may_hold_card(raw: bytes) -> bool:
    """Whether it is worth looking at the texts one by one; costs next to nothing."""
    if len(raw.translate(None, _NO_DIGITS)) >= CARD_DIGITS:
        return True
    return not raw.isascii() or b"\\u" in raw


def without_cards(value: Any) -> None:
    """Check that no text inside has the number of a payment card. Raises `CardNumberError`."""
    if isinstance(value, str) and mask_cards(value) != value:
        raise CardNumberError("Card numbers belong on the payment provider's page.")
    if isinstance(value, dict):
        for item in value.values():
            without_cards(item)
    elif isinstance(value, list | tuple):
        for item in value:
            without_cards(item)


def without_nul(value: Any) -> None:
    """Check that no text inside has a NUL character. Raises `InvalidError`."""
    if isinstance(value, str) and "\x00" in value:
        raise InvalidError("Text cannot have NUL characters.")
    if isinstance(value, dict):
        for key, item in value.items():
            without_nul(key)
            without_nul(item)
    elif isinstance(value, list | tuple):
        for item in value:
            without_nul(item)
