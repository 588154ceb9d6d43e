"""A show made through the API, and the doors through which it is published and watched."""

import secrets
from dataclasses import dataclass
from typing import Any

import httpx


@dataclass(frozen=True, slots=True)
class Show:
    """A show that nobody publishes yet: its URLs and its publish key."""

    watch: str
    whip: str
    whep: str
    key: str


async def make_show(http: httpx.AsyncClient) -> Show:
    """A show of a seller and a store of its own."""
    slug = f"store-{secrets.token_hex(4)}"
    account = {"email": f"{slug}@kkot.example", "password": "a flower in spring", "name": "Hana"}
    token = (await _post(http, "/accounts", account))["access_token"]
    http.headers["Authorization"] = f"Bearer {token}"
    await _post(http, "/stores", {"slug": slug, "name": "Hana's", "story": "From Jeju"})
    show = (await _post(http, "/shows", {"store": slug, "title": "Spring evening"}))["id"]
    key = (await _post(http, f"/shows/{show}/publish-key", {}))["key"]
    at = http.base_url
    return Show(f"{at}/shows/{show}/watch", f"{at}/whip/{show}", f"{at}/whep/{show}", key)


async def _post(http: httpx.AsyncClient, path: str, body: dict[str, str]) -> dict[str, Any]:
    answer = await http.post(path, json=body or None)
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found
