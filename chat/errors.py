"""What can go wrong in the room's package; refusals of viewers are values, not errors."""

from typing import Any, ClassVar


class ChatError(Exception):
    """The root of the package's errors. `code` names it to clients, `facts` are extra members."""

    code: ClassVar[str] = "chat"

    def __init__(self, text: str = "", facts: dict[str, Any] | None = None) -> None:
        super().__init__(text or self.code)
        self.facts = facts or {}


class UnavailableError(ChatError):
    """Redis does not answer; it is not known whether what was published got through."""

    code = "unavailable"


class EventTooLargeError(ChatError):
    """An event above `EVENT_BYTES`: called wrongly."""

    code = "event_too_large"


class WrongServerError(ChatError):
    """The room is served by a server without `ws=RoomProtocol`: called wrongly."""

    code = "wrong_server"


class TooManyError(ChatError):
    """More sanctions or reports than may be kept at once; fact `limit` names how many."""

    code = "too_many"


class TooOftenError(ChatError):
    """This was done a moment ago; fact `retry_after_s`."""

    code = "too_many_requests"


class TooManyAtOnceError(ChatError):
    """So much of a connection waits for its answer that no more is taken; fact `limit`."""

    code = "too_many_requests"


class MalformedError(ChatError):
    """A message whose members are wrong."""

    code = "invalid"


class UnknownError(ChatError):
    """There is no such show, store, saying or report."""

    code = "not_found"


class ForbiddenError(ChatError):
    """The person may not do this, or not to such a person."""

    code = "forbidden"


class InvalidFaqError(ChatError):
    """An entry of a FAQ says nothing, or is too long."""

    code = "invalid"


class InvalidAnswerError(ChatError):
    """An answer to a question says nothing, or is too long."""

    code = "invalid"


class SettledError(ChatError):
    """A question was answered or dismissed already; fact `state` tells what became of it."""

    code = "conflict"


class InvalidCursorError(ChatError):
    """What was given as the place to go on from is none."""

    code = "invalid"


class DismissedError(ChatError):
    """A room sent its client away for good; fact `close` is the code, or `status` that of HTTP."""

    code = "dismissed"
