"""uvicorn's websocket protocol, opened so far that a room can write whole frames to it.

Give it to uvicorn as `ws=RoomProtocol` with `ws_per_message_deflate=False`: a frame is the same for
everybody (RFC 6455 section 5.2), so that one frame built once is written to many transports. Who
offers permessage-deflate is answered that neither side takes its context over (RFC 7692 section
7.1.1): that keeps no compressor for any connection, and a deflated frame too is written to many.

The application finds its socket in `scope["extensions"]["kkot.socket"]`; once it has opened the
door it hands over who attends to the connection (`stay`) and returns, so that nothing of the
handshake is kept for as long as a viewer stays.

Beyond what uvicorn does, nothing a peer sends or refuses to read costs more than bounded memory
or time: messages and fragments are limited, pongs nobody reads end the connection, and a closing
connection is cut off after `CLOSE_GRACE_S` even when its peer never reads again. Handshakes above
a rate are refused (503) before anything else is done for them.
"""

import socket
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar, Final

import msgspec
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.datastructures import Headers
from websockets.exceptions import InvalidState
from websockets.extensions.permessage_deflate import (
    PerMessageDeflate,
    ServerPerMessageDeflateFactory,
)
from websockets.frames import CloseCode, Frame
from websockets.http11 import Request, Response

from chat.adapters.inbox import Inbox
from chat.connection import CLOSE_BYTES
from chat.core.closes import REASONS, Close
from chat.core.commands import MESSAGE_BYTES
from chat.core.frames import WINDOW_BITS
from chat.core.rate_limit import Bucket, Rate

SOCKET_EXTENSION: Final = "kkot.socket"
"""The scope extension the socket is found under."""
FRAGMENTS: Final = 64
"""The most frames one message may come in; more close the connection (4001)."""
KERNEL_BYTES: Final = 65_536
"""The kernel's send buffer of a connection: beyond it a slow reader is noticed at once."""
QUIET_BYTES: Final = 256 * 1024
"""A viewer for whom more than this waits lags, until most of it has been taken."""
CAUGHT_UP_BYTES: Final = 64 * 1024
"""With no more than this it has caught up."""
CLOSE_GRACE_S: Final = 5.0
"""How long a closing connection may take to end."""
DEFLATE: Final = ServerPerMessageDeflateFactory(
    server_no_context_takeover=True, client_no_context_takeover=True
)
RETRY_AFTER_S: Final = 1
"""When those refused for the rate of handshakes may ask again, at the earliest."""
BUSY: Final = msgspec.json.encode(
    {
        "type": "urn:kkot:problem:busy",
        "title": "Too many come at once",
        "status": 503,
        "detail": "Come back after a random pause",
        "code": "busy",
    }
)


class RoomProtocol(WebSocketsSansIOProtocol):
    """One websocket connection; to the room it is a `chat.ports.Socket`."""

    handshakes: ClassVar[Bucket | None] = None
    """What all connections of a class of `at_most` take from."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        assert not self.config.ws_per_message_deflate, "serve with ws_per_message_deflate=False"
        self.conn.max_message_size = MESSAGE_BYTES
        self.conn.available_extensions = [DEFLATE]
        self.queue = Inbox()
        self._application, self.app = self.app, self._attend
        self._staying: Callable[[], Awaitable[None]] | None = None
        self.lags = False

    def stay(self, attend: Callable[[], Awaitable[None]]) -> None:
        """Have the accepted connection attended to by this once the application has returned."""
        self._staying = attend

    async def hear(self) -> str | bytes | None:
        """The next message of the peer; None once it is gone."""
        message: Any = await self.receive()
        if message["type"] != "websocket.receive":
            return None
        text: str | None = message.get("text")
        data: bytes | None = message.get("bytes")
        return data if text is None else text

    def write(self, frame: bytes) -> None:
        """Send a whole websocket frame; nothing happens on a closing socket."""
        if not self.close_sent and not self.transport.is_closing():
            self.transport.write(frame)

    def takes_deflated(self) -> bool:
        """Whether the peer offered permessage-deflate, with a window as large as ours."""
        return any(
            isinstance(extension, PerMessageDeflate)
            and extension.local_max_window_bits >= WINDOW_BITS
            for extension in self.conn.extensions
        )

    def backlog(self) -> int:
        """Bytes written that the network has not taken yet."""
        return self.transport.get_write_buffer_size()

    def pause_writing(self) -> None:
        """More than `QUIET_BYTES` wait."""
        super().pause_writing()
        self.lags = True

    def resume_writing(self) -> None:
        """No more than `CAUGHT_UP_BYTES` do."""
        super().resume_writing()
        self.lags = False

    def close(self, code: Close) -> None:
        """Send a close frame, once, and see the connection ended within `CLOSE_GRACE_S`."""
        if self.close_sent or self.transport.is_closing():
            return
        self.close_sent = True
        try:
            self.conn.send_close(code, REASONS[code])
        except InvalidState:
            self.transport.abort()
            return
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.queue.put_nowait({"type": "websocket.disconnect", "code": int(code)})
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()
        self._cut_off_later()

    async def run_asgi(self) -> None:
        """Run the application with this socket in its scope."""
        extensions: dict[str, Any] = self.scope["extensions"]
        extensions[SOCKET_EXTENSION] = self
        await super().run_asgi()

    async def _attend(self, scope: Any, receive: Any, send: Any) -> None:
        await self._application(scope, receive, send)
        if self._staying is not None:
            attend, self._staying = self._staying, None
            self.request.headers.clear()  # the parser keeps the request
            del self.scope, self.request, self.response, scope
            await attend()

    def shutdown(self) -> None:
        """The server stops: viewers are told to come back elsewhere."""
        self.stop_keepalive()
        if self.handshake_complete:
            self.close(Close.GOING_AWAY)
        else:
            super().shutdown()

    def handle_connect(self, event: Request) -> None:
        """Bound handshakes and what the kernel buffers, then go on as uvicorn does."""
        if self.handshakes is not None and not self.handshakes.take(self.loop.time()):
            self._refuse()
            return
        raw = self.transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BYTES)
        self.transport.set_write_buffer_limits(QUIET_BYTES, CAUGHT_UP_BYTES)
        super().handle_connect(event)

    def handle_cont(self, event: Frame) -> None:
        """A further fragment; too many small ones are no message."""
        if len(self.frames) >= FRAGMENTS:
            self.frames = []
            self.close(Close.MALFORMED)
        elif not self.close_sent:
            super().handle_cont(event)

    def send_receive_event_to_app(self) -> None:
        """A whole message came; text that is no UTF-8 ends the connection (RFC 6455 section 8.1).

        A peer that sends such text fills no log.
        """
        if self.curr_msg_data_type == "text" and not self.close_sent:
            try:
                b"".join(self.frames).decode()
            except UnicodeDecodeError:
                self.frames = []
                self.conn.send_close(CloseCode.INVALID_DATA)
                self.handle_parser_exception()
                return
        super().send_receive_event_to_app()

    def handle_ping(self) -> None:
        """Answer, unless answers pile up unread."""
        if self.backlog() > CLOSE_BYTES:
            self.transport.abort()
        else:
            super().handle_ping()

    def handle_close(self, event: Frame) -> None:
        """The peer closes or confirms our closing."""
        super().handle_close(event)
        self._cut_off_later()

    def handle_parser_exception(self) -> None:
        """The peer broke RFC 6455 and is told so."""
        super().handle_parser_exception()
        self._cut_off_later()

    def keepalive_timeout(self) -> None:
        """The peer does not answer pings."""
        super().keepalive_timeout()
        self._cut_off_later()

    def _refuse(self) -> None:
        headers = Headers(
            {
                "Retry-After": str(RETRY_AFTER_S),
                "Connection": "close",
                "Content-Length": str(len(BUSY)),
                "Content-Type": "application/problem+json",
            }
        )
        self.handshake_complete = self.close_sent = True
        self.conn.send_response(Response(503, "Service Unavailable", headers, BUSY))
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.transport.close()

    def _cut_off_later(self) -> None:
        if self.close_timer is None:
            self.close_timer = self.loop.call_later(CLOSE_GRACE_S, self.transport.abort)


def at_most(handshakes_per_s: int) -> type[RoomProtocol]:
    """The protocol with no more handshakes than these in any one second; 0: however many come."""
    if not handshakes_per_s:
        return RoomProtocol
    at_once = max(1.0, handshakes_per_s / 10)
    rate = Rate(burst=at_once, per_s=max(0.1, handshakes_per_s - at_once))

    class Limited(RoomProtocol):
        handshakes = Bucket(rate)

    return Limited
