"""What is said of the frames on a screen."""

import pytest

from tests.network.seen import Frame, Seen


def seen(*moments: tuple[float, int]) -> Seen:
    frames = tuple(Frame(at, count, 720, None, at) for at, count in moments)
    return Seen(1_000.0, 2_000.0, frames)


def test_rate_counts_frames_that_were_shown_but_not_noted() -> None:
    assert seen((1_100, 5), (1_300, 6), (1_900, 14)).rate == pytest.approx(10)
    assert seen().rate == 0


def test_gaps_begin_and_end_with_the_time_that_was_looked_at() -> None:
    assert seen((1_100, 1), (1_300, 2), (1_900, 3)).longest_gap_ms == 600
    assert seen((1_700, 1), (1_800, 2)).longest_gap_ms == 700
    assert seen((1_100, 1), (1_200, 2)).longest_gap_ms == 800
    assert seen().longest_gap_ms == 1_000


def test_a_later_part_forgets_what_was_before() -> None:
    part = seen((1_100, 1), (1_700, 2), (1_900, 3)).since(1_600)
    assert [frame.at for frame in part.frames] == [1_700, 1_900]
    assert part.longest_gap_ms == 200
    assert part.rate == pytest.approx(5)


def test_share_of_frames_by_their_lines() -> None:
    assert seen((1_100, 1), (1_700, 2)).share(720) == 1
    assert seen((1_100, 1)).share(360) == seen().share(720) == 0
