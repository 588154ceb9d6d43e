"""The codes a room's websocket is closed with: one table, the only place that names them.

Private codes as RFC 6455 section 7.4.2 allows (4000-4999). A client whose code says "come back"
reconnects after a random pause; after any other it stays away, for it would be closed again.
"""

from enum import IntEnum
from typing import Final


class Close(IntEnum):
    """Why a connection was closed by the room."""

    FAULT = 1011
    HELLO_TIMEOUT = 4000
    MALFORMED = 4001
    NO_SUCH_SHOW = 4004
    TOO_SLOW = 4008
    GOING_AWAY = 4010
    TOO_MANY = 4029


REASONS: Final = {
    Close.FAULT: "our fault, come back",
    Close.HELLO_TIMEOUT: "no hello in time",
    Close.MALFORMED: "not a message of this protocol",
    Close.NO_SUCH_SHOW: "no such show",
    Close.TOO_SLOW: "too slow, come back",
    Close.GOING_AWAY: "going away, come back",
    Close.TOO_MANY: "too many messages",
}
"""What the close frame says beside the code; at most 123 bytes each."""

COME_BACK: Final = frozenset({Close.FAULT, Close.TOO_SLOW, Close.GOING_AWAY})
"""After these a client should connect again."""
