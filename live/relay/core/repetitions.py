"""Which of the packets a viewer misses it may be sent again: bounded in number and in bytes.

Repetitions come on top of what is sent anyway, and on a path that is full they cost more than
they mend: they get half of the layer's bitrate, and no more than the viewer's estimate leaves.
A second's worth may be saved up, so that a short outage is mended at once.
"""

from typing import Final

from live.relay.core.bucket import Bucket

ASKED_PER_S: Final = 1_000
"""Numbers one viewer may ask for in a second; beyond, it is not answered."""
AGAIN_LEAST_S: Final = 0.01
"""The same packet is not repeated sooner, nor within half a round trip."""
SHARE: Final = 0.5
LEAST_BPS: Final = 300_000
LEAST_SHARE: Final = 0.25
"""Of the layer's bitrate, where the estimate leaves less."""
KEPT_S: Final = 1.0
"""Where the estimate is the limit, savings of better times are cut down to so much."""
SAVED_BYTES: Final = 300_000
"""What may be saved up: a second of a picture of 2.4 Mbit/s."""


class Repetitions:
    """The repetitions of one viewer. Call `refresh` before a NACK is answered."""

    def __init__(self) -> None:
        self.sent = 0
        self._bucket = Bucket(SAVED_BYTES)
        self._sent_at: dict[int, float] = {}
        self._second = 0.0
        self._asked = 0

    def refresh(self, bitrate: int, estimate: int | None, now: float) -> None:
        """`bitrate`: what the viewer is sent; `estimate`: what it can take, where it has told."""
        if now - self._second >= 1:
            self._second, self._asked = now, 0
            self._sent_at = {n: at for n, at in self._sent_at.items() if now - at < 1}
        bps = max(SHARE * bitrate, LEAST_BPS)
        kept_s = float("inf")
        if estimate is not None and estimate - bitrate < bps:
            bps = max(estimate - bitrate, min(LEAST_SHARE * bitrate, LEAST_BPS))
            kept_s = KEPT_S
        self._bucket.earn(bps, now, kept_s)

    def admit(self, count: int) -> int:
        """Of so many numbers asked for, how many are looked at."""
        admitted = min(count, ASKED_PER_S - self._asked)
        self._asked += admitted
        return admitted

    def allow(self, number: int, octets: int, rtt_s: float | None, now: float) -> bool:
        """Whether the packet of this number and size may be repeated now; it is noted as sent."""
        if now - self._sent_at.get(number, float("-inf")) < max((rtt_s or 0) / 2, AGAIN_LEAST_S):
            return False
        if not self._bucket.has_any:
            return False
        self._bucket.spend(octets)
        self._sent_at[number] = now
        self.sent += 1
        return True
