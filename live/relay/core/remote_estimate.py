"""What a publisher without transport-wide feedback may send, told to it by REMB
(draft-alvestrand-rmcat-remb-03): little loss and no standing queue let it rise, much of either
makes it fall (draft-ietf-rmcat-gcc-02 §5.5, §6).

A queue stands when even the quickest packet of a second was slower than the quickest of the last
half minute (RFC 8289 §3.2). A delay that stays although less is sent is the path's own.
"""

from collections import deque
from typing import Final

from live.relay.core.seq import Unwrapper

START_BPS: Final = 1_500_000
MOST_BPS: Final = 6_000_000
LEAST_BPS: Final = 200_000
GROWTH: Final = 1.08
"""In a second."""
AHEAD: Final = 3
"""It rises no further than so many times what comes: enough for a publisher to begin its next
layer, which may need twice as much as those below it together."""
LOSS_CLEAN: Final = 0.02
LOSS_MOST: Final = 0.10
QUEUE_MOST_S: Final = 0.05
BACK: Final = 0.85
"""Of what comes, when a queue stands."""
MEMORY: Final = 30
"""Seconds in which the quickest packet is looked for."""
FALLS_MOST: Final = 3
"""Falls in a row that did not shorten the queue: then it was none."""
STAMP_BITS: Final = 24
STAMP_S: Final = 1 / (1 << 18)


class RemoteEstimate:
    """One publisher's; `bitrate` is what it may send, all its layers together."""

    def __init__(self) -> None:
        self.bitrate = START_BPS
        self._octets = 0
        self._since: float | None = None
        self._unwrapper = Unwrapper(STAMP_BITS)
        self._quickest: int | None = None
        self._past: deque[int] = deque(maxlen=MEMORY)
        self._falls = 0
        self._queue_s = 0.0

    def arrived(self, octets: int, stamp: int | None, now: float) -> None:
        """A packet of this size came; `stamp`: its abs-send-time, where it has one."""
        self._octets += octets
        if self._since is None:
            self._since = now
        if stamp is not None:
            behind = int(now / STAMP_S) - stamp & (1 << STAMP_BITS) - 1
            took = self._unwrapper.unwrap(behind)
            self._quickest = took if self._quickest is None else min(self._quickest, took)

    def conclude(self, lost: float, now: float) -> int:
        """The bitrate to tell, once a second; `lost`: the share of packets lost meanwhile."""
        span = now - self._since if self._since is not None else 0.0
        through = self._octets * 8 / span if span > 0 else 0.0
        self._octets, self._since = 0, now
        estimate = float(self.bitrate)
        if self._stands():
            estimate = min(estimate, through * BACK)
        elif lost > LOSS_MOST:
            estimate = min(estimate, through / max(1 - lost, 0.1)) * (1 - lost / 2)
        elif lost < LOSS_CLEAN:
            estimate = max(estimate, min(estimate * GROWTH, through * AHEAD))
        self.bitrate = int(min(max(estimate, LEAST_BPS), MOST_BPS))
        return self.bitrate

    def _stands(self) -> bool:
        """Whether packets queued all through the last second."""
        quickest, self._quickest = self._quickest, None
        if quickest is None:
            return False
        self._past.append(quickest)
        queue_s = (quickest - min(self._past)) * STAMP_S
        if queue_s <= QUEUE_MOST_S:
            self._falls, self._queue_s = 0, queue_s
            return False
        self._falls = 0 if queue_s < self._queue_s * BACK else self._falls + 1
        self._queue_s = queue_s
        if self._falls > FALLS_MOST:
            self._past.clear()
            self._falls = 0
            return False
        return True
