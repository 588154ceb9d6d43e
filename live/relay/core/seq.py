"""Numbers that wrap around, made to run on for ever (RFC 1982, RFC 3550 §A.1)."""


class Unwrapper:
    """Turns 16-bit or 32-bit numbers into ones that do not wrap, by nearness to the newest."""

    def __init__(self, bits: int) -> None:
        self._span = 1 << bits
        self._newest: int | None = None

    def unwrap(self, number: int) -> int:
        """The extended number; it may be less than ones given before, when packets are late."""
        newest = self._newest
        if newest is None:
            self._newest = number + self._span
            return self._newest
        half = self._span >> 1
        extended = newest + (number - newest + half) % self._span - half
        self._newest = max(newest, extended)
        return extended
