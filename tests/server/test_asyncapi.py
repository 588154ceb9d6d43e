"""What is told of the room's protocol is what the code has, in the form of AsyncAPI 3.0."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import jsonschema_rs
import msgspec
import pytest

import chat
from chat.core.closes import COME_BACK, Close
from chat.core.commands import (
    CLIENT_ID_CHARS,
    HEARTS_AT_ONCE,
    KEY_CHARS,
    LINES_AT_ONCE,
    decode,
)
from chat.core.frames import Format
from chat.core.moderation import Forgotten
from live.server.asyncapi import COMMANDS, TELLABLE, document, tag

ROOT: Final = Path(chat.__file__).parent.parent
DOCUMENT: Final = document("1.2.3")
COMMAND_KINDS: Final = frozenset(map(tag, COMMANDS))
EVENT_KINDS: Final = frozenset(map(tag, TELLABLE))
AMONG_NODES: Final = frozenset({tag(Forgotten)})
"""No viewer hears these."""

FOREIGN: Final = re.compile(
    r"urn:.*|websocket\..*|http\..*|http|apiKey|string|object|array|integer|boolean|null"
)
"""Types of other things than the room's messages."""


def written_kinds() -> Iterator[str]:
    """Every type of a message that is written somewhere in the code, in a map or a script."""
    for package in ("cart", "chat", "live"):
        for path in (ROOT / package).rglob("*.py"):
            text = path.read_text()
            yield from re.findall(r"{type = '(\w+)'", text)
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.Dict):
                    yield from _types(node)
                elif isinstance(node, ast.keyword) and node.arg == "tag":
                    yield ast.literal_eval(node.value)


def _types(node: ast.Dict) -> Iterator[str]:
    for key, value in zip(node.keys, node.values, strict=True):
        named = isinstance(key, ast.Constant) and key.value == "type"
        if named and isinstance(value, ast.Constant) and not FOREIGN.fullmatch(str(value.value)):
            yield str(value.value)


def test_every_kind_in_the_code_is_told_and_no_other() -> None:
    assert set(written_kinds()) == COMMAND_KINDS | EVENT_KINDS | AMONG_NODES


def test_every_kind_is_told_in_words_too() -> None:
    words = (ROOT / "chat" / "PROTOCOL.md").read_text()
    assert {kind for kind in COMMAND_KINDS | EVENT_KINDS if f"`{kind}`" not in words} == set()


def test_every_close_code_is_told() -> None:
    told = {row["code"]: row["come_back"] for row in DOCUMENT["channels"]["room"]["x-close-codes"]}
    assert told == {code.value: code in COME_BACK for code in Close}


def test_a_frame_is_one_of_the_kinds() -> None:
    items = DOCUMENT["components"]["schemas"]["Frame"]["items"]
    kinds = [resolved(each)["properties"]["type"]["enum"] for each in items["oneOf"]]
    assert sorted(kind for (kind,) in kinds) == sorted(EVENT_KINDS)


GOOD: Final[list[dict[str, Any]]] = [
    {"type": "hello"},
    {"type": "hello", "token": None, "since": {"epoch": "e" * 16, "offset": 0}, "newer": 1},
    {"type": "hello", "token": "t"},
    {"type": "say", "id": "i" * CLIENT_ID_CHARS, "text": "안녕"},
    {"type": "hold", "id": "!" * KEY_CHARS, "lines": [{"sku": "s"}] * LINES_AT_ONCE},
    {"type": "hold", "id": "k", "lines": [{"sku": "s", "quantity": 9, "price_minor": 0}]},
    {"type": "heart", "count": HEARTS_AT_ONCE},
    {"type": "sync"},
]
BAD: Final[list[dict[str, Any]]] = [
    {},
    {"type": "sudo"},
    {"type": "hello", "token": 1},
    {"type": "hello", "since": {"epoch": "e"}},
    {"type": "hello", "since": {"epoch": "e", "offset": -1}},
    {"type": "hello", "since": {"epoch": "e", "offset": 2**53}},
    {"type": "say", "id": "i" * (CLIENT_ID_CHARS + 1), "text": ""},
    {"type": "say", "id": "1", "text": 2},
    {"type": "hold", "id": "two words", "lines": [{"sku": "s"}]},
    {"type": "hold", "id": "!" * (KEY_CHARS + 1), "lines": [{"sku": "s"}]},
    {"type": "hold", "id": "k", "lines": []},
    {"type": "hold", "id": "k", "lines": [{"sku": "s"}] * (LINES_AT_ONCE + 1)},
    {"type": "hold", "id": "k", "lines": [{"sku": ""}]},
    {"type": "hold", "id": "k", "lines": [{"sku": "s", "quantity": 0}]},
    {"type": "hold", "id": "k", "lines": [{"sku": "s", "price_minor": -1}]},
    {"type": "heart", "count": HEARTS_AT_ONCE + 1},
    {"type": "heart", "count": 0},
]


def taken(message: dict[str, Any]) -> bool:
    """Whether the document says that the server takes it."""
    refs = [{"$ref": f"#/components/schemas/{kind.__name__}"} for kind in COMMANDS]
    schema = {"oneOf": refs, "components": DOCUMENT["components"]}
    return jsonschema_rs.is_valid(schema, message)


@pytest.mark.parametrize("message", GOOD + BAD, ids=str)
def test_what_the_document_takes_the_server_takes(message: dict[str, Any]) -> None:
    decoded = decode(msgspec.json.encode(message).decode(), Format.JSON)
    assert taken(message) is isinstance(decoded, COMMANDS) is (message in GOOD)


TEXT: Final = {"type": "string"}
REFERENCE: Final = {
    "type": "object",
    "properties": {"$ref": TEXT},
    "required": ["$ref"],
    "additionalProperties": False,
}


def closed(required: list[str], **properties: Any) -> dict[str, Any]:
    """An object with these members, and such as begin with `x-`."""
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "patternProperties": {"^x-": {}},
        "additionalProperties": False,
    }


def table(of: dict[str, Any]) -> dict[str, Any]:
    """A map by names as AsyncAPI has them."""
    return {
        "type": "object",
        "patternProperties": {r"^[\w.-]+$": of},
        "additionalProperties": False,
    }


REFERENCES: Final = {"type": "array", "items": REFERENCE, "minItems": 1}
MESSAGE: Final = closed(["payload"], summary=TEXT, contentType=TEXT, payload=REFERENCE)
CHANNEL: Final = closed(
    ["address", "messages"],
    address=TEXT,
    description=TEXT,
    parameters=table(closed([], description=TEXT)),
    messages=table(REFERENCE),
    bindings=closed(
        ["ws"],
        ws=closed([], method={"enum": ["GET"]}, headers={"type": "object"}, bindingVersion=TEXT),
    ),
)
OPERATION: Final = closed(
    ["action", "channel", "messages"],
    action={"enum": ["send", "receive"]},
    channel=REFERENCE,
    messages=REFERENCES,
    reply=closed(["channel", "messages"], channel=REFERENCE, messages=REFERENCES),
)
ASYNCAPI: Final = closed(
    ["asyncapi", "info", "channels", "operations", "components"],
    asyncapi={"const": "3.0.0"},
    info=closed(
        ["title", "version"],
        title=TEXT,
        version=TEXT,
        description=TEXT,
        license=closed(["name"], name=TEXT, url={"type": "string", "format": "uri"}),
    ),
    defaultContentType=TEXT,
    channels=table(CHANNEL),
    operations=table(OPERATION),
    components=closed([], messages=table(MESSAGE), schemas=table({"type": "object"})),
)
"""The specification's objects as far as the document has them, all else forbidden."""


def references(part: Any) -> Iterator[dict[str, str]]:
    """Every reference in a part of the document."""
    if isinstance(part, dict):
        if "$ref" in part:
            yield part
        for member in part.values():
            yield from references(member)
    elif isinstance(part, list):
        for member in part:
            yield from references(member)


def resolved(reference: dict[str, str]) -> Any:
    """What a reference means; raises `KeyError` where it means nothing."""
    found: Any = DOCUMENT
    for name in reference["$ref"].removeprefix("#/").split("/"):
        found = found[name]
    return found


def test_the_document_is_asyncapi_3() -> None:
    jsonschema_rs.validate(ASYNCAPI, DOCUMENT)
    for schema in DOCUMENT["components"]["schemas"].values():
        jsonschema_rs.meta.validate(
            {"$schema": "http://json-schema.org/draft-07/schema#"} | schema | {"discriminator": ""}
        )
    assert all(isinstance(resolved(each), dict) for each in references(DOCUMENT))


def test_operations_name_messages_of_their_channel() -> None:
    for operation in DOCUMENT["operations"].values():
        for named in (operation, operation.get("reply", operation)):
            channel = named["channel"]["$ref"]
            assert all(each["$ref"].startswith(f"{channel}/") for each in named["messages"])
