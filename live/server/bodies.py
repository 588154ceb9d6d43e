"""Request bodies as JSON: bounded before they are read whole, checked before anybody sees them."""

from typing import Any, Final, TypeVar

import msgspec
from starlette.requests import Request

from live.server.errors import (
    InvalidError,
    MalformedError,
    TooLargeError,
    UnsupportedMediaTypeError,
)

JSON_BODY_BYTES: Final = 64 * 1024
"""The largest JSON body; a larger one is refused with 413."""

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

    Raises `UnsupportedMediaTypeError`, `TooLargeError`, `MalformedError` (no JSON) or
    `InvalidError` (JSON of another shape, or text with NUL, which PostgreSQL does not keep).
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise UnsupportedMediaTypeError("Send application/json.")
    raw = await read_body(request, JSON_BODY_BYTES)
    try:
        value = msgspec.json.decode(raw, type=struct)
        if b"\\u0000" in raw:
            without_nul(msgspec.to_builtins(value))
    except msgspec.ValidationError as error:
        raise InvalidError(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedError(str(error)) from None
    return value


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
