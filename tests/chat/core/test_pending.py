"""Where something may wait for the archive: no show is forgotten, whatever happens in between."""

from hypothesis import given
from hypothesis import strategies as st

from chat.core.pending import ENLIST_EVERY_S, ORPHAN_AFTER_S, Pending

SHOWS = st.sampled_from(["spring", "summer", "autumn"])
STEPS = st.lists(
    st.tuples(st.sampled_from(["say", "take", "fail"]), SHOWS, st.floats(0, 20)), max_size=40
)


def test_a_show_is_enlisted_before_it_could_be_taken_for_an_orphan() -> None:
    pending = Pending()
    assert pending.enlists("spring", 0.0)
    assert pending.enlists("spring", 0.1)
    pending.enlisted("spring", 0.0)
    assert not pending.enlists("spring", ENLIST_EVERY_S - 0.1)
    assert pending.enlists("spring", ENLIST_EVERY_S)
    assert pending.enlists("autumn", 0.1)
    assert ORPHAN_AFTER_S > 2 * ENLIST_EVERY_S


@given(STEPS)
def test_every_show_that_is_noted_is_taken_once(steps: list[tuple[str, str, float]]) -> None:
    pending, waiting, now = Pending(), set[str](), 0.0
    enlisted: dict[str, float] = {}
    for step, show, passed in steps:
        now += passed
        if step == "take":
            taken = pending.take(now)
            assert len(taken) == len(set(taken))
            assert set(taken) == waiting
            waiting.clear()
            continue
        wanted = pending.enlists(show, now)
        assert wanted is not (now - enlisted.get(show, -99.0) < ENLIST_EVERY_S)
        if wanted and step == "say":
            pending.enlisted(show, now)
            enlisted[show] = now
        pending.note(show)
        waiting.add(show)
