"""The suite itself, on a server whose deviations are known: it finds each of them and no other.

The server's ICE is full, so the suite's peer is checked by it, and here it is the DTLS server.
"""

import asyncio
import json
import os
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest_asyncio
import uvicorn

from tests.conformance.foreign import Foreign
from tests.conformance.requirements import REQUIREMENTS
from tests.conformance.target import PREFIX, read_target

HERE: Final = Path(__file__).parent
ROOT: Final = HERE.parent.parent
CHAPTERS: Final = ("setup", "http", "access", "patch", "ending", "servers", "counter_offer")
RUN_WITHIN_S: Final = 120

FAILED: Final = {
    *("get_on_the_endpoint_is_empty", "get_on_the_session_is_empty"),
    *("post_is_never_redirected_as_get", "links_are_well_formed"),
    *("patch_of_another_type_is_refused", "a_malformed_fragment_is_refused"),
    *("the_session_has_an_entity_tag", "entity_tags_are_unique"),
    *("a_missing_entity_tag_is_428", "a_stale_entity_tag_is_412"),
}
WARNED: Final = {
    *("options_name_the_media_type", "preflight_of_a_session_is_answered"),
    *("answers_can_be_read_across_origins", "session_urls_cannot_be_guessed"),
    *("an_inactive_offer_is_refused", "an_offer_the_wrong_way_is_refused"),
}
COUNTERED: Final = {
    *("a_counter_offer_is_whole", "an_answered_counter_offer_has_no_content"),
    "a_malformed_answer_is_refused",
}

FAILED_BY_PLAYERS: Final = {
    *("an_offer_in_both_directions_is_taken", "delete_ends_dtls", "delete_revokes_consent"),
}

Verdicts = dict[tuple[str, str], set[str]]


class _Server(uvicorn.Server):
    """uvicorn that leaves the process's signals alone."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@pytest_asyncio.fixture(scope="module")
async def foreign() -> AsyncIterator[str]:
    """The URL of a foreign server."""
    server = Foreign()
    config = uvicorn.Config(server.app, lifespan="off", log_config=None, access_log=False)
    listener = socket.create_server(("127.0.0.1", 0))
    serving = _Server(config)
    async with asyncio.TaskGroup() as group:
        group.create_task(serving.serve([listener]))
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        await server.close()
        serving.should_exit = True


async def judged(url: str, report: Path) -> tuple[int, str, Verdicts]:
    """The exit code of a run, what it printed, and the requirements by protocol and verdict."""
    named = {"URL": f"{url}/whip", "WHEP_URL": f"{url}/whep", "REPORT": str(report)}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pytest", f"--confcutdir={HERE}", "--tb=no"),
        *("-p", "no:cacheprovider"),
        *(str(HERE / f"test_{chapter}.py") for chapter in CHAPTERS),
        cwd=ROOT,
        env={**os.environ, **{PREFIX + name: value for name, value in named.items()}},
        stdout=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(RUN_WITHIN_S):
        output, _ = await process.communicate()
    assert process.returncode is not None
    verdicts: Verdicts = {}
    for row in json.loads(report.read_text()):
        verdicts.setdefault((row["protocol"], row["verdict"]), set()).add(row["requirement"])
    return process.returncode, output.decode(), verdicts


async def test_a_server_is_judged_by_what_it_does(foreign: str, tmp_path: Path) -> None:
    code, output, verdicts = await judged(foreign, tmp_path / "report.json")
    assert code == 1
    assert verdicts["whip", "failed"] == FAILED | {"malformed_sdp_is_refused"}
    assert verdicts["whep", "failed"] == FAILED | FAILED_BY_PLAYERS
    assert verdicts["whip", "warned"] == WARNED
    assert verdicts["whep", "warned"] == WARNED | {"head_names_the_media_type"}
    assert verdicts["whep", "passed"] >= COUNTERED
    assert {"delete_ends_dtls", "delete_revokes_consent"} <= verdicts["whip", "passed"]
    for protocol in ("whip", "whep"):
        shown = verdicts[protocol, "passed"]
        assert {"media_flow", "dtls_close_ends_the_session", "delete_is_ok"} <= shown
        assert "https_is_used" in verdicts[protocol, "not shown"]
    assert "warned:" in output
    assert "whip MUST a_stale_entity_tag_is_412 (RFC 9725 §4.3.1)" in output


async def test_a_server_without_whip_is_not_asked_for_it() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pytest", f"--confcutdir={HERE}", "--collect-only"),
        *("-p", "no:cacheprovider", str(HERE)),
        cwd=ROOT,
        env={**os.environ, f"{PREFIX}WHEP_URL": "https://whep.test/room"},
        stdout=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(RUN_WITHIN_S):
        output, _ = await process.communicate()
    collected = [line for line in output.decode().splitlines() if "::" in line]
    asked = {name for name, row in REQUIREMENTS.items() if "whep" in row.rules}
    assert process.returncode == 0
    assert {line.partition("::test_")[2] for line in collected} == {f"{n}[whep]" for n in asked}


def test_the_server_is_named_by_the_environment() -> None:
    assert read_target({}) is None
    named = read_target({"CONFORMANCE_WHEP_URL": "https://x.test/whep", "CONFORMANCE_STRICT": "1"})
    assert named is not None
    assert (named.protocols, named.strict, named.flood) == (["whep"], True, 0)
    both = read_target({"CONFORMANCE_URL": "http://x", "CONFORMANCE_WHEP_URL": "http://y"})
    assert both is not None
    assert both.protocols == ["whip", "whep"]
    assert not both.strict
