"""The floor of everything asked over HTTP: an empty endpoint behind the same web server.

Run as `python -m tests.bench.empty CORE`; it prints its port and serves until it is killed.
"""

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import uvicorn
import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from live.server.adapters.http1 import BoundedHttp

ANSWER: Final = b'{"holds":[' + b" " * 280 + b"]}"
"""About as long as the answer to a hold."""


async def _answer(request: Request) -> Response:
    await request.body()
    return Response(ANSWER, 201, media_type="application/json")


@asynccontextmanager
async def serving(core: int) -> AsyncIterator[str]:
    """The endpoint in a process of its own; its URL."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench.empty", str(core)), stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(await process.stdout.readline())}"
    finally:
        process.kill()
        await process.wait()


def main() -> None:
    """Serve."""
    os.sched_setaffinity(0, {int(sys.argv[1])})
    app = Starlette(routes=[Route("/{path:path}", _answer, methods=["POST"])])
    config = uvicorn.Config(
        app, http=BoundedHttp, lifespan="off", log_config=None, access_log=False
    )
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    print(listener.getsockname()[1], flush=True)
    uvloop.run(uvicorn.Server(config).serve([listener]))


if __name__ == "__main__":
    main()
