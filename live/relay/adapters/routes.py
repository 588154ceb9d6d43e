"""The relay over HTTP: what viewers' pages wish and report, and how a show's media fare.

A viewer's session, as WHEP gave it, is the right to speak for that viewer; its page may come from
another node, so any origin may ask. What is told of a show names no session, and any node tells it:
one without the publisher asks the node that has it.
"""

import math
import time
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final

import msgspec

from live.relay.core.pace import Pace
from live.relay.crowd import NOBODY, AudienceStatistics
from live.relay.errors import TooManyReportsError, UnknownViewerError
from live.relay.relay import Relay
from live.relay.statistics import PublisherStatistics, ShowStatistics, ViewerStatistics

Operation = tuple[str, str, Callable[..., Awaitable[Any]], int]
DemandOwner = Callable[[str, str], Awaitable[object]]
"""Person, show: raises when there is no such show or it is somebody else's."""
Elsewhere = Callable[[str], Awaitable[str | None]]
"""Show: the public URL of another node that has its publisher, if one has."""

VIEWER_PATH: Final = "/shows/{show}/viewers/{session}"
REPORTS_AT_ONCE: Final = 10
REPORTS_EVERY_S: Final = 1.0
"""How often one viewer's page may tell; beyond, it is refused."""
LINES_MOST: Final = 8_640
FREEZES_MOST: Final = 100_000
DAY_S: Final = 86_400

Lines = Annotated[int, msgspec.Meta(ge=1, le=LINES_MOST)]
Freezes = Annotated[int, msgspec.Meta(ge=0, le=FREEZES_MOST)]
Seconds = Annotated[float, msgspec.Meta(ge=0, le=DAY_S)]


class ViewerReport(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a viewer's page wishes, and what it has counted since the session began.

    `paused`: no picture. `max_height`: the most lines worth sending, null for any. `freezes` and
    `frozen_s` as in WebRTC statistics (freezeCount, totalFreezesDuration).
    """

    paused: bool = False
    max_height: Lines | None = None
    freezes: Freezes = 0
    frozen_s: Seconds = 0.0


class Media(msgspec.Struct, frozen=True, kw_only=True):
    """A show's media on one node, as it is now. `viewers`: not more than a couple of hundred."""

    show: str
    publisher: PublisherStatistics | None
    audience: AudienceStatistics
    viewers: tuple[ViewerStatistics, ...]


AskNode = Callable[[str, str, str], Awaitable[Media]]
"""Its URL, person, show: what that node tells. Raises `NodeSilentError`."""


class Desk:
    """Answers for the relay. `clock` gives seconds that never go back."""

    def __init__(
        self,
        relay: Relay,
        demand_owner: DemandOwner,
        elsewhere: Elsewhere,
        ask_node: AskNode,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._relay = relay
        self._demand_owner = demand_owner
        self._elsewhere = elsewhere
        self._ask_node = ask_node
        self._clock = clock
        self._pace = Pace(REPORTS_AT_ONCE, REPORTS_EVERY_S)

    async def tell(self, show: str, session: str, body: ViewerReport) -> None:
        """Say what a viewer's page wishes and has seen.

        To the node that has the session, which is the one that answered the WHEP offer.
        """
        if not self._relay.watches(show, session):
            raise UnknownViewerError("Nobody watches by this session.")
        wait_s = self._pace.wait_s(session, self._clock())
        if wait_s > 0:
            raise TooManyReportsError("Tell less often.", retry_after_s=math.ceil(wait_s))
        self._relay.wish(show, session, paused=body.paused, max_height=body.max_height)
        self._relay.report(show, session, freezes=body.freezes, frozen_s=body.frozen_s)

    async def preflight(self, show: str, session: str) -> None:
        """Ask whether a page of another origin may tell: it may."""

    async def look(self, person: str, show: str, here: bool = False) -> Media:
        """How the media of one's own show fare.

        Any node tells, by asking the one that has the publisher; with `here`, of itself alone.
        503 `unavailable` when that node does not answer.
        """
        await self._demand_owner(person, show)
        node = None if here else await self._elsewhere(show)
        if node is not None:
            return await self._ask_node(node, person, show)
        told = self._relay.statistics(show) or ShowStatistics(show, None, NOBODY, ())
        return Media(
            show=show, publisher=told.publisher, audience=told.audience, viewers=told.viewers
        )


def operations(
    relay: Relay, *, demand_owner: DemandOwner, elsewhere: Elsewhere, ask_node: AskNode
) -> list[Operation]:
    """The operations of the relay."""
    desk = Desk(relay, demand_owner, elsewhere, ask_node)
    return [
        ("PUT", VIEWER_PATH, desk.tell, 204),
        ("OPTIONS", VIEWER_PATH, desk.preflight, 204),
        ("GET", "/shows/{show}/media", desk.look, 200),
    ]
