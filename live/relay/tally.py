"""What happened on this node since it started, in shows that are over and to viewers who left too.

A session is held on to until it has been counted to its end, so nothing is missed and no total ever
falls. Only totals are kept of what has ended.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from live.relay.publisher import Publisher
from live.relay.viewer import Viewer

SWEEP_LEAST: Final = 64


class Totals(NamedTuple):
    """Counts since the start; `wished` are viewers' requests for key frames, `asked` ours to
    publishers; `lost` is what did not come from publishers by itself."""

    packets_out: int = 0
    retransmissions: int = 0
    key_frames_wished: int = 0
    freezes: int = 0
    frozen_s: float = 0.0
    lost: int = 0
    nacks: int = 0
    repaired: int = 0
    key_frames_asked: int = 0


class Tally:
    """The sums over all sessions that are followed."""

    def __init__(self) -> None:
        self._past = Totals()
        self._sessions: set[Viewer | Publisher] = set()
        self._sweep_at = SWEEP_LEAST

    def __len__(self) -> int:
        """How many sessions are held on to."""
        return len(self._sessions)

    def follow(self, session: Viewer | Publisher) -> None:
        """A session began."""
        if len(self._sessions) >= self._sweep_at:
            self._sweep()
            self._sweep_at = max(2 * len(self._sessions), SWEEP_LEAST)
        self._sessions.add(session)

    def totals(self) -> Totals:
        """All that happened so far."""
        self._sweep()
        return _sum([self._past, *map(_counted, self._sessions)])

    def _sweep(self) -> None:
        ended = [session for session in self._sessions if session.ended]
        self._past = _sum([self._past, *map(_counted, ended)])
        self._sessions.difference_update(ended)


def _sum(rows: Iterable[Totals]) -> Totals:
    return Totals(*map(sum, zip(*rows, strict=True)))


def _counted(session: Viewer | Publisher) -> Totals:
    if isinstance(session, Publisher):
        inlets = session.inlets
        return Totals(
            lost=sum(inlet.lost for inlet in inlets),
            nacks=sum(inlet.repairs.asked for inlet in inlets),
            repaired=sum(inlet.repairs.repaired for inlet in inlets),
            key_frames_asked=sum(inlet.key_frames.count for inlet in inlets),
        )
    return Totals(
        packets_out=session.packets,
        retransmissions=session.repetitions.sent,
        key_frames_wished=session.key_frame_requests,
        freezes=session.freezes,
        frozen_s=session.frozen_s,
    )
