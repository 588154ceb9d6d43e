"""`python -m tests.autobahn WSTEST…`: Autobahn's websocket cases 1 to 7 against `RoomProtocol`.

WSTEST is the command that runs the suite, which needs Python 2.7; `make autobahn` installs it. An
echo stands in for the room, and messages may be as large as the cases want; all else is as served.
"""

import asyncio
import json
import logging
import socket
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import uvicorn
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from chat.adapters.protocol import RoomProtocol

LARGEST_BYTES: Final = 1 << 20
DOCUMENTED: Final = frozenset({"7.1.5"})
"""Fails by design of the websockets library: a close frame ends the message before it."""
PASSED: Final = frozenset({"OK", "NON-STRICT", "INFORMATIONAL"})


class EchoProtocol(RoomProtocol):
    """The room's protocol, for larger messages."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.conn.max_message_size = LARGEST_BYTES


async def echo(websocket: WebSocket) -> None:
    """Send back whatever comes."""
    await websocket.accept()
    with suppress(WebSocketDisconnect):
        while True:
            message = await websocket.receive()
            if message["type"] != "websocket.receive":
                return
            if message.get("text") is not None:
                await websocket.send_text(message["text"])
            else:
                await websocket.send_bytes(message["bytes"])


async def judge(wstest: list[str], folder: Path) -> dict[str, dict[str, Any]]:
    """Run the suite; what became of each case."""
    listening = socket.create_server(("127.0.0.1", 0))
    url = f"ws://127.0.0.1:{listening.getsockname()[1]}/"
    config = uvicorn.Config(
        Starlette(routes=[WebSocketRoute("/", echo)]),
        ws=EchoProtocol,
        ws_max_size=LARGEST_BYTES,
        ws_per_message_deflate=False,
        lifespan="off",
        log_config=None,
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve([listening]))
    specification = folder / "specification.json"
    orders = {
        "outdir": str(folder),
        "servers": [{"agent": "kkot", "url": url}],
        "cases": [f"{chapter}.*" for chapter in range(1, 8)],
        "exclude-cases": [],
        "exclude-agent-cases": {},
    }
    specification.write_text(json.dumps(orders))
    suite = await asyncio.create_subprocess_exec(
        *(*wstest, "-m", "fuzzingclient", "-s", str(specification)),
        stdout=asyncio.subprocess.DEVNULL,
    )
    await suite.wait()
    server.should_exit = True
    await serving
    listening.close()
    judged: dict[str, dict[str, Any]] = json.loads((folder / "index.json").read_text())["kkot"]
    return judged


def main() -> None:
    """Print what failed; the exit status tells whether anything did."""
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # bad UTF-8 is what is sent
    with tempfile.TemporaryDirectory(prefix="kkot-autobahn-") as folder:
        judged = asyncio.run(judge(sys.argv[1:], Path(folder)))
    failed = {case for case, row in judged.items() if row["behavior"] not in PASSED}
    failed |= {case for case, row in judged.items() if row["behaviorClose"] not in PASSED}
    for case in sorted(failed):
        row = judged[case]
        print(f"  {case}: {row['behavior']}, closing {row['behaviorClose']}")
    print(
        f"Autobahn: {len(judged)} cases, {len(failed)} failed, {len(failed - DOCUMENTED)} of ours"
    )
    sys.exit(bool(failed - DOCUMENTED) or not judged)


if __name__ == "__main__":
    main()
