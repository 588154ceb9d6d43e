"""The names of a show's things in Redis; the braces keep one show in one cluster slot."""

from typing import Final


def events(show: str) -> str:
    """The sharded channel of its events."""
    return f"kkot:{{{show}}}:events"


def sequence(show: str) -> str:
    """The hash that numbers its events: epoch, the store's run, the last offset."""
    return f"kkot:{{{show}}}:sequence"


def log(show: str) -> str:
    """The stream of its last numbered events; an entry's id is its offset."""
    return f"kkot:{{{show}}}:log"


def once(show: str, key: str) -> str:
    """What became of something that is done once, however often it is asked for."""
    return f"kkot:{{{show}}}:once:{key}"


def talk(show: str) -> str:
    """The stream of what was said last."""
    return f"kkot:{{{show}}}:talk"


def whispers(show: str) -> str:
    """The stream of what was said that only its author is told."""
    return f"kkot:{{{show}}}:whispers"


def spoke(show: str, person: str) -> str:
    """When somebody was shown last, for slow mode."""
    return f"kkot:{{{show}}}:spoke:{person}"


def budget(show: str) -> str:
    """The hash of how much was said in this tick and this second."""
    return f"kkot:{{{show}}}:budget"


def hearts(show: str) -> str:
    """The number of its hearts."""
    return f"kkot:{{{show}}}:hearts"


def present(show: str) -> str:
    """The hash of its viewers by node."""
    return f"kkot:{{{show}}}:present"


def peak(show: str) -> str:
    """A sorted set of one member: the most viewers there were at once."""
    return f"kkot:{{{show}}}:peak"


def visitors(show: str) -> str:
    """The HyperLogLog of who came."""
    return f"kkot:{{{show}}}:visitors"


def outdated(show: str, account: str) -> str:
    """Set while nodes may remember numbered events of an erased account that are forgotten."""
    return f"kkot:{{{show}}}:outdated:{account}"


def claimed(show: str, what: str) -> str:
    """Set while something the assistant did is not to be done again."""
    return f"kkot:{{{show}}}:claimed:{what}"


def answered(show: str) -> str:
    """The list of what the assistant answered, newest first."""
    return f"kkot:{{{show}}}:answered"


def unarchived(show: str) -> str:
    """The stream of what was said and is not in the archive yet."""
    return f"kkot:{{{show}}}:unarchived"


def unarchived_lost(show: str) -> str:
    """How many of these were dropped to make room for others."""
    return f"kkot:{{{show}}}:unarchived:lost"


def archivist(show: str) -> str:
    """The node that archives the show's talk at present."""
    return f"kkot:{{{show}}}:archivist"


TO_ARCHIVE: Final = "kkot:to-archive"
"""The sorted set of the shows where something may wait for the archive, by when it was said."""
