"""A stranger's program asks everything `/openapi.json` tells, in good form and in bad.

`python -m tests.whole.fuzz` does it at length; it is schemathesis that asks. It is somebody who is
signed in and owns a shop, so that requests get past the door: paths name things that are there.
"""

import asyncio
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tests.whole.server import Server
from tests.whole.shop import Shop, hold, open_shop, order, read_hold

EXAMPLES: Final = 200
"""Of each operation, when there is time."""
SECONDS: Final = 600
SEED: Final = 20_260
NOT_JSON: Final = "/picture$|^/whip/|^/whep/"
"""What takes pictures and session descriptions, which schemathesis cannot make."""
SCHEMATHESIS: Final = str(Path(sys.executable).parent / "schemathesis")


async def fuzz(server: Server, folder: Path, *, examples: int, seconds: int) -> tuple[int, str]:
    """Ask everything; the exit code, 0 when no answer was a fault of the server's, and a report."""
    shop = await open_shop(server)
    config = folder / "schemathesis.toml"
    config.write_text(_config(await _named(server, shop)))
    process = await asyncio.create_subprocess_exec(
        *(SCHEMATHESIS, "--config-file", str(config), "run", f"{server.url}/openapi.json"),
        *("--checks", "not_a_server_error", "--max-examples", str(examples)),
        *("--seed", str(SEED), "--max-time", str(seconds), "--no-color"),
        *("--phases", "coverage,fuzzing", "--continue-on-failure", "--workers", "2"),
        *("--exclude-path-regex", NOT_JSON),
        *("--header", f"Authorization: Bearer {shop.seller.token}"),
        *("--generation-database", "none", "--suppress-health-check", "all"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=folder,
    )
    report, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, report.decode(errors="replace")


async def _named(server: Server, shop: Shop) -> dict[str, str]:
    """What stands for the names in paths: by the path's first part, things of the shop."""
    async with server.client(shop.seller.token) as client:
        kept = await read_hold(await hold(client, shop.product))
        other = await read_hold(await hold(client, shop.product))
        placed = await order(client, other["id"])
    return {
        "stores": shop.slug,
        "shows": shop.show,
        "products": shop.product,
        "holds": kept["id"],
        "orders": placed["id"],
    }


def _config(named: Mapping[str, str]) -> str:
    return "\n".join(
        f'[[operations]]\ninclude-path-regex = "^/{part}/{{"\n'
        f'parameters = {{ id = "{name}", slug = "{name}", show = "{name}" }}'
        for part, name in named.items()
    )


async def _at_length() -> int:
    with tempfile.TemporaryDirectory(prefix="kkot-fuzz-") as folder:
        server = Server(Path(folder) / "data", KKOT_LOG_LEVEL="warning")
        await server.start()
        try:
            code, report = await fuzz(server, Path(folder), examples=EXAMPLES, seconds=SECONDS)
        finally:
            await server.close()
    print(report)
    return code


if __name__ == "__main__":
    sys.exit(asyncio.run(_at_length()))
