"""`python -m tests.standin --port 8700 --memory FILE [--shop URL]`: the stand-in, by itself.

With a shop's URL it posts its messages there, as the providers do; without, whoever wants them
fetches them from `/standin/messages`. `POST /standin/faults` plans what is to go wrong.
"""

import argparse
import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.standin.faults import Faults, Planned
from tests.standin.memory import Memory
from tests.standin.stripe import StripeStandIn
from tests.standin.toss import TossStandIn

RETRY_S = 0.2


class Post:
    """The messages to the shop: kept, and posted until they are heard when there is a shop."""

    def __init__(self, memory: Memory, shop: str) -> None:
        self._memory = memory
        self._shop = shop
        self._fresh: asyncio.Queue[tuple[str, dict[str, str], bytes]] = asyncio.Queue()

    def tell(self, path: str, headers: dict[str, str], body: bytes) -> None:
        """A message."""
        number = self._memory.count("message")
        said = {"path": path, "headers": headers, "body": body.decode()}
        self._memory.keep("message", str(number), said)
        self._fresh.put_nowait((path, headers, body))

    async def run(self) -> None:
        """Post until cancelled, each message twice, as providers may."""
        async with httpx.AsyncClient(base_url=self._shop, trust_env=False) as client:
            while True:
                path, headers, body = await self._fresh.get()
                for _ in range(2):
                    try:
                        headers = {**headers, "content-type": "application/json"}
                        await client.post(path, content=body, headers=headers)
                    except httpx.HTTPError:
                        break


def build(memory: Memory, url: str, shop: str = "") -> Starlette:
    """The application."""
    faults, post = Faults(memory), Post(memory, shop)
    toss = TossStandIn(memory, faults, post.tell, url)
    stripe = StripeStandIn(memory, faults, post.tell, url)

    async def plan(request: Request) -> Response:
        faults.plan(msgspec.json.decode(await request.body(), type=Planned))
        return Response(status_code=204)

    async def lapse(_request: Request) -> Response:
        toss.lapse()
        return Response(status_code=204)

    async def messages(_request: Request) -> Response:
        return JSONResponse(memory.all("message"))

    async def taken(request: Request) -> Response:
        payment = request.path_params["payment"]
        payments = [payment] if payment else [*toss.payments(), *stripe.payments()]
        return JSONResponse(sum(toss.taken(one) + stripe.taken(one) for one in payments))

    @asynccontextmanager
    async def posting(_app: Starlette) -> AsyncIterator[None]:
        task = asyncio.create_task(post.run()) if shop else None
        yield
        if task is not None:
            task.cancel()

    return Starlette(
        routes=[
            Route("/standin/faults", plan, methods=["POST"]),
            Route("/standin/lapse", lapse, methods=["POST"]),
            Route("/standin/messages", messages, methods=["GET"]),
            Route("/standin/taken/{payment:path}", taken, methods=["GET"]),
            *toss.routes(),
            *stripe.routes(),
        ],
        lifespan=posting,
    )


def main() -> None:
    """Serve until stopped."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--memory", type=Path, required=True)
    parser.add_argument("--shop", default="")
    given = parser.parse_args()
    app = build(Memory(given.memory), f"http://127.0.0.1:{given.port}", given.shop)
    uvicorn.run(app, host="127.0.0.1", port=given.port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
