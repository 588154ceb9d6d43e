"""How often one client may ask: token buckets by address (RFC 9725 §5).

A request takes one token of its kind; one that is refused takes `REFUSED_COST` more, so that
guessing keys and sessions soon has to wait while a crowd behind one address comes in. Addresses
of this machine itself are not limited. At most `CLIENT_LIMIT` clients are remembered; of more, the
one that was silent longest is forgotten, which gives it a fresh burst and nobody less.
"""

import ipaddress
import math
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["publish", "watch", "change", "end"]


@dataclass(frozen=True, slots=True)
class Rate:
    """`burst` requests at once, `per_s` each second in the long run."""

    burst: float
    per_s: float


PUBLISH: Final = Rate(burst=60, per_s=1)
"""A house full of sellers, each coming back now and then; six wrong keys, then one in 10 s."""
WATCH_BURST_S: Final = 10
"""So many seconds' worth of joins may come at once: a show begins, a carrier has one address."""
CHANGES_PER_JOIN: Final = 2
"""A session trickles once or twice, restarts now and then, and ends once."""
REFUSED_COST: Final = 9
"""What a refused request takes besides its own token."""
CLIENT_LIMIT: Final = 20_000
NETWORK_BITS: Final = 64
"""What one household has of IPv6."""


def rates(joins_per_s: int) -> dict[Kind, Rate]:
    """The rates where one address may bring `joins_per_s` players; none for 0: no limit."""
    if not joins_per_s:
        return {}
    watch = Rate(joins_per_s * WATCH_BURST_S, joins_per_s)
    more = Rate(watch.burst * CHANGES_PER_JOIN, watch.per_s * CHANGES_PER_JOIN)
    return {"publish": PUBLISH, "watch": watch, "change": more, "end": more}


def client_of(address: str) -> str:
    """Who counts as one client: an IPv4 address, an IPv6 /64; "" for whom there is no limit."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    if ip.is_loopback:
        return ""
    if ip.version == 4:
        return str(ip)
    return str(ipaddress.ip_network((ip, NETWORK_BITS), strict=False))


@dataclass(slots=True)
class _Bucket:
    tokens: float
    since: float


class RateLimits:
    """The buckets of every client. `now`: seconds of a clock that never runs backwards."""

    def __init__(self, rates: Mapping[Kind, Rate]) -> None:
        self._rates = rates
        self._clients: OrderedDict[str, dict[Kind, _Bucket]] = OrderedDict()

    def __len__(self) -> int:
        """How many clients are remembered."""
        return len(self._clients)

    def admit(self, client: str, kind: Kind, now: float) -> int:
        """Take a token; 0 when there was one, else the seconds until there is."""
        bucket = self._bucket(client, kind, now)
        if bucket is None:
            return 0
        if bucket.tokens < 1:
            return math.ceil((1 - bucket.tokens) / self._rates[kind].per_s)
        bucket.tokens -= 1
        return 0

    def refused(self, client: str, kind: Kind, now: float) -> None:
        """An admitted request was refused: it takes more, as far as there is more."""
        bucket = self._bucket(client, kind, now)
        if bucket is not None:
            bucket.tokens = max(0.0, bucket.tokens - REFUSED_COST)

    def _bucket(self, client: str, kind: Kind, now: float) -> _Bucket | None:
        rate = self._rates.get(kind)
        if rate is None or not client:
            return None
        if client not in self._clients:
            while len(self._clients) >= CLIENT_LIMIT:
                self._clients.popitem(last=False)
            self._clients[client] = {}
        self._clients.move_to_end(client)
        bucket = self._clients[client].setdefault(kind, _Bucket(rate.burst, now))
        if now > bucket.since:
            bucket.tokens = min(rate.burst, bucket.tokens + (now - bucket.since) * rate.per_s)
            bucket.since = now
        return bucket
