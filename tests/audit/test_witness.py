"""A witness counts what the audit is there to find."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from tests.audit.witness import Witness


@pytest.fixture
def witness() -> Iterator[Witness]:
    """One who was welcomed at the place 10 of the epoch `a`, and knows one product."""
    with socket.socket() as connection:
        witness = Witness(connection)
        witness.welcome(welcome("a", 10))
        yield witness


def welcome(epoch: str, offset: int, *, recovered: bool = False) -> dict[str, Any]:
    products = [{"id": "rose", "version": 4}]
    place = {"epoch": epoch, "offset": offset, "recovered": recovered}
    return {"type": "welcome", "products": products, "talk": [{"text": "3 안녕"}], **place}


def price(offset: int, version: int) -> dict[str, Any]:
    return {"type": "price", "product": "rose", "version": version, "offset": offset}


def faults(witness: Witness) -> tuple[int, int, int]:
    return witness.missing, witness.repeated, witness.outdated


def test_all_is_well(witness: Witness) -> None:
    witness.take(price(11, 5))
    witness.take({"type": "product", "product": {"id": "rose", "version": 5}, "offset": 12})
    witness.welcome(welcome("a", 12, recovered=True))
    witness.take(price(13, 6))
    assert faults(witness) == (0, 0, 0)
    assert witness.known == {"rose": 6}
    assert (witness.welcomes, witness.anew, witness.told) == (2, 0, 3)


def test_a_welcome_may_tell_of_what_follows_it(witness: Witness) -> None:
    witness.take(price(11, 4))
    assert faults(witness) == (0, 0, 0)


def test_a_gap_is_found(witness: Witness) -> None:
    witness.take(price(13, 5))
    assert faults(witness) == (2, 0, 0)


def test_what_is_told_twice_is_found(witness: Witness) -> None:
    witness.take(price(11, 5))
    witness.take(price(11, 5))
    assert faults(witness) == (0, 1, 1)


def test_an_older_version_after_a_newer_one_is_found(witness: Witness) -> None:
    witness.take(price(11, 6))
    witness.take(price(12, 5))
    assert faults(witness) == (0, 0, 1)
    assert witness.known == {"rose": 6}


@pytest.mark.parametrize(("epoch", "offset"), [("a", 12), ("b", 11)])
def test_a_recovery_that_leaves_something_out_is_found(
    witness: Witness, epoch: str, offset: int
) -> None:
    witness.take(price(11, 5))
    witness.welcome(welcome(epoch, offset, recovered=True))
    assert faults(witness) == (1, 0, 0)


def test_who_begins_anew_knows_what_it_is_told(witness: Witness) -> None:
    witness.take(price(11, 9))
    witness.welcome(welcome("b", 2))
    witness.take(price(3, 5))
    assert faults(witness) == (0, 0, 0)
    assert witness.anew == 1
    assert witness.known == {"rose": 5}


def test_sayings_are_noted_wherever_they_are_told(witness: Witness) -> None:
    witness.hear(1)
    assert list(witness.heard) == [0, 1, 0, 1]
