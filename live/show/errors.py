"""What shows refuse. Each leaf has the code the answer carries."""

from typing import Any, ClassVar


class ShowError(Exception):
    """Base of the tree; `facts` are told with the code."""

    code: ClassVar[str]

    def __init__(self, detail: str = "", **facts: Any) -> None:
        super().__init__(detail)
        self.facts = facts


class UnknownShowError(ShowError):
    """No show has this id, or no store this slug."""

    code = "not_found"


class NotYoursError(ShowError):
    """The show's store belongs to somebody else."""

    code = "forbidden"


class ShowStartedError(ShowError):
    """Possible only before the show's first picture."""

    code = "show_started"


class ShowEndedError(ShowError):
    """The show is over."""

    code = "show_ended"


class InvalidShowError(ShowError):
    """A title or line-up breaks a rule; fact `field` names which."""

    code = "invalid"
