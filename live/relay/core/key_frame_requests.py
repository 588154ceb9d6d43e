"""When a layer's publisher is asked for a key frame: at once, then each second until one comes,
whoever wished it and however often (RFC 4585 §6.3.1, RFC 5104 §4.3.1).

Who has a picture and only wishes a better one is patient: many of them share one key frame.
"""

from typing import Final

from live.relay.core import rtcp
from signaling.ports import Track

EVERY_S: Final = 1.0
PATIENCE_S: Final = 4.0
"""So long after the last key frame, or the last request, the patient have theirs asked for."""


class KeyFrameRequests:
    """The requests for one layer; `count` of them were made."""

    def __init__(self, track: Track) -> None:
        self.count = 0
        self._pli, self._fir = track.pli, track.fir
        self._wanted = self._wished = False
        self._asked_at = self._came_at = float("-inf")

    def want(self, *, patient: bool = False) -> None:
        """Somebody needs a key frame, or would like one."""
        self._wished = self._wished or patient
        self._wanted = self._wanted or not patient

    def came(self, now: float) -> None:
        """One began: no need to ask any more."""
        self._wanted = self._wished = False
        self._came_at = now

    def due(self, sender: int, media: int, now: float) -> bytes:
        """The request to send now, empty when none is due or the offer agreed to none."""
        since = now - self._asked_at
        if self._wished and min(since, now - self._came_at) >= PATIENCE_S:
            self._wanted = True
        if not self._wanted or since < EVERY_S or not (self._pli or self._fir):
            return b""
        self._asked_at = now
        self.count += 1
        if self._pli:
            return rtcp.picture_loss(sender, media)
        # A command repeated under its old number is not obeyed twice, and its key frame may be
        # what was lost: a second later it is a new command.
        return rtcp.full_intra(sender, media, self.count & 0xFF)
