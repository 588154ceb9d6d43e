"""When a layer's publisher is asked for a key frame: at once, then each second until one comes,
whoever wished it and however often (RFC 4585 §6.3.1, RFC 5104 §4.3.1)."""

from typing import Final

from live.relay.core import rtcp
from signaling.ports import Track

EVERY_S: Final = 1.0


class KeyFrameRequests:
    """The requests for one layer; `count` of them were made."""

    def __init__(self, track: Track) -> None:
        self.count = 0
        self._pli, self._fir = track.pli, track.fir
        self._wanted = False
        self._next_at = float("-inf")

    def want(self) -> None:
        """Somebody needs a key frame."""
        self._wanted = True

    def came(self) -> None:
        """One began: no need to ask any more."""
        self._wanted = False

    def due(self, sender: int, media: int, now: float) -> bytes:
        """The request to send now, empty when none is due or the offer agreed to none."""
        if not self._wanted or now < self._next_at or not (self._pli or self._fir):
            return b""
        self._next_at = now + EVERY_S
        self.count += 1
        if self._pli:
            return rtcp.picture_loss(sender, media)
        # A command repeated under its old number is not obeyed twice, and its key frame may be
        # what was lost: a second later it is a new command.
        return rtcp.full_intra(sender, media, self.count & 0xFF)
