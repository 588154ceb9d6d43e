"""A session's ICE over its restarts (RFC 8445 §2.4, §9).

A restart brings new credentials on both sides. The ones before go on counting until the peer has
nominated a source under the new ones, so that media never pause; a restart that is never finished
ends nothing. Then only sources count that proved themselves anew. Of several unfinished restarts
only the newest counts.
"""

from collections.abc import Hashable

from signaling.core import stun
from signaling.core.ice_lite import IceLite, Ignored, Nominated, Rejected, Reply


class IceSession:
    """The ICE-lite sessions of one peer: the one in force, and one that is to replace it."""

    def __init__(self, first: IceLite) -> None:
        self._current = first
        self._next: IceLite | None = None

    @property
    def newest(self) -> IceLite:
        """What the last answer to the peer spoke of; its user name is the ICE session's tag."""
        return self._next or self._current

    @property
    def ufrags(self) -> set[str]:
        """Our user names under which checks may come."""
        return {ice.ufrag for ice in self._sessions()}

    @property
    def sources(self) -> set[Hashable]:
        """Every source that proved itself."""
        return set().union(*(ice.sources for ice in self._sessions()))

    def restart(self, new: IceLite) -> None:
        """The peer asked for a restart and is told the credentials of `new`."""
        self._next = new

    def receive(
        self, message: stun.Message, source: Hashable, host: str, port: int, now: float
    ) -> Reply | Nominated | Rejected | Ignored:
        """Judge a check as `IceLite.receive` does."""
        ufrag = message.username.partition(":")[0]
        for ice in self._sessions():
            if ice.ufrag == ufrag:
                decision = ice.receive(message, source, host, port, now)
                if ice is self._next and isinstance(decision, Nominated):
                    self._current, self._next = ice, None
                return decision
        return Ignored("another session")

    def renew(self, now: float) -> None:
        """The peer has shown otherwise that it is there."""
        for ice in self._sessions():
            ice.renew(now)

    def forget(self, source: Hashable) -> None:
        """Nothing will come from this source any more."""
        for ice in self._sessions():
            ice.forget(source)

    def expired(self, now: float) -> bool:
        """Whether the peer's consent has run out, under the old and the new credentials."""
        return all(ice.expired(now) for ice in self._sessions())

    def _sessions(self) -> list[IceLite]:
        return [self._current] if self._next is None else [self._current, self._next]
