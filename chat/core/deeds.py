"""What was done in a room, as the audit trail tells it, and what viewers reported."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

REASON_CHARS: Final = 200
"""The longest reason somebody may give."""
REPORTS_OPEN: Final = 20
"""So many reports of one person may wait in a show; more are refused."""
SANCTIONS_HELD: Final = 10_000
"""So many sanctions may hold in a store at once; more are refused."""

Reason = Annotated[str, Meta(max_length=REASON_CHARS)]


class Deed(msgspec.Struct, frozen=True, kw_only=True):
    """Who did what to whom, when and why; `show` and `message` where there is one.

    `what` is the name of an action (`chat.core.moderation.Action`), `detail` says more.
    """

    store: str
    actor: str
    what: str
    at_ms: int
    show: str | None = None
    whom: str | None = None
    message: str | None = None
    detail: str = ""
    reason: str = ""


class Noted(msgspec.Struct, frozen=True, kw_only=True):
    """A deed with its place in the trail."""

    id: int
    deed: Deed


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A saying a viewer does not want to see; `id` 0 before it is kept."""

    show: str
    message: str
    author: str
    name: str
    text: str
    reporter: str
    reason: str
    at_ms: int
    id: int = 0
