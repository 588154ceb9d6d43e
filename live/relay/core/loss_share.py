"""What share of its packets a viewer loses, by the running totals of its reports (RFC 3550 §6.4.1).

The fraction in a report is of the time since the one before, and a report that travels with a
NACK tells of just the packets around a loss. And a packet that the publisher repeated comes late,
not never: in the totals it is no loss. So shares are taken over a second or more.
"""

from typing import Final

SPAN_S: Final = 1.0
LOST_SIGN: Final = 1 << 23
HIGHEST_SPAN: Final = 1 << 32


class LossShare:
    """One viewer's; `share` is of the last whole span."""

    def __init__(self) -> None:
        self.share = 0.0
        self._begin: tuple[int, int, float] | None = None

    def note(self, highest: int, lost: int, now: float) -> None:
        """A report came: the extended highest number (32 bits), packets lost (24 bits, signed)."""
        lost = signed(lost)
        if self._begin is None:
            self._begin = highest, lost, now
            return
        highest_before, lost_before, at = self._begin
        sent = (highest - highest_before) % HIGHEST_SPAN
        if sent > HIGHEST_SPAN // 2:  # it counts anew
            self._begin = highest, lost, now
        elif now - at >= SPAN_S and sent:
            self.share = min(max(lost - lost_before, 0) / sent, 1.0)
            self._begin = highest, lost, now


def signed(lost: int) -> int:
    """A report's count of lost packets: 24 bits with a sign; more may come twice than is lost."""
    return lost - ((lost & LOST_SIGN) << 1)
