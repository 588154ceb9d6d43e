"""One ICE-lite session: which sources proved that they belong to it, and which one to send to.

RFC 8445 with the lite role of §2.5: this side only answers checks, the full peer decides. The
latest source that asks for nomination is the selected one. Every authentic check renews consent,
and so does every authentic report over RTCP: this side sends no checks whose answers could (RFC
7675 §5.1), and a full peer that has chosen its pair need not send any more (RFC 8445 §11). When
neither came for `CONSENT_S`, the peer is gone.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Final

from signaling.core import stun

CONSENT_S: Final = 25.0
"""Silence after which the peer has vanished; a sweep each second frees it within 30 s."""
SOURCE_LIMIT: Final = 64
"""Sources one session may prove; further ones go unanswered."""


@dataclass(frozen=True, slots=True)
class Reply:
    """Answer the check; the source is now known to belong to the session."""

    datagram: bytes


@dataclass(frozen=True, slots=True)
class Nominated:
    """Answer the check, and send to this source from now on."""

    datagram: bytes


@dataclass(frozen=True, slots=True)
class Rejected:
    """Answer with an error; the check counts for nothing."""

    datagram: bytes


@dataclass(frozen=True, slots=True)
class Ignored:
    """Silence."""

    reason: str


class IceLite:
    """The server's half of one ICE session."""

    def __init__(self, ufrag: str, password: str, remote_ufrag: str, now: float) -> None:
        self.ufrag = ufrag
        self.remote_ufrag = remote_ufrag
        self.sources: set[Hashable] = set()
        self.selected: Hashable | None = None
        self._username = f"{ufrag}:{remote_ufrag}"
        self._password = password.encode()
        self._heard_at = now

    def receive(
        self, message: stun.Message, source: Hashable, host: str, port: int, now: float
    ) -> Reply | Nominated | Rejected | Ignored:
        """Judge a check that came from `source`, whose address is `host` and `port`.

        What is not proven to come from the peer gets silence, so that a stranger learns nothing
        and nobody can be flooded with our answers.
        """
        if message.kind not in (stun.BINDING_REQUEST, stun.BINDING_INDICATION):
            return Ignored("not a check")
        if message.username != self._username:
            return Ignored("another session")
        if not message.is_authentic(self._password):
            return Ignored("wrong password")
        if message.kind == stun.BINDING_INDICATION:
            return Ignored("indication")
        if unknown := message.unknown_attributes():
            return Rejected(stun.error(message, 420, unknown, self._password))
        if stun.ICE_CONTROLLED in message.attributes:
            return Rejected(stun.error(message, 487, [], self._password))
        if source not in self.sources and len(self.sources) >= SOURCE_LIMIT:
            return Ignored("too many sources")
        self.sources.add(source)
        self._heard_at = now
        answer = stun.success(message, host, port, self._password)
        if stun.USE_CANDIDATE in message.attributes and source != self.selected:
            self.selected = source
            return Nominated(answer)
        return Reply(answer)

    def renew(self, now: float) -> None:
        """The peer has shown otherwise that it is there."""
        self._heard_at = now

    def forget(self, source: Hashable) -> None:
        """Nothing will come from this source any more."""
        self.sources.discard(source)
        if source == self.selected:
            self.selected = None

    def expired(self, now: float) -> bool:
        """Whether the peer's consent has run out."""
        return now - self._heard_at > CONSENT_S
