"""What can be wrong with a request before any package sees it, and with the server's own start."""

from typing import Any, ClassVar


class ServerError(Exception):
    """Base of the server's refusals. `code` names the problem, `facts` are told with it."""

    code: ClassVar[str]

    def __init__(self, detail: str = "", **facts: Any) -> None:
        super().__init__(detail)
        self.facts = facts


class MalformedError(ServerError):
    """The body is not JSON."""

    code = "malformed"


class InvalidError(ServerError):
    """Well-formed, but not what this operation takes."""

    code = "invalid"


class CardNumberError(ServerError):
    """A text holds the number of a payment card, which nobody may give us."""

    code = "card_number"


class UnsupportedMediaTypeError(ServerError):
    """The body's type is not the one this operation reads."""

    code = "unsupported_media_type"


class TooLargeError(ServerError):
    """The body is larger than its limit, told in `limit_bytes`."""

    code = "too_large"


class SignInRequiredError(ServerError):
    """Nobody is signed in, or the access token is stale or false."""

    code = "sign_in"


class ForeignOriginError(ServerError):
    """A cookie came along with a request that our own pages did not make."""

    code = "foreign_origin"


class IdempotencyKeyError(ServerError):
    """The header Idempotency-Key is missing or not 1 to 64 printable ASCII characters."""

    code = "idempotency_key"


class StartError(Exception):
    """The server cannot start; the text says why and what to do."""
