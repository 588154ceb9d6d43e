"""HTTP/1.1 as uvicorn speaks it, with a bound on what comes before the body.

A request whose head outgrows `HEAD_BYTES` gets 431, one that is no HTTP gets 400, both as problems,
and the connection ends. Trailers are read and dropped.
"""

from http import HTTPStatus
from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from live.server.responses import problem

HEAD_BYTES: Final = 64 * 1024
"""The request line and headers together; what arrives in one read may go past it."""


class BoundedHttp(HttpToolsProtocol):
    """A connection that keeps no more of an unfinished head than its limit."""

    _in_head = False
    _head_bytes = 0

    def data_received(self, data: bytes) -> None:
        """Bytes from the client."""
        super().data_received(data)
        if not self._in_head or self.transport.is_closing():
            return
        self._head_bytes += len(data)
        if self._head_bytes > HEAD_BYTES:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "head_too_large")

    def on_message_begin(self) -> None:
        """A request begins, head first."""
        super().on_message_begin()
        self._in_head, self._head_bytes = True, 0

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or after the body a trailer."""
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._in_head = False
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP."""
        self._refuse(HTTPStatus.BAD_REQUEST, "malformed", msg)

    def _refuse(self, status: HTTPStatus, code: str, detail: str = "") -> None:
        answer = problem(code, status, detail, headers={"Connection": "close"})
        head = [b"HTTP/1.1 %d %s" % (status, status.phrase.encode())]
        head += [name + b": " + value for name, value in answer.raw_headers]
        self.transport.write(b"\r\n".join([*head, b"", bytes(answer.body)]))
        self.transport.close()
