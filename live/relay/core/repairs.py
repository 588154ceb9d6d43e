"""Which of a source's missing packets to ask for again, and when (RFC 4585 §6.2.1).

First a moment passes in which mere reordering shows itself; then each is asked for about once a
round trip, for a bounded time. A repetition of what was asked for just once tells the round trip
(Karn's rule, RFC 6298 §3).
"""

from typing import Final, NamedTuple

from live.relay.core.round_trip import RoundTrip

MISSING_LIMIT: Final = 300
"""Packets that may be missing at a time; beyond, a key frame is asked for instead."""
REORDER_S: Final = 0.01
"""A gap younger than this may close by itself."""
UNASKED_S: Final = 0.1
"""So long a packet that cannot be asked for is waited for."""
TRIES: Final = 10
GIVE_UP_S: Final = 1.0
"""After so long a key frame mends the picture sooner than a repetition."""
NEVER: Final = float("inf")


class _Missing(NamedTuple):
    since: float
    tries: int
    asked_at: float


class Repairs:
    """What one source owes; numbers are extended ones. `asks`: whether NACK was agreed."""

    def __init__(self, round_trip: RoundTrip, *, asks: bool) -> None:
        self.next_at = NEVER
        """When `due` may have something to say."""
        self.gave_up = False
        """Set when packets are lost for good: only a key frame heals that."""
        self.asked = 0
        """How often a packet was asked for."""
        self.repaired = 0
        """Packets that came after they had been asked for."""
        self._round_trip = round_trip
        self._asks = asks
        self._patience_s = REORDER_S if asks else UNASKED_S
        self._missing: dict[int, _Missing] = {}

    def miss(self, first: int, stop: int, now: float) -> None:
        """Numbers from `first` up to before `stop` were left out."""
        if stop - first + len(self._missing) > MISSING_LIMIT:
            self.forget()
            self.gave_up = True
            return
        for number in range(first, stop):
            self._missing[number] = _Missing(now, 0, now)
        self.next_at = min(self.next_at, now + self._patience_s)

    def arrived(self, number: int, now: float, *, answer: bool) -> int | None:
        """How often this number was asked for; None when it was not missing.

        `answer`: it came as a repetition, or from who repeats without saying so.
        """
        missing = self._missing.pop(number, None)
        if missing is None:
            return None
        if missing.tries and answer:
            self.repaired += 1
            if missing.tries == 1:
                self._round_trip.sample(now - missing.asked_at)
                self.next_at = now
            else:
                self._round_trip.ambiguous()
        if not self._missing:
            self.next_at = NEVER
        return missing.tries

    def due(self, now: float) -> list[int]:
        """Numbers to ask for now, ascending; what was missing for long enough is given up."""
        if now < self.next_at:
            return []
        asked = []
        self.next_at = NEVER
        for number, missing in list(self._missing.items()):
            at = self._turn(missing)
            if now >= at:
                if not self._asks or missing.tries == TRIES or now - missing.since >= GIVE_UP_S:
                    del self._missing[number]
                    self.gave_up = True
                    continue
                asked.append(number)
                again = _Missing(missing.since, missing.tries + 1, now)
                self._missing[number], at = again, self._turn(again)
            self.next_at = min(self.next_at, at)
        self.asked += len(asked)
        return asked

    def forget(self) -> None:
        """What was missing is of no interest any more: the source counts anew."""
        self._missing.clear()
        self.next_at = NEVER

    def _turn(self, missing: _Missing) -> float:
        """When it is asked for next, or given up."""
        if not missing.tries:
            return missing.since + self._patience_s
        again_at = missing.asked_at + self._round_trip.wait_s
        return min(again_at, missing.since + GIVE_UP_S)
