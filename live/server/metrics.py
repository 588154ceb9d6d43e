"""What the operator's graphs show of the process itself; each package counts its own work.

Everything lives in prometheus-client's default registry, labels have few values, and nothing here
knows a person, a show or a query.
"""

import asyncio
from functools import cache
from typing import Final

from prometheus_client import REGISTRY, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import Response

LAG_PERIOD_S: Final = 0.5

REQUESTS: Final = Counter(
    "kkot_http_requests", "HTTP requests answered", ["method", "route", "status"]
)
REQUEST_SECONDS: Final = Histogram(
    "kkot_http_request_seconds",
    "Time from a request's head to the end of its answer",
    ["route"],
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
LOOP_LAG_SECONDS: Final = Gauge(
    "kkot_loop_lag_seconds", "How late the event loop woke a sleeper, last measurement"
)
READY: Final = Gauge("kkot_ready", "1 while the node takes traffic and both stores answer")


@cache
def _request_counter(method: str, route: str, status: int) -> Counter:
    return REQUESTS.labels(method, route, str(status))


@cache
def _request_clock(route: str) -> Histogram:
    return REQUEST_SECONDS.labels(route)


def count_request(method: str, route: str, status: int, seconds: float) -> None:
    """Count one answered request. `route` is a path template, never a path."""
    _request_counter(method, route, status).inc()
    _request_clock(route).observe(seconds)


async def watch_loop() -> None:
    """Measure the event loop's lag until cancelled."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + LAG_PERIOD_S
        await asyncio.sleep(LAG_PERIOD_S)
        LOOP_LAG_SECONDS.set(max(0.0, loop.time() - due))


async def metrics(_request: Request) -> Response:
    """GET /metrics in the Prometheus text format."""
    return Response(generate_latest(REGISTRY), headers={"Content-Type": CONTENT_TYPE_LATEST})
