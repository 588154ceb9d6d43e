"""Every error of every package has its status."""

from collections.abc import Iterator

import pytest

from cart.errors import CartError
from chat.errors import ChatError
from live.accounts.errors import AccountsError
from live.server.errors import ServerError
from live.server.responses import STATUS, answer
from live.show.errors import ShowError
from signaling.errors import SignalingError

TREES = (CartError, ChatError, AccountsError, ServerError, ShowError, SignalingError)
CALLED_WRONGLY = frozenset({"event_too_large", "wrong_server"})
"""Faults of ours: 500."""
OF_CLIENTS = frozenset({"dismissed"})
"""Raised in a program that is a client of rooms: no server answers with them."""


def leaves(tree: type[Exception]) -> Iterator[type[Exception]]:
    for branch in tree.__subclasses__():
        yield branch
        yield from leaves(branch)


@pytest.mark.parametrize("tree", TREES)
def test_every_error_has_its_status(tree: type[Exception]) -> None:
    codes = {leaf.code for leaf in leaves(tree)}  # type: ignore[attr-defined]
    assert codes
    assert codes - CALLED_WRONGLY - OF_CLIENTS <= set(STATUS)


def test_what_is_no_refusal_has_no_answer() -> None:
    assert answer(ValueError("a fault of ours")) is None
    assert answer(KeyError()) is None
