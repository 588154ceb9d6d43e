"""Addresses of STUN and TURN servers as an operator writes them (RFC 7064, RFC 7065)."""

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

URI_LIMIT: Final = 8
"""Servers of one list; a longer list is refused."""
PORTS: Final = {"stun": 3478, "turn": 3478, "turns": 5349}

_URI = re.compile(
    r"(?P<scheme>stun|turns?):(?P<host>\[[0-9a-f:.]+\]|[a-z0-9.-]{1,253})"
    r"(?::(?P<port>[0-9]{1,5}))?(?:\?transport=(?P<transport>udp|tcp))?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class IceUri:
    """One server. `transport`: `udp`, `tcp`, or "" where the address leaves it open."""

    scheme: str
    host: str
    port: int
    transport: str = ""

    def __str__(self) -> str:
        """The address with everything in it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        transport = f"?transport={self.transport}" if self.transport else ""
        return f"{self.scheme}:{host}:{self.port}{transport}"


def parse_uris(text: str, schemes: Sequence[str]) -> tuple[IceUri, ...]:
    """Read a list, separated by commas, of these schemes. Raises `ValueError` that says why not."""
    words = [word.strip() for word in text.split(",") if word.strip()]
    if len(words) > URI_LIMIT:
        raise ValueError(f"at most {URI_LIMIT} servers")
    return tuple(_parse(word, schemes) for word in words)


def _parse(word: str, schemes: Sequence[str]) -> IceUri:
    found = _URI.fullmatch(word)
    if found is None or found["scheme"].lower() not in schemes:
        raise ValueError(f"{word!r} is not of the form {schemes[0]}:host:port")
    scheme, transport = found["scheme"].lower(), (found["transport"] or "").lower()
    port = int(found["port"]) if found["port"] else PORTS[scheme]
    if not 1 <= port <= 65_535:
        raise ValueError("a port is between 1 and 65535")
    if scheme == "stun" and transport:
        raise ValueError("a stun address has no transport (RFC 7064)")
    return IceUri(scheme, _host(found["host"]), port, transport)


def _host(text: str) -> str:
    """A name that resolvers can be asked for, or an address without its brackets."""
    if text.startswith("["):
        return str(ipaddress.IPv6Address(text[1:-1]))
    if any(not 1 <= len(label) <= 63 for label in text.rstrip(".").split(".")):
        raise ValueError(f"{text!r} is no host name")
    return text
