"""The waitlist's arithmetic: first come first served, and nobody waits while a unit is free."""

from dataclasses import dataclass, replace

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from cart.core.deal import Deal, DealKind, DealState
from cart.core.hold import COUNTED, LIVE, HoldEvent, HoldLine, HoldState
from cart.core.movement import Movement, Reason, Units, moved, taken, turn
from cart.core.stock import (
    Counters,
    Facts,
    Granted,
    HoldRequest,
    KeyReused,
    LimitReached,
    NoSuchSku,
    OutOfBounds,
    Sku,
    SoldOut,
    decide,
)
from cart.core.waitlist import (
    BUYER_LIMIT_WAITS,
    SKU_LIMIT_WAITS,
    AlreadyWaiting,
    Line,
    StillFree,
    TooManyWaits,
    Wait,
    WaitEvent,
    Waiting,
    WaitRefusal,
    WaitRequest,
    WaitState,
    Welcome,
    after,
    judge,
    offer,
)

OFFER_MS = 120_000
LIMIT = 3
SKUS = ("red", "white")
BUYERS = ("haru", "bom", "dal", "byeol")


def sku(name: str = "red", free: int = 0, limit: int | None = LIMIT) -> Sku:
    """A SKU of the camellia."""
    counters = Counters(free, 0, 0)
    return Sku(name, "camellia", "jeju", "동백", (name,), 1_000, "KRW", limit, 1, counters)


def waiting(buyer: str, quantity: int = 1, name: str = "red") -> Waiting:
    """A buyer's wait, called like the buyer."""
    return Waiting(buyer, buyer, name, quantity, "show", OFFER_MS)


def facts(*skus: Sku, has: dict[str, int] | None = None) -> Facts:
    """Facts at one second past the epoch; `has`: what buyers have of the camellia."""
    units = {("camellia", buyer): quantity for buyer, quantity in (has or {}).items()}
    return Facts({one.id: one for one in skus}, units, {}, 1_000, 0)


def request(quantity: int = 1) -> WaitRequest:
    """Haru wants to wait for red ones."""
    return WaitRequest("w", "haru", "k", "red", quantity, None, OFFER_MS)


KEPT = Wait(
    id="w",
    sku="red",
    product="camellia",
    title="동백",
    options=("red",),
    quantity=1,
    show=None,
    state=WaitState.LEFT,
    place=None,
    offer_ms=OFFER_MS,
    expires_at_ms=None,
    now_ms=1_000,
)
LINE = Line(sku=sku(), kept=None, lives=False, has=0, own=0, length=0)


@pytest.mark.parametrize(
    ("quantity", "line", "judged"),
    [
        (1, LINE, Welcome()),
        (3, LINE, Welcome()),
        (0, LINE, OutOfBounds(99)),
        (100, LINE, OutOfBounds(99)),
        (1, replace(LINE, sku=None), NoSuchSku("red")),
        (1, replace(LINE, sku=sku(free=2)), StillFree("red", 2)),
        (1, replace(LINE, lives=True), AlreadyWaiting()),
        (2, replace(LINE, has=2), LimitReached("camellia", LIMIT)),
        (2, replace(LINE, sku=sku(limit=None), has=9), Welcome()),
        (1, replace(LINE, own=BUYER_LIMIT_WAITS), TooManyWaits(BUYER_LIMIT_WAITS)),
        (1, replace(LINE, length=SKU_LIMIT_WAITS), TooManyWaits(SKU_LIMIT_WAITS)),
        (1, replace(LINE, kept=KEPT, lives=True), KEPT),
        (2, replace(LINE, kept=KEPT), KeyReused()),
    ],
)
def test_who_may_wait(quantity: int, line: Line, judged: Welcome | Wait | WaitRefusal) -> None:
    assert judge(request(quantity), line) == judged


def test_first_come_first_served_and_the_last_gets_what_is_left() -> None:
    line = [waiting("haru", 2), waiting("bom", 2), waiting("dal")]
    offers = offer(line, facts(sku(free=3)))
    made = [(buyer, hold.id, hold.quantity) for buyer, _, hold in offers.made]
    assert made == [("haru", "haru", 2), ("bom", "bom", 1)]
    assert {hold.expires_at_ms for _, _, hold in offers.made} == {1_000 + OFFER_MS}
    assert offers.passed == [], "dal goes on waiting"


def test_who_may_have_no_more_is_passed_over_and_who_may_have_fewer_gets_fewer() -> None:
    line = [waiting("haru"), waiting("bom", 3)]
    offers = offer(line, facts(sku(free=5), has={"haru": LIMIT, "bom": 1}))
    assert offers.passed == ["haru"]
    assert [(buyer, hold.quantity) for buyer, _, hold in offers.made] == [("bom", 2)]


def test_an_offer_in_a_deals_show_is_at_the_deals_price_for_what_is_left_of_it() -> None:
    deal = Deal(
        id="d",
        store="jeju",
        show="show",
        product="camellia",
        kind=DealKind.FLASH,
        state=DealState.RUNNING,
        price_minor=700,
        percent_off=None,
        skus=(),
        units=4,
        taken=2,
        limit_per_buyer=None,
        shuts=True,
        length_ms=60_000,
        starts_at_ms=0,
        ends_at_ms=60_000,
        version=1,
    )
    line = [replace(waiting("dal"), show=None), waiting("haru", 3), waiting("bom")]
    offers = offer(line, replace(facts(sku(free=5)), deals={"camellia": deal}))
    ((buyer, _, hold),) = offers.made
    assert (buyer, hold.quantity, hold.price_minor, hold.deal) == ("haru", 2, 700, "d")
    assert offers.passed == ["dal", "bom"], "the product is sold in the deal or not at all"


def test_waits_for_two_skus_of_a_product_count_together() -> None:
    line = [waiting("haru", 2), replace(waiting("haru", 2, "white"), id="second")]
    offers = offer(line, facts(sku(free=2), sku("white", free=2)))
    assert [(hold.id, hold.quantity) for _, _, hold in offers.made] == [("haru", 2), ("second", 1)]


@dataclass
class Own:
    """A hold of the model."""

    buyer: str
    sku: str
    quantity: int
    state: HoldState


class Counter(RuleBasedStateMachine):
    """Buyers, a seller and the clock at one product of two SKUs, all doors leading to `offer`."""

    def __init__(self) -> None:
        super().__init__()
        self.skus = {name: sku(name) for name in SKUS}
        self.holds: dict[str, Own] = {}
        self.line: list[Waiting] = []
        self.states: dict[str, WaitState] = {}
        self.count = 0

    def name(self) -> str:
        self.count += 1
        return f"{self.count:06}"

    def units(self) -> dict[tuple[str, str], int]:
        has = {("camellia", buyer): 0 for buyer in BUYERS}
        for own in self.holds.values():
            if own.state in COUNTED:
                has["camellia", own.buyer] += own.quantity
        return has

    def facts(self) -> Facts:
        return Facts(self.skus, self.units(), {}, 1_000, 0)

    def move(self, movements: list[Movement]) -> None:
        self.skus = self.skus | moved(self.skus, movements)

    def write(self, movements: list[Movement]) -> None:
        """The one door: what became free is offered before anything else happens."""
        self.move(movements)
        freed = {movement.sku for movement in movements if movement.free > 0}
        while turns := self.first(freed):
            offers = offer(turns, self.facts())
            assert offers.made or offers.passed, "the line would never end"
            for buyer, _, hold in offers.made:
                self.step(hold.id, WaitEvent.OFFER)
                self.holds[hold.id] = Own(buyer, hold.sku, hold.quantity, hold.state)
            for passed in offers.passed:
                self.step(passed, WaitEvent.SKIP)
            over = {hold.id for _, _, hold in offers.made} | set(offers.passed)
            left = [wait for wait in turns if wait.id not in over]
            assert all(
                wait.id < other.id
                for wait in turns
                if wait.id in over
                for other in left
                if other.sku == wait.sku
            ), "somebody was overtaken"
            self.line = [wait for wait in self.line if wait.id not in over]
            self.move(taken(hold for _, _, hold in offers.made))

    def first(self, freed: set[str]) -> list[Waiting]:
        turns: list[Waiting] = []
        for one in freed:
            line = [wait for wait in self.line if wait.sku == one]
            turns += line[: self.skus[one].counters.free]
        return sorted(turns, key=lambda wait: wait.id)

    def step(self, wait: str, event: WaitEvent) -> None:
        state = after(self.states[wait], event)
        assert state is not None, f"{self.states[wait]} cannot {event}"
        self.states[wait] = state

    def turn(self, chosen: list[str], event: HoldEvent, follows: WaitEvent) -> None:
        units = [
            Units(one, own.sku, "camellia", own.quantity, own.state)
            for one in chosen
            for own in [self.holds[one]]
        ]
        turned = turn(units, event)
        assert turned is not None
        for one, state in turned.states.items():
            self.holds[one].state = state
            if self.states.get(one) is WaitState.OFFERED:
                self.step(one, follows)
        self.write(list(turned.movements))

    def in_state(self, *states: HoldState) -> list[str]:
        return [one for one, own in self.holds.items() if own.state in states]

    @rule(buyer=st.sampled_from(BUYERS), name=st.sampled_from(SKUS), quantity=st.integers(1, 3))
    def walk_in(self, buyer: str, name: str, quantity: int) -> None:
        line = HoldLine(sku=name, quantity=quantity)
        one = self.name()
        outcome = decide([HoldRequest((one,), buyer, one, (line,), None)], self.facts())
        (decision,) = outcome.decisions
        if any(wait.sku == name for wait in self.line):
            assert isinstance(decision, SoldOut | LimitReached), "somebody overtook who waits"
        if isinstance(decision, Granted):
            self.holds[one] = Own(buyer, name, quantity, HoldState.HELD)
            self.write(taken(decision.holds))

    @rule(buyer=st.sampled_from(BUYERS), name=st.sampled_from(SKUS), quantity=st.integers(1, 3))
    def wait(self, buyer: str, name: str, quantity: int) -> None:
        one = self.name()
        lives = any(wait.buyer == buyer and wait.sku == name for wait in self.line)
        has = self.units()["camellia", buyer]
        line = Line(self.skus[name], None, lives, has, 0, len(self.line))
        request = WaitRequest(one, buyer, one, name, quantity, None, OFFER_MS)
        if isinstance(judge(request, line), Welcome):
            self.line.append(Waiting(one, buyer, name, quantity, None, OFFER_MS))
            self.states[one] = WaitState.WAITING

    @precondition(lambda self: self.line)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        wait = data.draw(st.sampled_from(self.line))
        self.step(wait.id, WaitEvent.LEAVE)
        self.line.remove(wait)

    @precondition(lambda self: self.in_state(HoldState.HELD))
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        one = data.draw(st.sampled_from(self.in_state(HoldState.HELD)))
        self.turn([one], HoldEvent.RELEASE, WaitEvent.DECLINE)

    @precondition(lambda self: self.in_state(HoldState.HELD))
    @rule(data=st.data())
    def order_and_pay(self, data: st.DataObject) -> None:
        one = data.draw(st.sampled_from(self.in_state(HoldState.HELD)))
        for event in (HoldEvent.ORDER, HoldEvent.CLAIM, HoldEvent.SELL):
            self.turn([one], event, WaitEvent.TAKE)

    @precondition(lambda self: self.in_state(*LIVE))
    @rule(data=st.data())
    def expire(self, data: st.DataObject) -> None:
        due = st.lists(st.sampled_from(self.in_state(*LIVE)), min_size=1, unique=True)
        self.turn(data.draw(due), HoldEvent.EXPIRE, WaitEvent.EXPIRE)

    @precondition(lambda self: self.in_state(HoldState.SOLD))
    @rule(data=st.data())
    def refund(self, data: st.DataObject) -> None:
        one = data.draw(st.sampled_from(self.in_state(HoldState.SOLD)))
        self.turn([one], HoldEvent.RELEASE, WaitEvent.DECLINE)

    @rule(name=st.sampled_from(SKUS), change=st.integers(-2, 4))
    def stock(self, name: str, change: int) -> None:
        before = self.skus[name]
        counters = before.counters.stocked(change)
        if counters is not None:
            self.write([Movement(name, Reason.RESTOCK, self.name(), free=change)])

    @invariant()
    def nobody_waits_while_a_unit_is_free(self) -> None:
        for one, now in self.skus.items():
            assert now.counters.free == 0 or not any(wait.sku == one for wait in self.line)

    @invariant()
    def piles_are_what_the_holds_are(self) -> None:
        for one, now in self.skus.items():
            ours = [own for own in self.holds.values() if own.sku == one]
            held = {HoldState.HELD, HoldState.ORDERED, HoldState.PAYING}
            assert now.counters.held == sum(o.quantity for o in ours if o.state in held)
            sold = sum(o.quantity for o in ours if o.state is HoldState.SOLD)
            assert now.counters.sold == sold

    @invariant()
    def nobody_has_more_than_one_may(self) -> None:
        assert all(units <= LIMIT for units in self.units().values())

    @invariant()
    def an_offer_is_a_hold(self) -> None:
        offered = {one for one, state in self.states.items() if state is WaitState.OFFERED}
        assert all(self.holds[one].state is HoldState.HELD for one in offered)
        assert {wait.id for wait in self.line} == {
            one for one, state in self.states.items() if state is WaitState.WAITING
        }


TestCounter = Counter.TestCase
