"""This server's public address, as STUN servers see it (RFC 8489 §6, RFC 8445 §5.1.1.2).

A round puts one question to every server at once, repeats it as §6.2.1 has it, and is over with
the first sound answer, or when nobody gave one. An answer counts when it carries the round's own
transaction id and comes from the server that was asked.
"""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from signaling.core import stun

RTO_S: Final = 0.5
REQUESTS: Final = 7
LAST_WAIT_S: Final = 16 * RTO_S
DUE_AFTER_S: Final = (
    *(RTO_S * ((1 << asked) - 1) for asked in range(REQUESTS)),
    RTO_S * ((1 << REQUESTS - 1) - 1) + LAST_WAIT_S,
)
"""When to ask again, counted from the first time (RFC 8489 §6.2.1): each wait is twice the one
before, and after the last nothing is expected any more."""
REFRESH_S: Final = 15.0
"""From the end of one round to the next: keeps an address translator's entry alive
(RFC 8445 §11) and notices another address."""

Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Reflexive:
    """An address the outside sees, and our own that stands behind it."""

    host: str
    port: int
    base_host: str
    base_port: int


class Round:
    """One round of questions; `servers` by the transaction id of each one's question."""

    def __init__(self, servers: Mapping[bytes, Address], now: float) -> None:
        self.mapped: Address | None = None
        self._waiting = dict(servers)
        self._begun = now
        self._asked = 0

    @property
    def over(self) -> bool:
        """Whether nothing more will come of it."""
        return self.mapped is not None or not self._waiting

    @property
    def due(self) -> float:
        """When to call `ask` again."""
        return self._begun + DUE_AFTER_S[self._asked]

    def ask(self, now: float) -> list[tuple[Address, bytes]]:
        """The questions to send now; after the last wait the round is over."""
        if self.over or now < self.due:
            return []
        if self._asked == REQUESTS:
            self._waiting.clear()
            return []
        self._asked += 1
        return [(server, stun.binding_request(each)) for each, server in self._waiting.items()]

    def receive(self, message: stun.Message, source: Address) -> bool:
        """A STUN answer came from `source`; whether the round is over by it."""
        if self.over or self._waiting.get(message.transaction) != source:
            return False
        server = self._waiting.pop(message.transaction)
        mapped = stun.mapped_address(message)
        if mapped is not None and _usable(mapped, server):
            self.mapped = mapped
        return self.over


def _usable(mapped: Address, server: Address) -> bool:
    """Whether others could be told it: a real address of the server's own family."""
    host, asked = ipaddress.ip_address(mapped[0]), ipaddress.ip_address(server[0])
    special = host.is_unspecified or host.is_multicast or mapped[1] == 0
    return host.version == asked.version and not special
