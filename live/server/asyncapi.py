"""The room's protocol as AsyncAPI 3.0, told from the types that read commands and make events.

What `chat/PROTOCOL.md` says in words this says to machines. The document describes the server: it
receives commands and sends frames. A frame is an array of events; lane and audience of each kind,
and the close codes, for which AsyncAPI has no place, are told in members that begin with `x-`.
"""

from collections.abc import Mapping
from inspect import cleandoc
from typing import Any, Final, get_args

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

import cart.core.event as cart_events
from cart.core.catalog import Product
from cart.core.hold import Hold
from chat.core import closes
from chat.core import events as chat_events
from chat.core.commands import MESSAGE_BYTES, Command, Heart
from chat.core.frames import Format
from chat.core.moderation import Appointed, Deleted, Sanction, Settings
from chat.core.questions import QuestionAnswered
from chat.core.standing import Followed
from chat.visit import HELLO_S
from live.server import room_events
from live.server.responses import Problem

JsonObject = dict[str, Any]
Kind = type[msgspec.Struct]

SCHEMA: Final = "#/components/schemas/{name}"
CONTENT_TYPES: Final = {Format.JSON: "application/json", Format.MSGPACK: "application/msgpack"}
COMMANDS: Final[tuple[Kind, ...]] = get_args(Command)
UNANSWERED: Final = frozenset({Heart})

SHOP_LANE: Final[Mapping[Kind, str]] = {
    **dict.fromkeys((Settings, Deleted, QuestionAnswered), "everybody"),
    **dict.fromkeys(cart_events.FOR_EVERYBODY + room_events.FOR_EVERYBODY, "everybody"),
    **dict.fromkeys(cart_events.FOR_THE_SELLER + room_events.FOR_THE_SELLER, "the seller"),
    **dict.fromkeys(cart_events.FOR_THE_SELLER_AND_THE_BUYER, "the seller, and whom it concerns"),
    **dict.fromkeys((chat_events.Reported, chat_events.Settled), "moderators"),
    chat_events.Asked: "moderators",
    Appointed: "moderators, and whom it concerns",
    **dict.fromkeys((*cart_events.FOR_ONE, Followed), "whom it concerns"),
    Sanction: "moderators, and whom it concerns unless it is a shadow ban",
}
"""Kind of a numbered event → whom it is told; moderators: the seller too."""
TELLABLE: Final[tuple[Kind, ...]] = (*SHOP_LANE, *chat_events.TALK, *chat_events.OWN)


def document(version: str) -> JsonObject:
    """The whole document; `version` is the software's."""
    messages = {tag(kind): _command_message(kind) for kind in COMMANDS}
    messages["frame"] = {
        "summary": "What happened in one tick",
        "contentType": CONTENT_TYPES[Format.JSON],
        "payload": _reference("schemas", "Frame"),
    }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Kkot: the room of a show",
            "version": version,
            "description": "Chat and shop events over one websocket; protocol version 1.",
            "license": {
                "name": "Apache-2.0",
                "url": "https://www.apache.org/licenses/LICENSE-2.0",
            },
        },
        "defaultContentType": CONTENT_TYPES[Format.JSON],
        "channels": {"room": _channel(messages)},
        "operations": {
            **{tag(kind): _receive(kind) for kind in COMMANDS},
            "tell": {
                "action": "send",
                "channel": _reference("channels", "room"),
                "messages": [_in_room("frame")],
            },
        },
        "components": {"messages": messages, "schemas": _schemas()},
    }


def route(version: str) -> Route:
    """`GET /asyncapi.json`."""
    told = msgspec.json.encode(document(version))

    async def answer(_request: Request) -> Response:
        return Response(told, media_type="application/json")

    return Route("/asyncapi.json", answer)


def tag(kind: Kind) -> str:
    """The `type` of such messages."""
    name = kind.__struct_config__.tag
    assert isinstance(name, str)
    return name


def _reference(part: str, name: str) -> JsonObject:
    place = f"components/{part}" if part in {"schemas", "messages"} else part
    return {"$ref": f"#/{place}/{name}"}


def _in_room(message: str) -> JsonObject:
    return {"$ref": f"#/channels/room/messages/{message}"}


def _command_message(kind: Kind) -> JsonObject:
    return {
        "summary": _words(kind),
        "contentType": CONTENT_TYPES[Format.JSON],
        "payload": _reference("schemas", kind.__name__),
    }


def _words(kind: Kind) -> str:
    return cleandoc(kind.__doc__ or "").partition("\n")[0]


def _channel(messages: Mapping[str, JsonObject]) -> JsonObject:
    subprotocol = {"type": "string", "enum": [wire.value for wire in CONTENT_TYPES]}
    headers = {"type": "object", "properties": {"Sec-WebSocket-Protocol": subprotocol}}
    return {
        "address": "/shows/{id}/events",
        "description": f"The client says hello within {HELLO_S:g} s, then what it likes, "
        f"{MESSAGE_BYTES} bytes at a time. Either side passes over members it does not know.",
        "parameters": {"id": {"description": "The show"}},
        "messages": {name: _reference("messages", name) for name in messages},
        "bindings": {"ws": {"method": "GET", "headers": headers, "bindingVersion": "0.1.0"}},
        "x-content-types": {wire.value: kind for wire, kind in CONTENT_TYPES.items()},
        "x-close-codes": [
            {
                "code": code.value,
                "reason": closes.REASONS[code],
                "come_back": code in closes.COME_BACK,
            }
            for code in closes.Close
        ],
    }


def _receive(kind: Kind) -> JsonObject:
    channel = _reference("channels", "room")
    operation = {"action": "receive", "channel": channel, "messages": [_in_room(tag(kind))]}
    if kind not in UNANSWERED:
        operation["reply"] = {"channel": channel, "messages": [_in_room("frame")]}
    return operation


def _schemas() -> JsonObject:
    _, schemas = msgspec.json.schema_components(
        [*COMMANDS, *TELLABLE, Product, Hold], ref_template=SCHEMA
    )
    for kind in TELLABLE:
        schemas[kind.__name__] |= {"x-lane": _lane(kind), "x-to": _audience(kind)}
    offset = {"type": "integer", "minimum": 1, "description": "its number, in the shop lane"}
    numbered: tuple[Kind, ...] = (*SHOP_LANE, chat_events.Said)
    for kind in numbered:
        schemas[kind.__name__]["properties"]["offset"] = offset
    welcome = schemas[chat_events.Welcome.__name__]["properties"]
    welcome["products"]["items"] = _reference("schemas", Product.__name__)
    offered = (
        *(cart_events.DealChanged, cart_events.AuctionChanged),
        cart_events.CodesSwitched,
    )
    welcome["offers"]["items"] = {
        "oneOf": [_reference("schemas", kind.__name__) for kind in offered]
    }
    held = schemas[chat_events.Held.__name__]["properties"]["holds"]
    held["items"] = _reference("schemas", Hold.__name__)
    told = schemas[chat_events.NotHeld.__name__]["properties"]
    told["problem"] = msgspec.json.schema(Problem)["$defs"][Problem.__name__]
    events = [_reference("schemas", kind.__name__) for kind in TELLABLE]
    items = {"oneOf": events, "discriminator": "type"}
    schemas["Frame"] = {"type": "array", "minItems": 1, "items": items}
    return schemas


def _lane(kind: Kind) -> str:
    if kind in SHOP_LANE:
        return "shop"
    return "talk" if kind in chat_events.TALK else "own"


def _audience(kind: Kind) -> str:
    return SHOP_LANE.get(kind, "everybody" if kind in chat_events.TALK else "this connection")
