"""The addresses answers carry: those that were set, or the machine's and what STUN servers see."""

import ipaddress
import time
from collections.abc import Callable, Sequence
from typing import Final

import ifaddr

from signaling.core.addresses import candidates
from signaling.core.answer import Candidate
from signaling.core.reflexive import Reflexive

ADDRESSES_FRESH_S: Final = 5.0


class Offered:
    """The addresses that answers carry; the machine's own are looked up afresh every few seconds.

    `fixed`: the only ones offered, unless empty. `reflexive`: what STUN servers see at present.
    """

    def __init__(
        self,
        fixed: Sequence[str],
        reflexive: Callable[[], Sequence[Reflexive]],
        udp_port: int,
        tcp_port: int,
    ) -> None:
        self._hosts = fixed
        self._fixed = bool(fixed)
        self._reflexive = reflexive
        self._udp_port = udp_port
        self._tcp_port = tcp_port
        self._looked_at = -ADDRESSES_FRESH_S

    def candidates(self) -> Sequence[Candidate]:
        """UDP on every address, then TCP on every address; loopback first."""
        if not self._fixed and time.monotonic() - self._looked_at >= ADDRESSES_FRESH_S:
            self._looked_at = time.monotonic()
            self._hosts = local_addresses()
        return candidates(self._hosts, self._reflexive(), self._udp_port, self._tcp_port)


def local_addresses() -> list[str]:
    """The machine's addresses that others can be told, loopback first."""
    found = [
        ipaddress.ip_address(ip.ip[0] if isinstance(ip.ip, tuple) else ip.ip)
        for adapter in ifaddr.get_adapters()
        for ip in adapter.ips
    ]
    usable = [address for address in found if not address.is_link_local]
    usable.sort(key=lambda address: (not address.is_loopback, address.version))
    return [str(address) for address in dict.fromkeys(usable)]
