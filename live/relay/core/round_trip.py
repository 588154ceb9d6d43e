"""How long an answer of the publisher takes, and how long to wait for one: smoothed and backed off
as RFC 6298 has it, within bounds that suit live media."""

from typing import Final

FIRST_WAIT_S: Final = 0.1
WAIT_LEAST_S: Final = 0.02
WAIT_MOST_S: Final = 0.4
MARGIN_S: Final = 0.01
"""Waited beyond the smoothed time at least: answers are looked for in steps."""
BACKOFF: Final = 2
AMBIGUOUS_MOST: Final = 8
"""Answers in a row that might be to more than one question: surely it is not loss, but haste."""


class RoundTrip:
    """One publisher's; `smoothed_s` is None before the first sample."""

    def __init__(self) -> None:
        self.smoothed_s: float | None = None
        self.wait_s = FIRST_WAIT_S
        self._variation_s = 0.0
        self._ambiguous = 0

    def sample(self, seconds: float) -> None:
        """An answer came so long after the question, and to no other one (§2, §3)."""
        self._ambiguous = 0
        if self.smoothed_s is None:
            self.smoothed_s, self._variation_s = seconds, seconds / 2
        else:
            self._variation_s += (abs(self.smoothed_s - seconds) - self._variation_s) / 4
            self.smoothed_s += (seconds - self.smoothed_s) / 8
        wait = self.smoothed_s + max(4 * self._variation_s, MARGIN_S)
        self.wait_s = min(max(wait, WAIT_LEAST_S), WAIT_MOST_S)

    def ambiguous(self) -> None:
        """An answer came to one of several questions: perhaps they were asked too soon (§5.5)."""
        self._ambiguous += 1
        if self.smoothed_s is None or self._ambiguous >= AMBIGUOUS_MOST:
            self._ambiguous = 0
            self.wait_s = min(self.wait_s * BACKOFF, WAIT_MOST_S)
