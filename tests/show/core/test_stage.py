"""The table of a show's life."""

from itertools import product

from live.show.core.stage import NEXT, Cue, Show, Stage, advance

SHOW = Show("s1", "flowers", "장미", pinned="p1")


def test_first_picture_makes_it_live() -> None:
    live = advance(SHOW, Cue.MEDIA_FLOWS, 1000)
    assert live is not None
    assert (live.stage, live.started_at_ms, live.pinned) == (Stage.LIVE, 1000, "p1")
    assert advance(live, Cue.MEDIA_STOPS, 2000) is live
    assert advance(live, Cue.MEDIA_FLOWS, 3000) is live
    ended = advance(live, Cue.END, 4000)
    assert ended is not None
    assert (ended.stage, ended.started_at_ms, ended.ended_at_ms) == (Stage.ENDED, 1000, 4000)
    assert ended.pinned is None
    assert advance(ended, Cue.END, 5000) is ended
    assert advance(ended, Cue.MEDIA_FLOWS, 5000) is None


def test_only_media_of_an_ended_show_is_refused() -> None:
    refused = set(product(Stage, Cue)) - set(NEXT)
    assert refused == {(Stage.ENDED, Cue.MEDIA_FLOWS)}
