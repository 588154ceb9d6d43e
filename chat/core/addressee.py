"""Who an event is for, as one short text beside it.

One sequence of numbers counts the events for everybody and those for a few; a viewer is told the
ones that are for it.
"""

from typing import Final

EVERYBODY: Final = ""
SELLER: Final = "seller"
MODERATORS: Final = "moderators"
"""The moderators and the seller."""
NODES: Final = "nodes"
"""No viewer: the nodes that have the room are to do something."""


def person(account: str) -> str:
    """One person alone, on all of its connections."""
    return f"@{account}"


def is_person(to: str) -> bool:
    """Whether this is one person alone."""
    return to.startswith("@")
