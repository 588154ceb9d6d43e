"""What a client may send: one message = one map, as `hello`, `say`, `hold`, `heart` or `sync`.

Unknown members are passed over, for clients newer than this server. Nothing else passes: unknown
types of messages, wrong types of values, numbers out of range, a message above 4 KiB, the wrong
kind of websocket frame for the subprotocol. Decoding never raises, whatever came.
"""

from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from chat.core.bus_messages import EPOCH_CHARS
from chat.core.frames import Format

MESSAGE_BYTES: Final = 4096
"""The largest message; larger ones close the connection."""
CLIENT_ID_CHARS: Final = 32
"""The longest id a client may give a saying of its own."""
VISITOR_CHARS: Final = 32
"""The longest id a client may keep for whoever uses it."""
PRODUCT_CHARS: Final = 64
"""The longest id of a product, or of a SKU."""
KEY_CHARS: Final = 64
"""The longest key of a hold."""
LINES_AT_ONCE: Final = 50
"""The most lines in one message; the shop may take fewer."""
HEARTS_AT_ONCE: Final = 50
"""The most hearts in one message."""

ClientId = Annotated[str, Meta(max_length=CLIENT_ID_CHARS)]


class Since(msgspec.Struct, frozen=True):
    """The last place of a show's sequence a client knows: what its `welcome` and events told."""

    epoch: Annotated[str, Meta(max_length=EPOCH_CHARS)]
    offset: Annotated[int, Meta(ge=0, lt=2**53)]


class Hello(msgspec.Struct, frozen=True, tag_field="type", tag="hello"):
    """Who comes in: the access token of a signed-in person, if any; what it knows already.

    `visitor`: an id the client keeps, so that who comes back is counted once.
    """

    token: str | None = None
    since: Since | None = None
    visitor: Annotated[str, Meta(min_length=1, max_length=VISITOR_CHARS)] | None = None


class Say(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag="say"):
    """Say something to everybody; `id` comes back in `accepted` or `refused`.

    `question`: it is one the seller is to answer, about a `product` of the show or about the show.
    """

    id: ClientId
    text: str
    question: bool = False
    product: Annotated[str, Meta(max_length=PRODUCT_CHARS)] | None = None


class WantedLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """So many units of a SKU, at the price the buyer was told, if it says one."""

    sku: Annotated[str, Meta(min_length=1, max_length=PRODUCT_CHARS)]
    quantity: Annotated[int, Meta(ge=1, lt=2**31)] = 1
    price_minor: Annotated[int, Meta(ge=0, lt=2**53)] | None = None


class Want(msgspec.Struct, frozen=True, tag_field="type", tag="hold"):
    """Hold all these units, or none; `id` is the key by which a repeated one is the same.

    It comes back in `held` or `not_held`.
    """

    id: Annotated[str, Meta(pattern=f"^[!-~]{{1,{KEY_CHARS}}}$")]
    lines: Annotated[list[WantedLine], Meta(min_length=1, max_length=LINES_AT_ONCE)]


class Heart(msgspec.Struct, frozen=True, tag_field="type", tag="heart"):
    """So many hearts since the last such message."""

    count: Annotated[int, Meta(ge=1, le=HEARTS_AT_ONCE)]


class Sync(msgspec.Struct, frozen=True, tag_field="type", tag="sync"):
    """Asks for the welcome again."""


Command = Hello | Say | Want | Heart | Sync


class Unsayable(msgspec.Struct, frozen=True):
    """A `say` that is none, with an id to tell its sender by."""

    id: str


class Unwantable(msgspec.Struct, frozen=True):
    """A `hold` that is none, with an id to tell its sender by."""

    id: str


class _Trace(msgspec.Struct, frozen=True):
    type: str
    id: Annotated[str, Meta(max_length=KEY_CHARS)]


_MSGPACK_COMMANDS: Final[msgspec.msgpack.Decoder[Any]] = msgspec.msgpack.Decoder(Command)
_JSON_COMMANDS: Final[msgspec.json.Decoder[Any]] = msgspec.json.Decoder(Command)
_MSGPACK_TRACES: Final = msgspec.msgpack.Decoder(_Trace)
_JSON_TRACES: Final = msgspec.json.Decoder(_Trace)


Faulty = Unsayable | Unwantable
"""What is answered though it is none of the commands."""


def decode(message: str | bytes, wire: Format) -> Command | Faulty | None:
    """The command in a message; None where the message is none of the protocol's."""
    if isinstance(message, str) is not (wire is Format.JSON):
        return None
    data = message.encode("utf-8", "surrogatepass") if isinstance(message, str) else message
    if len(data) > MESSAGE_BYTES:
        return None
    try:
        decoder = _JSON_COMMANDS if wire is Format.JSON else _MSGPACK_COMMANDS
        command: Command = decoder.decode(data)
        return command
    except msgspec.ValidationError:
        return _faulty(data, wire)
    except (ValueError, RecursionError):
        return None


def _faulty(data: bytes, wire: Format) -> Faulty | None:
    try:
        decoder = _JSON_TRACES if wire is Format.JSON else _MSGPACK_TRACES
        trace = decoder.decode(data)
    except (ValueError, RecursionError):
        return None
    if trace.type == "hold":
        return Unwantable(trace.id)
    return Unsayable(trace.id) if trace.type == "say" and len(trace.id) <= CLIENT_ID_CHARS else None
