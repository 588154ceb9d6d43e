"""The demo's picture says its moment to people and to machines, and survives its encoding."""

import numpy as np
import pytest

from live.demo.picture import HEIGHT, WIDTH, Picture, read_strip

MOMENT_MS = 1_795_516_495_758


@pytest.mark.parametrize("moment_ms", [0, MOMENT_MS, (1 << 48) - 1])
def test_the_strip_says_the_moment(moment_ms: int) -> None:
    frame = Picture().draw(moment_ms, "12:34:56.789")
    assert frame.shape == (HEIGHT * 3 // 2, WIDTH)
    assert read_strip(frame[:HEIGHT]) == moment_ms


def test_a_smaller_picture_says_it_too() -> None:
    luma = Picture().draw(MOMENT_MS, "12:34:56.789")[:HEIGHT]
    assert read_strip(luma[::2, ::2]) == MOMENT_MS


def test_the_picture_moves_and_does_not_depend_on_what_was_drawn_before() -> None:
    picture = Picture()
    first = picture.draw(MOMENT_MS, "12:34:56.789")
    assert not np.array_equal(first, picture.draw(MOMENT_MS + 500, "12:34:57.289"))
    assert np.array_equal(first, picture.draw(MOMENT_MS, "12:34:56.789"))
