"""The shop of a benchmark, and its ledger counted anew by its rows."""

import secrets
from dataclasses import dataclass
from typing import Any, Final

import asyncpg
import httpx
import msgspec

from cart.core.draft import STOCK_LIMIT_UNITS

LEDGER: Final = """
SELECT s.on_hand, s.free, s.held, s.sold, coalesce(h.held, 0) AS counted_held,
       coalesce(h.sold, 0) AS counted_sold, coalesce(h.rows, 0) AS rows
FROM skus s LEFT JOIN (
    SELECT sku, count(*) AS rows,
           sum(quantity) FILTER (WHERE state IN ('held', 'ordered', 'paying')) AS held,
           sum(quantity) FILTER (WHERE state = 'sold') AS sold
    FROM holds GROUP BY sku
) h ON h.sku = s.id WHERE s.product = ANY($1)
"""


@dataclass(frozen=True, slots=True)
class Stall:
    """A store with a show and products on sale; `token` is its seller's."""

    token: str
    slug: str
    show: str
    publish_key: str
    products: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Count:
    """The ledger, counted: `drift` units by which counters and holds differ."""

    holds: int
    taken: int
    sold: int
    oversold: int
    drift: int


async def open_stall(http: httpx.AsyncClient, stock: int = STOCK_LIMIT_UNITS) -> Stall:
    """A store with one product of so many units, made through the API like anybody's."""
    account = {
        "email": f"seller-{secrets.token_hex(4)}@kkot.example",
        "password": secrets.token_urlsafe(16),
        "name": "bench",
    }
    token = (await _post(http, "/accounts", account))["access_token"]
    http.headers["Authorization"] = f"Bearer {token}"
    slug = f"bench-{secrets.token_hex(4)}"
    await _post(http, "/stores", {"slug": slug, "name": "Bench", "story": "Measured."})
    product = await add_product(http, slug, stock)
    show = (await _post(http, "/shows", {"store": slug, "title": "Bench"}))["id"]
    key = (await _post(http, f"/shows/{show}/publish-key", {}))["key"]
    http.cookies.clear()
    return Stall(token, slug, show, key, (product,))


async def add_product(http: httpx.AsyncClient, slug: str, stock: int) -> str:
    """One more product of so many units, its seller signed in; its id."""
    ware = {"title": "작약", "price_minor": 12_000, "stock": stock}
    key = {"Idempotency-Key": secrets.token_hex(8)}
    answer = await http.post(f"/stores/{slug}/products", json=ware, headers=key)
    answer.raise_for_status()
    found: str = answer.json()["id"]
    return found


async def count(database_url: str, products: tuple[str, ...]) -> Count:
    """Count the holds of the products and compare with their counters."""
    connection = await asyncpg.connect(database_url)
    try:
        rows = await connection.fetch(LEDGER, list(products))
    finally:
        await connection.close()
    return Count(
        holds=sum(row["rows"] for row in rows),
        taken=sum(row["counted_held"] + row["counted_sold"] for row in rows),
        sold=sum(row["counted_sold"] for row in rows),
        oversold=sum(
            max(0, row["counted_held"] + row["counted_sold"] - row["on_hand"]) for row in rows
        ),
        drift=sum(
            abs(row["held"] - row["counted_held"]) + abs(row["sold"] - row["counted_sold"])
            for row in rows
        ),
    )


def hold_body(sku: str, show: str | None = None, quantity: int = 1) -> bytes:
    """What asks for units."""
    return msgspec.json.encode({"lines": [{"sku": sku, "quantity": quantity}], "show": show})


async def _post(http: httpx.AsyncClient, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = await (http.post(path, json=body) if body else http.post(path))
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found
