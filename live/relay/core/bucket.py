"""A token bucket of bytes: they come at a rate that may change, and are kept up to a bound.

The last packet may overdraw it; what is owed is earned first.
"""


class Bucket:
    """Holds at most `most_bytes`; empty at first."""

    def __init__(self, most_bytes: int) -> None:
        self._most = float(most_bytes)
        self._bytes = 0.0
        self._earned_at: float | None = None

    @property
    def has_any(self) -> bool:
        """Whether one more packet may be sent."""
        return self._bytes > 0

    def fill(self, now: float) -> None:
        """All of it may be sent now."""
        self._bytes, self._earned_at = self._most, now

    def earn(self, bps: float, now: float, most_s: float = float("inf")) -> None:
        """So many bits per second have come since the last time; the first time it is filled.

        No more is kept than comes in `most_s`.
        """
        if self._earned_at is None:
            self.fill(now)
        else:
            self._bytes += bps / 8 * (now - self._earned_at)
        self._bytes = min(self._bytes, self._most, bps / 8 * most_s)
        self._earned_at = now

    def spend(self, octets: int) -> None:
        """A packet of this size is sent."""
        self._bytes -= octets
