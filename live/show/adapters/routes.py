"""Shows over HTTP."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any, Literal

import msgspec

from live.show.core.stage import Show, Stage
from live.show.ports import Viewers
from live.show.shows import Patch, Shows

Operation = tuple[str, str, Callable[..., Awaitable[Any]], int]
Title = Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
Moment = Annotated[int, msgspec.Meta(ge=0, le=4_102_444_800_000)]
"""Milliseconds since the epoch, up to the year 2100."""

ProductId = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
StageName = Literal["scheduled", "live", "ended"]


class NewShow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A show to schedule."""

    store: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    title: Title
    starts_at_ms: Moment | None = None


class ShowPatch(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What shall change; what is left out stays."""

    title: Title | msgspec.UnsetType = msgspec.UNSET
    starts_at_ms: Moment | msgspec.UnsetType | None = msgspec.UNSET


class Lineup(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The products a show carries, in order; none: the whole store."""

    products: Annotated[list[ProductId], msgspec.Meta(max_length=100)]


class Pin(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The product to pin, null for none."""

    product: ProductId | None


class ShowView(msgspec.Struct, frozen=True, kw_only=True):
    """A show as everybody sees it."""

    id: str
    store: str
    title: str
    stage: StageName
    on_air: bool
    starts_at_ms: int | None
    started_at_ms: int | None
    ended_at_ms: int | None
    lineup: list[str]
    pinned: str | None
    viewers: int


class ShowList(msgspec.Struct, frozen=True, kw_only=True):
    """Live shows first, then those to come, then ended ones."""

    shows: list[ShowView]


class PublishKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key that may publish the show; it is told only this once."""

    key: str
    whip_url: str


class Desk:
    """Answers for shows. `viewers` counts them; `public_url` is where WHIP clients find us."""

    def __init__(self, shows: Shows, viewers: Viewers, public_url: str) -> None:
        self._shows = shows
        self._viewers = viewers
        self._public_url = public_url

    async def listed(self, stage: StageName | None = None) -> ShowList:
        """List shows."""
        found = await self._shows.listed(Stage(stage) if stage else None)
        return ShowList(shows=await self._views(found))

    async def schedule(self, person: str, body: NewShow) -> ShowView:
        """Schedule a show of one's own store."""
        show = await self._shows.schedule(person, body.store, body.title, body.starts_at_ms)
        return await self._view(show)

    async def look(self, show: str) -> ShowView:
        """One show."""
        return await self._view(await self._shows.show(show))

    async def edit(self, person: str, show: str, body: ShowPatch) -> ShowView:
        """Change a show's title or start."""
        patch = Patch(
            title=None if body.title is msgspec.UNSET else body.title,
            starts=body.starts_at_ms is not msgspec.UNSET,
            starts_at_ms=body.starts_at_ms if isinstance(body.starts_at_ms, int) else None,
        )
        return await self._view(await self._shows.edit(person, show, patch))

    async def publish_key(self, person: str, show: str) -> PublishKey:
        """Make a new publish key; the older one is revoked."""
        key = await self._shows.new_publish_key(person, show)
        return PublishKey(key=key, whip_url=f"{self._public_url}/whip/{show}")

    async def end(self, person: str, show: str) -> ShowView:
        """End a show for good."""
        return await self._view(await self._shows.end(person, show))

    async def arrange(self, person: str, show: str, body: Lineup) -> ShowView:
        """Set the line-up."""
        return await self._view(await self._shows.arrange(person, show, body.products))

    async def pin(self, person: str, show: str, body: Pin) -> ShowView:
        """Pin a product, or none."""
        return await self._view(await self._shows.pin(person, show, body.product))

    async def _view(self, show: Show) -> ShowView:
        return (await self._views([show]))[0]

    async def _views(self, found: Sequence[Show]) -> list[ShowView]:
        on_air = await self._shows.on_air([show.id for show in found])
        counts = await asyncio.gather(*(self._count(show) for show in found))
        return [
            view(show, show.id in on_air, count) for show, count in zip(found, counts, strict=True)
        ]

    async def _count(self, show: Show) -> int:
        return 0 if show.stage is Stage.ENDED else await self._viewers(show.id)


def operations(shows: Shows, *, viewers: Viewers, public_url: str) -> list[Operation]:
    """The operations of shows."""
    desk = Desk(shows, viewers, public_url)
    return [
        ("GET", "/shows", desk.listed, 200),
        ("POST", "/shows", desk.schedule, 201),
        ("GET", "/shows/{show}", desk.look, 200),
        ("PATCH", "/shows/{show}", desk.edit, 200),
        ("POST", "/shows/{show}/publish-key", desk.publish_key, 201),
        ("POST", "/shows/{show}/end", desk.end, 200),
        ("PUT", "/shows/{show}/lineup", desk.arrange, 200),
        ("POST", "/shows/{show}/pin", desk.pin, 200),
    ]


def view(show: Show, on_air: bool, viewers: int) -> ShowView:
    """A show as everybody sees it; an ended one is never on air."""
    return ShowView(
        id=show.id,
        store=show.store,
        title=show.title,
        stage=show.stage.value,
        on_air=on_air and show.stage is not Stage.ENDED,
        starts_at_ms=show.starts_at_ms,
        started_at_ms=show.started_at_ms,
        ended_at_ms=show.ended_at_ms,
        lineup=list(show.lineup),
        pinned=show.pinned,
        viewers=viewers,
    )


async def _count(viewers: Viewers, show: Show) -> int:
    return 0 if show.stage is Stage.ENDED else await viewers(show.id)
