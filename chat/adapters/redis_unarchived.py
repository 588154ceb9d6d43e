"""What was said and waits for the archive, in Redis: a stream for each show, of bounded length.

One node at a time takes a show's sayings, and takes them away once they are archived; a node that
dies between the two has them archived again by another, which changes nothing.
"""

from collections.abc import Sequence
from typing import Any, Final

from redis.asyncio import Redis

from chat.adapters import redis_keys
from chat.adapters.redis_client import unavailable
from chat.core import archive
from chat.core.archive import Share
from chat.core.pending import ORPHAN_AFTER_S
from chat.ports import Orphan, Taken, Unarchived

WAITING_SAYINGS: Final = 50_000
"""So many of a show may wait; then the oldest are dropped and counted."""
LEASE_MS: Final = 2_000
"""A node that took sayings may take more; no other one may for so long."""
ORPHANS_AT_ONCE: Final = 200

ENLIST: Final = "return redis.call('ZADD', KEYS[1], redis.call('TIME')[1], ARGV[1])"
"""KEYS: the shows to archive. ARGV: one."""

_ORPHANS: Final = """\
local before = redis.call('TIME')[1] - ARGV[1]
return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', before, 'WITHSCORES', 'LIMIT', 0, ARGV[2])
"""
"""KEYS: the shows to archive. ARGV: seconds since they were enlisted, how many."""

_DELIST: Final = """\
if redis.call('ZSCORE', KEYS[1], ARGV[1]) == ARGV[2] then redis.call('ZREM', KEYS[1], ARGV[1]) end
"""
"""KEYS: the shows to archive. ARGV: one, and when it was enlisted: not if that has changed."""

_TAKE: Final = """\
local holder = redis.call('GET', KEYS[2])
if holder and holder ~= ARGV[1] then return false end
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
local lost = redis.call('GETDEL', KEYS[3])
local entries = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', ARGV[3])
return {entries, redis.call('XLEN', KEYS[1]), tonumber(lost or 0)}
"""
"""KEYS: unarchived, archivist, lost. ARGV: the node, milliseconds it may go on, how many."""


class RedisUnarchived(Unarchived):
    """The streams as one node sees them. `node`: its name, unlike any other's."""

    def __init__(self, client: Redis, node: str) -> None:
        self._client = client
        self._node = node

    async def take(self, share: Share) -> Sequence[Taken | None]:
        """The oldest sayings of each show; None where another node is at it."""
        with unavailable():
            async with self._client.pipeline(transaction=False) as pipeline:
                for show in share.shows:
                    keys = (
                        redis_keys.unarchived(show),
                        redis_keys.archivist(show),
                        redis_keys.unarchived_lost(show),
                    )
                    args = (self._node, str(LEASE_MS), str(share.each))
                    pipeline.eval(_TAKE, len(keys), *keys, *args)
                answers = await pipeline.execute()
        return [
            None if answer is None else _taken(show, *answer)
            for show, answer in zip(share.shows, answers, strict=True)
        ]

    async def archived(self, taken: Sequence[Taken]) -> None:
        """These are in the archive: they wait no longer."""
        with unavailable():
            async with self._client.pipeline(transaction=False) as pipeline:
                for each in taken:
                    if each.entries:
                        pipeline.xdel(redis_keys.unarchived(each.show), *each.entries)
                await pipeline.execute()

    async def orphans(self) -> Sequence[Orphan]:
        """Shows of which no node has said for `ORPHAN_AFTER_S` that something is said there."""
        with unavailable():
            found: Any = await self._client.eval(
                *(_ORPHANS, 1, redis_keys.TO_ARCHIVE),
                *(str(ORPHAN_AFTER_S), str(ORPHANS_AT_ONCE)),
            )
        return [
            Orphan(show.decode(), since.decode())
            for show, since in zip(found[::2], found[1::2], strict=True)
        ]

    async def delist(self, orphans: Sequence[Orphan]) -> None:
        """Nothing waits there, unless something was said since they were found."""
        with unavailable():
            async with self._client.pipeline(transaction=False) as pipeline:
                for orphan in orphans:
                    words = (_DELIST, 1, redis_keys.TO_ARCHIVE, orphan.show, orphan.since)
                    pipeline.eval(*words)
                await pipeline.execute()


def _taken(show: str, entries: list[tuple[bytes, list[bytes]]], waiting: int, lost: int) -> Taken:
    read = []
    for entry, fields in entries:
        members = dict(zip(fields[::2], fields[1::2], strict=True))
        shadowed = members.get(b"shadowed") == b"1"
        read.append(
            archive.read(show, _number(entry), members.get(b"said", b""), shadowed=shadowed)
        )
    sayings = [saying for saying in read if saying is not None]
    return Taken(
        show=show,
        entries=[entry for entry, _ in entries],
        sayings=sayings,
        left=waiting - len(entries),
        lost=lost + len(read) - len(sayings),
    )


def _number(entry: bytes) -> int:
    ms, _, count = entry.partition(b"-")
    return archive.number_of(int(ms), int(count))
