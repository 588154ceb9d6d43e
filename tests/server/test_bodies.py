"""Bodies: a payment card's number is taken nowhere, whatever text it hides in."""

from typing import Any

import msgspec
import pytest
from starlette.requests import Request
from starlette.types import Message

from live.server.bodies import json_body
from live.server.errors import CardNumberError


class Parcel(msgspec.Struct, frozen=True):
    """A body with texts in it."""

    label: str = ""
    lines: list[dict[str, str]] = []
    at_ms: int = 0


def asking(raw: bytes) -> Request:
    """A request with this body."""

    async def receive() -> Message:
        return {"type": "http.request", "body": raw, "more_body": False}

    headers = [(b"content-type", b"application/json")]
    return Request({"type": "http", "method": "POST", "headers": headers}, receive)


@pytest.mark.parametrize(
    "said",
    [
        {"label": "4242424242424242"},
        {"label": "내 카드는 4242-4242-4242-4242"},
        {"label": "3782 822463 10005"},
        {"label": "４２４２４２４２４２４２４２４２"},
        {"lines": [{"memo": "5555 5555 5555 4444"}]},
    ],
)
async def test_card_numbers_are_refused(said: dict[str, Any]) -> None:
    escaped = msgspec.json.encode(said).decode().encode("ascii", "backslashreplace")
    for raw in (msgspec.json.encode(said), escaped):
        with pytest.raises(CardNumberError):
            await json_body(asking(raw), Parcel)


@pytest.mark.parametrize(
    "said",
    [
        {"label": "010-1234-5678, 서울시 종로구 1, 03187"},
        {"label": "4242424242424241"},
        {"label": "8801234567893"},
        {"at_ms": 4242424242424242},
    ],
)
async def test_other_numbers_pass(said: dict[str, Any]) -> None:
    raw = msgspec.json.encode(said)
    assert msgspec.to_builtins(await json_body(asking(raw), Parcel)).items() >= said.items()
