"""What the providers have in common: whom they answer, how, and whom they tell."""

from abc import ABC, abstractmethod
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.standin.faults import Act, Faults
from tests.standin.memory import Json, Memory

Tell = Callable[[str, dict[str, str], bytes], None]
"""Post a message to a path of the shop, with these headers."""


class Provider(ABC):
    """Answers whoever has the key, once for each key of idempotency."""

    name: str
    authorization: str
    """What the shop must say to be answered."""

    def __init__(self, memory: Memory, faults: Faults, tell: Tell, url: str) -> None:
        self._memory = memory
        self._faults = faults
        self._tell = tell
        self._url = url

    @abstractmethod
    def stranger(self) -> tuple[int, Json]:
        """What somebody without the key is told."""

    async def _serve(self, request: Request, at: str, act: Act) -> Response:
        if request.headers.get("authorization") != self.authorization:
            status, said = self.stranger()
            return JSONResponse(said, status_code=status)
        key = request.headers.get("idempotency-key", "")
        scope = f"{self.name} {request.url.path} {key}" if key else ""
        return await self._faults.serve(request, at, lambda: self._memory.once(scope, act))
