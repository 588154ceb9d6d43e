"""Following over HTTP, as typed operations."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from live.discovery.following import Following, Followings

Operation = tuple[str, str, Callable[..., Awaitable[Any]], int]


class FollowingView(msgspec.Struct, frozen=True, kw_only=True):
    """Whether who asks follows the store, and how many do (a few seconds ago)."""

    follows: bool
    followers: int


def operations(followings: Followings) -> list[Operation]:
    """The operations of following."""

    async def look(visitor: str | None, slug: str) -> FollowingView:
        """How many follow a store, and whether one does oneself."""
        return _view(await followings.look(slug, visitor))

    async def follow(person: str, slug: str) -> FollowingView:
        """Follow a store; again it changes nothing."""
        return _view(await followings.set(slug, person, follows=True))

    async def unfollow(person: str, slug: str) -> FollowingView:
        """Follow a store no longer; again it changes nothing."""
        return _view(await followings.set(slug, person, follows=False))

    path = "/stores/{slug}/following"
    return [
        ("GET", path, look, 200),
        ("PUT", path, follow, 200),
        ("DELETE", path, unfollow, 200),
    ]


def _view(following: Following) -> FollowingView:
    return FollowingView(follows=following.follows, followers=following.followers)
