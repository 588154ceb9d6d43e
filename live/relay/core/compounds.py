"""Feedback as it may travel: alone where reduced size was agreed, behind a report where it was not
(RFC 4585 §3.1, RFC 5506 §3)."""

from collections.abc import Iterable, Iterator
from typing import Final

from live.relay.core import rtcp

CNAME: Final = "kkot"
COMPOUND_BYTES: Final = 1_200
"""A compound that would be longer is closed, and another begun."""


def compounds(sender: int, feedback: Iterable[bytes], *, reduced: bool) -> Iterator[bytes]:
    """RTCP packets put together into as few datagrams as there need be; empty ones are left out."""
    head = b""
    if not reduced:
        head = rtcp.receiver_report(sender, []) + rtcp.canonical_name(sender, CNAME)
    body = b""
    for packets in feedback:
        if body and len(head) + len(body) + len(packets) > COMPOUND_BYTES:
            yield head + body
            body = b""
        body += packets
    if body:
        yield head + body
