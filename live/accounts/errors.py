"""What accounts refuse. Each leaf has the code the answer carries."""

from typing import Any, ClassVar


class AccountsError(Exception):
    """Base of the tree; `facts` are told with the code."""

    code: ClassVar[str]

    def __init__(self, detail: str = "", **facts: Any) -> None:
        super().__init__(detail)
        self.facts = facts


class InvalidAccountError(AccountsError):
    """An email, name or password breaks a rule; fact `field` names which."""

    code = "invalid"


class NameRefusedError(AccountsError):
    """Nobody may be called so; fact `reason` tells why."""

    code = "name_refused"


class EmailTakenError(AccountsError):
    """Somebody has an account with this email."""

    code = "email_taken"


class WrongCredentialsError(AccountsError):
    """No account has this email and password; it is not told which of the two is wrong."""

    code = "wrong_credentials"


class TooManyAttemptsError(AccountsError):
    """Too many sign-ins for this email or from this address; fact `retry_after_s`."""

    code = "too_many_attempts"


class SessionOverError(AccountsError):
    """The refresh token is unknown, old, used before or revoked: sign in again."""

    code = "session_over"


class BusyError(AccountsError):
    """Too many passwords wait for being hashed; come back."""

    code = "busy"


class UnknownAccountError(AccountsError):
    """The access token is good, but its account is gone."""

    code = "sign_in"
