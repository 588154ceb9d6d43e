"""The log under every order of publishing, losing, repeating, asking and coming back."""

from collections.abc import Sequence

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from chat.core.frames import Event, Lane
from chat.core.log import LOG_BYTES, LOG_EVENTS, NOWHERE, Heard, Log, Position, Tail

STORE_KEEPS = 6


def event(offset: int, packed: bytes = b"\x80") -> Event:
    """A numbered event."""
    return Event(Lane.SHOP, packed, "", offset)


class Store:
    """What numbers the events, and forgets all but the last, and what is erased."""

    def __init__(self) -> None:
        self.epoch = 1
        self.events: list[Event] = []
        self.erased: set[int] = set()

    @property
    def end(self) -> Position:
        return Position(f"{self.epoch}", len(self.events))

    def publish(self) -> Event:
        self.events.append(event(len(self.events) + 1, f"{self.epoch}".encode()))
        return self.events[-1]

    def tail(self, since: Position) -> Tail:
        kept = [one for one in self.events[-STORE_KEEPS:] if one.offset not in self.erased]
        if since.epoch == self.end.epoch:
            kept = [one for one in kept if one.offset > since.offset]
        return Tail(self.end, kept)

    def lose_everything(self) -> None:
        self.epoch, self.events, self.erased = self.epoch + 1, [], set()


class Following(RuleBasedStateMachine):
    """A node that hears some of what is published, and a client of it: what the client was told
    after its last welcome is exactly what was published since."""

    @initialize()
    def open(self) -> None:
        self.store, self.log = Store(), Log()
        self.on_the_way: list[tuple[str, Event]] = []
        self.log.fill(self.store.tail(self.log.position))
        self.client, self.told = self.log.position, list[Event]()
        self.doubtful = False

    @rule()
    def publish(self) -> None:
        self.on_the_way.append((self.store.end.epoch, self.store.publish()))

    @rule(repeat=st.booleans())
    def arrive(self, repeat: bool) -> None:
        if self.on_the_way:
            epoch, heard = self.on_the_way[0] if repeat else self.on_the_way.pop(0)
            outcome = self.log.hear(epoch, heard)
            self.doubtful |= outcome is Heard.GAP
            if outcome is Heard.NEW:
                self._tell([heard])

    @rule(back=st.integers(0, STORE_KEEPS))
    def erase(self, back: int) -> None:
        self.store.erased.add(len(self.store.events) - back)

    @rule()
    def lose(self) -> None:
        if self.on_the_way:
            self.on_the_way.pop(0)

    @rule()
    def ask(self) -> None:
        missing = self.log.fill(self.store.tail(self.log.position))
        self.doubtful = False
        if missing is None:
            self.client, self.told = self.log.position, []
        else:
            self._tell(missing)

    @rule()
    def lose_everything(self) -> None:
        self.store.lose_everything()

    @rule(back=st.integers(0, 8))
    def come_back(self, back: int) -> None:
        """A client that missed the last ones is told exactly these, or that it must look anew."""
        end = self.log.position
        missed = self.log.since(Position(end.epoch, end.offset - back))
        if missed is not None:
            assert [one.offset for one in missed] == [*range(end.offset - back + 1, end.offset + 1)]
        assert self.log.since(Position("another", end.offset)) is None
        assert self.log.since(Position(end.epoch, end.offset + 1)) is None

    def _tell(self, events: Sequence[Event]) -> None:
        self.told.extend(events)

    @invariant()
    def nothing_is_lost_doubled_or_reordered(self) -> None:
        offsets = [one.offset for one in self.told]
        first = self.client.offset + 1
        assert offsets == [*range(first, first + len(offsets))]
        assert self.log.position.offset == self.client.offset + len(offsets)
        if self.log.position.epoch == self.store.end.epoch:
            assert self.told == self.store.events[self.client.offset : self.log.position.offset]

    @invariant()
    def whoever_asks_knows_the_end(self) -> None:
        tail = self.store.tail(self.log.position)
        if self.log.position == self.store.end:
            assert tail.events == []


TestFollowing = Following.TestCase


def test_a_log_that_heard_nothing_takes_what_there_is() -> None:
    log = Log()
    assert log.position == NOWHERE
    assert log.fill(Tail(Position("e", 7), [event(6), event(7)])) is None
    assert log.position == Position("e", 7)
    assert log.since(Position("e", 5)) == [event(6), event(7)]
    assert log.since(Position("e", 4)) is None


def test_a_log_keeps_so_much_and_no_more() -> None:
    log = Log()
    log.fill(Tail(Position("e", 0), []))
    for offset in range(1, LOG_EVENTS + 11):
        assert log.hear("e", event(offset)) is Heard.NEW
    assert log.since(Position("e", 9)) is None
    assert len(log.since(Position("e", 10)) or ()) == LOG_EVENTS
    heavy = b"x" * (LOG_BYTES // 2)
    for offset in range(LOG_EVENTS + 11, LOG_EVENTS + 14):
        log.hear("e", event(offset, heavy))
    assert log.since(Position("e", LOG_EVENTS + 11)) is not None
    assert log.since(Position("e", LOG_EVENTS + 10)) is None


def test_a_log_that_forgot_goes_on_and_tells_nothing_again() -> None:
    log = Log()
    log.fill(Tail(Position("e", 2), [event(1), event(2)]))
    log.forget()
    assert log.since(Position("e", 1)) is None
    assert log.since(Position("e", 2)) == []
    assert log.hear("e", event(3)) is Heard.NEW
    assert log.since(Position("e", 2)) == [event(3)]
    assert log.since(Position("e", 1)) is None


def test_what_was_erased_is_a_gap_for_whoever_comes_back() -> None:
    log = Log()
    kept = [event(offset) for offset in (*range(1, 11), *range(14, 21))]
    assert log.fill(Tail(Position("e", 20), kept)) is None
    assert log.since(Position("e", 5)) is None
    assert log.since(Position("e", 12)) is None
    assert log.since(Position("e", 13)) == [event(offset) for offset in range(14, 21)]


def test_what_was_erased_last_leaves_the_log_at_the_end() -> None:
    log = Log()
    assert log.fill(Tail(Position("e", 20), [event(17)])) is None
    assert log.position == Position("e", 20)
    assert log.since(Position("e", 19)) is None
    assert log.hear("e", event(21)) is Heard.NEW
