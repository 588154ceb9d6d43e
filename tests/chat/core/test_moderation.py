"""The rules of a room, in virtual time."""

from dataclasses import replace
from random import Random
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from msgspec import to_builtins

from chat.core.frames import numbered, pack
from chat.core.moderation import (
    RANK_NEEDED,
    SLOW_MAX_S,
    Action,
    Audience,
    Deleted,
    Objection,
    PinnedSaying,
    Rules,
    Sanction,
    SanctionKind,
    Settings,
    Speaker,
    decide,
    may,
    read_change,
)
from chat.core.room import Rank

NOW = 1_000_000
KINDS: tuple[SanctionKind, ...] = ("mute", "ban", "shadow_ban")
BOM = Speaker("bom", Rank.VIEWER)


def sanctioned(*sanctions: Sanction, settings: Settings | None = None) -> Rules:
    """Rules with these sanctions."""
    rules = Rules(settings or Settings())
    for sanction in sanctions:
        rules = rules.after(sanction)
    return rules


@pytest.mark.parametrize(
    ("kind", "refused"),
    [("mute", Objection("muted", NOW + 5)), ("ban", Objection("banned", NOW + 5))],
)
def test_a_sanction_binds_its_account_until_its_end(kind: SanctionKind, refused: Objection) -> None:
    rules = sanctioned(Sanction("bom", kind, NOW + 5, 1))
    assert decide(BOM, rules, NOW + 4) == refused
    assert decide(BOM, rules, NOW + 5) is Audience.EVERYBODY
    assert decide(Speaker("dal", Rank.VIEWER), rules, NOW) is Audience.EVERYBODY


def test_a_ban_without_an_end_outlasts_a_mute_and_closes_the_codes() -> None:
    rules = sanctioned(Sanction("bom", "mute", NOW + 5, 1), Sanction("bom", "ban", None, 2))
    assert decide(BOM, rules, NOW * 1_000) == Objection("banned", None)
    assert not rules.may_use_codes("bom", NOW * 1_000)
    assert sanctioned(Sanction("bom", "mute", None, 1)).may_use_codes("bom", NOW)
    lifted = rules.after(Sanction("bom", "ban", None, 3, lifted=True))
    assert lifted.may_use_codes("bom", NOW)


def test_the_shadow_banned_speaks_to_itself_and_learns_of_nothing_else() -> None:
    rules = sanctioned(Sanction("bom", "shadow_ban", None, 1), settings=Settings(slow_s=10))
    assert decide(BOM, rules, NOW) is Audience.SENDER
    frozen = replace(rules, settings=Settings(frozen=True))
    assert decide(BOM, frozen, NOW) == Objection("frozen")


def test_switches_bind_viewers() -> None:
    buyer = Speaker("bom", Rank.VIEWER, buyer=True)
    assert decide(buyer, Rules(Settings(frozen=True)), NOW) == Objection("frozen")
    buyers = Rules(Settings(buyers_only=True))
    assert decide(BOM, buyers, NOW) == Objection("buyers_only")
    assert decide(buyer, buyers, NOW) is Audience.EVERYBODY
    followers = Rules(Settings(followers_only=True))
    assert decide(buyer, followers, NOW) == Objection("followers_only")
    follower = Speaker("bom", Rank.VIEWER, follower=True)
    assert decide(follower, followers, NOW) is Audience.EVERYBODY
    assert decide(follower, buyers, NOW) == Objection("buyers_only")


@pytest.mark.parametrize("rank", [Rank.MODERATOR, Rank.SELLER])
def test_moderators_and_the_seller_are_bound_by_no_rule(rank: Rank) -> None:
    everything = Settings(slow_s=120, buyers_only=True, followers_only=True, frozen=True)
    rules = sanctioned(*(Sanction("bom", kind, None, 1) for kind in KINDS), settings=everything)
    who = Speaker("bom", rank)
    assert decide(who, rules, NOW) is Audience.EVERYBODY


@given(actor=st.sampled_from(Rank), action=st.sampled_from(Action), target=st.sampled_from(Rank))
def test_nobody_acts_against_their_like(actor: Rank, action: Action, target: Rank) -> None:
    allowed = may(actor, action, target)
    if action in {Action.DELETE, Action.SANCTION}:
        assert allowed is (actor > target and actor >= Rank.MODERATOR)
    else:
        assert allowed is (actor >= RANK_NEEDED[action])


def test_every_action_has_its_rank_and_only_reports_are_for_viewers() -> None:
    assert set(RANK_NEEDED) == set(Action)
    assert [action for action in Action if may(Rank.VIEWER, action)] == [Action.REPORT]


@pytest.mark.parametrize(
    "change",
    [
        Settings(slow_s=5, pinned_saying=PinnedSaying("s1", "봄", "꽃"), version=3),
        Sanction("bom", "ban", None, 7),
        Deleted("s1"),
    ],
)
def test_a_change_is_read_back_from_its_event(change: Settings | Sanction | Deleted) -> None:
    assert read_change(numbered(pack(to_builtins(change)), 12)) == change


@pytest.mark.parametrize(
    "event",
    [{"type": "stock"}, {"type": "sanction"}, {"type": "room", "slow_s": 121}, {"no": "type"}],
)
def test_other_events_are_no_changes(event: dict[str, object]) -> None:
    assert read_change(pack(event)) is None


class Nodes(RuleBasedStateMachine):
    """Two nodes hear the same changes, one of them late, doubled and out of order."""

    def __init__(self) -> None:
        super().__init__()
        self.version = 0
        self.prompt = Rules()
        self.late = Rules()
        self.waiting: list[Settings | Sanction] = []
        self.truth: dict[tuple[str, SanctionKind], int | None] = {}
        self.settings = Settings()

    def _commit(self, change: Settings | Sanction) -> None:
        self.prompt = self.prompt.after(change)
        self.waiting.append(change)

    @rule(account=st.sampled_from("ab"), kind=st.sampled_from(KINDS), end=st.integers(1, 9))
    def sanction(self, account: str, kind: SanctionKind, end: int) -> None:
        """Somebody is sanctioned; nine is for ever."""
        self.version += 1
        until = None if end == 9 else NOW + end
        self.truth[account, kind] = until
        self._commit(Sanction(account, kind, until, self.version))

    @rule(account=st.sampled_from("ab"), kind=st.sampled_from(KINDS))
    def lift(self, account: str, kind: SanctionKind) -> None:
        """Somebody is forgiven."""
        self.version += 1
        self.truth.pop((account, kind), None)
        self._commit(Sanction(account, kind, None, self.version, lifted=True))

    @rule(slow_s=st.integers(0, SLOW_MAX_S), frozen=st.booleans())
    def switch(self, slow_s: int, frozen: bool) -> None:
        """The switches are set."""
        self.version += 1
        self.settings = Settings(slow_s=slow_s, frozen=frozen, version=self.version)
        self._commit(self.settings)

    @rule(random=st.randoms(use_true_random=False), doubled=st.booleans())
    def hear(self, random: Random, doubled: bool) -> None:
        """The late node hears what waits."""
        heard = self.waiting * (2 if doubled else 1)
        random.shuffle(heard)
        for change in heard:
            self.late = self.late.after(change)
        self.waiting = []

    @invariant()
    def the_prompt_node_knows_the_truth(self) -> None:
        """At every time, and the late one once it has heard everything."""
        nodes = [self.prompt] if self.waiting else [self.prompt, self.late]
        for rules in nodes:
            assert rules.settings == self.settings
            for account in "ab":
                for kind in KINDS:
                    held = rules.holding(account, kind, NOW + 4)
                    until = self.truth.get((account, kind), 0)
                    assert (held is not None) is (until is None or until > NOW + 4)


TestNodes = Nodes.TestCase


def test_the_rules_cannot_be_changed_in_place() -> None:
    rules = sanctioned(Sanction("bom", "ban", None, 1))
    assert isinstance(rules.sanctions, MappingProxyType)
    assert rules.after(Sanction("bom", "ban", None, 1, lifted=True)) is rules
