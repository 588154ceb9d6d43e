"""Answers more than one book gives."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Full:
    """There are as many as there may be."""


@dataclass(frozen=True, slots=True)
class CodeTaken:
    """Something else of its kind in the store has this code, or one of these."""


@dataclass(frozen=True, slots=True)
class DoneBefore:
    """The very same was done under another key."""


@dataclass(frozen=True, slots=True)
class KeyUsed:
    """The key belongs to a different request of the same person."""
