"""The life of a show: scheduled, live from its first picture, ended for good.

| stage     | media flows | media stops | ended by its seller |
|-----------|-------------|-------------|---------------------|
| scheduled | live        | scheduled   | ended               |
| live      | live        | live        | ended               |
| ended     | refused     | ended       | ended               |

A publisher who leaves and comes back changes nothing but what is on air.
"""

from dataclasses import dataclass, replace
from enum import Enum
from typing import Final


class Stage(Enum):
    """Where a show is in its life; the values go over the wire."""

    SCHEDULED = "scheduled"
    LIVE = "live"
    ENDED = "ended"


class Cue(Enum):
    """What happens to a show."""

    MEDIA_FLOWS = "media flows"
    MEDIA_STOPS = "media stops"
    END = "end"


NEXT: Final = {
    (Stage.SCHEDULED, Cue.MEDIA_FLOWS): Stage.LIVE,
    (Stage.SCHEDULED, Cue.MEDIA_STOPS): Stage.SCHEDULED,
    (Stage.SCHEDULED, Cue.END): Stage.ENDED,
    (Stage.LIVE, Cue.MEDIA_FLOWS): Stage.LIVE,
    (Stage.LIVE, Cue.MEDIA_STOPS): Stage.LIVE,
    (Stage.LIVE, Cue.END): Stage.ENDED,
    (Stage.ENDED, Cue.MEDIA_STOPS): Stage.ENDED,
    (Stage.ENDED, Cue.END): Stage.ENDED,
}
"""(stage, cue) → stage; a pair that is missing is refused."""


@dataclass(frozen=True, slots=True)
class Show:
    """A show as it is kept. Times are milliseconds since the epoch.

    An empty `lineup` carries everything the store has.
    """

    id: str
    store: str
    title: str
    stage: Stage = Stage.SCHEDULED
    starts_at_ms: int | None = None
    started_at_ms: int | None = None
    ended_at_ms: int | None = None
    lineup: tuple[str, ...] = ()
    pinned: str | None = None


def advance(show: Show, cue: Cue, now_ms: int) -> Show | None:
    """The show after the cue; None where the table refuses it."""
    stage = NEXT.get((show.stage, cue))
    if stage is None or stage is show.stage:
        return None if stage is None else show
    if stage is Stage.LIVE:
        return replace(show, stage=stage, started_at_ms=now_ms)
    return replace(show, stage=stage, ended_at_ms=now_ms, pinned=None)
