"""Asking a payment provider over HTTPS: bounded in time and size, and repeated only where that is
harmless.

Every request is a GET or carries an idempotency key, so what failed on the way, or at the provider,
may be asked once more. What is still no answer then is `ProviderSilent`: nobody may conclude
anything from it. Keys and bodies are never logged.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx
import msgspec
import structlog

from cart.ports.payments import ProviderSilent

TRIES: Final = 2
"""How often a request is sent before the provider counts as silent."""

ANSWER_LIMIT_BYTES: Final = 256 * 1024
"""A longer answer is none."""

TIMEOUTS: Final = httpx.Timeout(4.0, connect=2.0, pool=2.0)
"""In seconds, for each try."""

BUSY: Final = frozenset({401, 408, 409, 425, 429})
"""Refusals that tell of us, or of the moment, and nothing of the payment."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """A status below 500, and the JSON object that came with it."""

    status: int
    body: Mapping[str, Any]

    @property
    def good(self) -> bool:
        """Whether what was asked was done."""
        return self.status < 300


class ProviderHttp:
    """One provider's HTTP interface. `headers`: sent with every request, its key among them."""

    def __init__(
        self, client: httpx.AsyncClient, base_url: str, headers: Mapping[str, str]
    ) -> None:
        self._client = client
        self._base_url = base_url
        self._headers = dict(headers)

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> Answer:
        """Ask for something. Raises `ProviderSilent`."""
        return await self._ask("GET", path, params=query)

    async def post(
        self,
        path: str,
        key: str,
        *,
        json: Mapping[str, Any] | None = None,
        form: Mapping[str, str] | None = None,
    ) -> Answer:
        """Have something done, once for a key. Raises `ProviderSilent`."""
        return await self._ask("POST", path, key=key, json=json, data=form)

    async def _ask(self, method: str, path: str, *, key: str = "", **content: Any) -> Answer:
        headers = self._headers | ({"idempotency-key": key} if key else {})
        request = {"headers": headers, "timeout": TIMEOUTS, **content}
        for attempt in range(TRIES):
            try:
                answer = await self._once(method, f"{self._base_url}{path}", request)
            except (httpx.HTTPError, httpx.StreamError) as error:
                log.info("provider not reached", path=path, error=type(error).__name__)
                continue
            if answer is not None and answer.status not in BUSY and answer.status < 500:
                return answer
            status = answer.status if answer else "nonsense"
            log.warning("provider gave no answer", path=path, status=status, attempt=attempt)
        raise ProviderSilent

    async def _once(self, method: str, url: str, request: Mapping[str, Any]) -> Answer | None:
        """One try; None when what came is too long or no JSON object."""
        async with self._client.stream(method, url, **request) as response:
            body = bytearray()
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > ANSWER_LIMIT_BYTES:
                    return None
        try:
            return Answer(response.status_code, msgspec.json.decode(body, type=dict[str, Any]))
        except msgspec.MsgspecError:
            return None


def text_of(said: Mapping[str, Any], *names: str) -> str:
    """A text inside an answer, by the names that lead to it; empty when it is not there."""
    found: Any = said
    for name in names:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found if isinstance(found, str) else ""
