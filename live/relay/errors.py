"""What the relay's operations refuse. Each leaf has the code the answer carries."""

from typing import Any, ClassVar


class RelayError(Exception):
    """Base of the tree; `facts` are told with the code."""

    code: ClassVar[str]

    def __init__(self, detail: str = "", **facts: Any) -> None:
        super().__init__(detail)
        self.facts = facts


class UnknownViewerError(RelayError):
    """Nobody watches here by this session."""

    code = "not_found"


class NodeSilentError(RelayError):
    """The node that has the show's publisher does not answer, or not as a node does."""

    code = "unavailable"


class TooManyReportsError(RelayError):
    """A viewer's page tells more often than anybody can wish."""

    code = "too_many_attempts"
