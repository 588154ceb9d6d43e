"""What discovery refuses. Each leaf has the code the answer carries."""

from typing import Any, ClassVar


class DiscoveryError(Exception):
    """Base of the tree; `facts` are told with the code."""

    code: ClassVar[str]

    def __init__(self, detail: str = "", **facts: Any) -> None:
        super().__init__(detail)
        self.facts = facts


class RestlessError(DiscoveryError):
    """Somebody follows a store and no longer and again, too often; fact `retry_after_s`."""

    code = "too_many_requests"
