"""Token buckets: how often somebody may do something.

A bucket holds at most `burst` tokens and gains `per_s` of them each second. Times are seconds of
any clock that never runs backwards; a `now` from before the last call counts as no time passed.
"""

from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True)
class Rate:
    """`burst` at once, `per_s` each second in the long run."""

    burst: float
    per_s: float


MESSAGES: Final = Rate(burst=40, per_s=10)
"""All messages of one connection; above it the connection is closed (4029)."""
TALK: Final = Rate(burst=5, per_s=1)
"""Sayings of one person, over all of its connections to a room here; above it: refused."""
SELLER_TALK: Final = Rate(burst=20, per_s=5)
"""The same for the show's seller, who answers many."""
HEARTS: Final = Rate(burst=100, per_s=30)
"""Hearts of one connection; above it they are dropped."""
QUESTION_COST: Final = 2.0
"""A question costs as much as this many other sayings."""
SYNC_COST: Final = 8.0
"""A `sync` costs as much as this many other messages."""
IDS_PAID: Final = 32
"""So many of a person's last sayings are known to be paid for; the oldest is forgotten."""
PAID_S: Final = 240.0
"""So long; the store remembers for longer that a saying was said."""


@dataclass(slots=True)
class Bucket:
    """One bucket; it starts full."""

    rate: Rate
    _tokens: float = field(init=False)
    _since: float | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self._tokens = self.rate.burst

    def take(self, now: float, cost: float = 1.0) -> bool:
        """Take `cost` tokens, or none and False."""
        self._refill(now)
        if self._tokens < cost:
            return False
        self._tokens -= cost
        return True

    def take_up_to(self, now: float, wanted: int) -> int:
        """Take as many whole tokens as there are, at most `wanted`; how many that was."""
        self._refill(now)
        taken = min(wanted, int(self._tokens))
        self._tokens -= taken
        return taken

    def full(self, now: float) -> bool:
        """Whether the bucket remembers nothing: forgetting it then changes nothing."""
        self._refill(now)
        return self._tokens >= self.rate.burst

    def _refill(self, now: float) -> None:
        if self._since is None or now > self._since:
            passed = 0.0 if self._since is None else now - self._since
            self._tokens = min(self.rate.burst, self._tokens + passed * self.rate.per_s)
            self._since = now


@dataclass(slots=True)
class TalkBucket(Bucket):
    """A person's sayings: what is paid for may be repeated by its id."""

    _paid: dict[str, float] = field(init=False, default_factory=dict)
    """Until when, by the ids of sayings; the oldest comes first."""

    def afford(self, saying: str, now: float, cost: float = 1.0) -> bool:
        """Whether it is paid for already, or is now."""
        return now < self._paid.get(saying, now) or self.take(now, cost)

    def keep(self, saying: str, now: float) -> None:
        """It was taken: for a while it costs nothing again."""
        if now < self._paid.get(saying, now):
            return
        self._paid.pop(saying, None)
        if len(self._paid) >= IDS_PAID:
            del self._paid[next(iter(self._paid))]
        self._paid[saying] = now + PAID_S


class Buckets:
    """The buckets of a room's persons: shared by a person's connections, kept until full again.

    Leaving and coming back therefore wins nobody a fresh burst.
    """

    def __init__(self) -> None:
        self._buckets: dict[str, TalkBucket] = {}

    def __len__(self) -> int:
        """How many persons are remembered."""
        return len(self._buckets)

    def of(self, person: str, rate: Rate) -> TalkBucket:
        """The person's bucket, made when there is none or the rate is another."""
        bucket = self._buckets.get(person)
        if bucket is None or bucket.rate != rate:
            bucket = self._buckets[person] = TalkBucket(rate)
        return bucket

    def forget_full(self, now: float) -> None:
        """Forget whoever has been silent long enough."""
        for person in [p for p, bucket in self._buckets.items() if bucket.full(now)]:
            del self._buckets[person]
