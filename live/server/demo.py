"""`kkot serve --demo`: the demo host, in a process of its own beside the node."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from live.server.adapters.child import launcher
from live.server.ground import Ground
from live.server.tls import Certificate

STATE_FILE: Final = "demo.json"
STOP_TIMEOUT_S: Final = 5.0


@asynccontextmanager
async def beside(ground: Ground, certificate: Certificate | None) -> AsyncIterator[None]:
    """Run `kkot demo` against this node; it ends with it."""
    state = ground.settings.data_dir / STATE_FILE
    command = [*launcher(), sys.executable, "-m", "live.server.cli", "demo"]
    command += ["--url", ground.public_url, "--state", str(state)]
    if certificate is not None:
        command += ["--ca", str(certificate.authority)]
    process = await asyncio.create_subprocess_exec(*command, start_new_session=True)
    try:
        yield
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
        try:
            async with asyncio.timeout(STOP_TIMEOUT_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
