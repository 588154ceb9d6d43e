"""What the suite's tests are given, and how their outcomes are told.

Every test takes `door`, the endpoint it judges, once for each protocol that its requirement and
the server under test have. Tests that need time or may be limited come last.
"""

import os
from collections.abc import AsyncIterator, Generator
from contextlib import AsyncExitStack
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
import pytest_asyncio

from tests.conformance import kkot, outcomes
from tests.conformance.door import Door
from tests.conformance.outcomes import LETTERS, Result
from tests.conformance.requirements import DOCUMENTS, REQUIREMENTS, Protocol
from tests.conformance.stage import Stage
from tests.conformance.target import Target, read_target

HERE: Final = Path(__file__).parent
LAST: Final = ("test_silence", "test_limits")
HTTP_TIMEOUT_S: Final = 20

NAMED: Final = read_target(os.environ)
collect_ignore = ["test_suite.py", "test_rows.py"] if NAMED else []
"""What judges the suite itself has no place in a judgement of somebody else's server."""

JUDGED: Final = pytest.StashKey[Target]()
VERDICT: Final = "conformance"
"""The property of a report that tells its result, whichever process the test ran in."""


@pytest_asyncio.fixture(scope="package")
async def target(
    pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Target]:
    """The server the environment names, else Kkot, started here."""
    async with AsyncExitStack() as closing:
        found = NAMED
        if found is None:
            folder = tmp_path_factory.mktemp("conformance")
            found = await closing.enter_async_context(kkot.serving(folder))
        pytestconfig.stash[JUDGED] = found
        yield found


@pytest_asyncio.fixture(scope="package")
async def http(target: Target) -> AsyncIterator[httpx.AsyncClient]:
    """One client for all requests: redirects are not followed, cookies not kept."""
    async with httpx.AsyncClient(verify=target.trust(), timeout=HTTP_TIMEOUT_S) as client:
        yield client


@pytest_asyncio.fixture(scope="package")
async def stage(target: Target, http: httpx.AsyncClient) -> AsyncIterator[Stage]:
    """The publisher of the show that players watch."""
    publishing = Door("whip", *target.endpoint("whip"), http) if target.url else None
    watching = Door("whep", *target.endpoint("whep"), http) if target.whep_url else None
    stage = Stage(publishing, watching)
    yield stage
    await stage.off_air()


@pytest_asyncio.fixture
async def door(
    protocol: Protocol, target: Target, http: httpx.AsyncClient, stage: Stage
) -> AsyncIterator[Door]:
    """The endpoint under test; for players somebody is on the air."""
    await (stage.on_air() if protocol == "whep" else stage.off_air())
    door = Door(protocol, *target.endpoint(protocol), http)
    yield door
    await door.close()


@pytest.fixture(scope="package")
def protocol(request: pytest.FixtureRequest) -> Protocol:
    """The protocol a test judges."""
    found: Protocol = request.param
    return found


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test runs once for each protocol that its row and the server have."""
    if "door" not in metafunc.fixturenames:
        return
    rules = REQUIREMENTS[metafunc.function.__name__.removeprefix("test_")].rules
    possible = NAMED.protocols if NAMED else list(DOCUMENTS)
    metafunc.parametrize(
        "protocol", [each for each in possible if each in rules], indirect=True, scope="package"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Ours by protocol, so that the publisher comes and goes once; slow and rude ones last.

    A requirement that no protocol of the server has is no test.
    """
    idle = [item for item in items if HERE in item.path.parents and _is_idle(item)]
    if idle:
        config.hook.pytest_deselected(items=idle)
        items[:] = [item for item in items if item not in idle]
    places = [place for place, item in enumerate(items) if HERE in item.path.parents]
    ours = sorted((items[place] for place in places), key=_turn)
    for place, item in zip(places, ours, strict=True):
        items[place] = item


def _turn(item: pytest.Item) -> tuple[int, int]:
    module = item.path.stem
    late = 1 + LAST.index(module) if module in LAST else 0
    return late, list(DOCUMENTS).index(_protocol(item) or "whip")


def _is_idle(item: pytest.Item) -> bool:
    return "door" in getattr(item, "fixturenames", ()) and _protocol(item) is None


def _protocol(item: pytest.Item) -> Protocol | None:
    call = getattr(item, "callspec", None)
    named = call.params.get("protocol") if call else None
    return next((protocol for protocol in DOCUMENTS if protocol == named), None)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test's end is a verdict on its requirement."""
    report = yield
    protocol = _protocol(item)
    name = getattr(item, "originalname", item.name).removeprefix("test_")
    if call.when != "call" and not report.failed:
        return report
    if protocol is None or name not in REQUIREMENTS:
        return report
    error = call.excinfo.value if call.excinfo else None
    result = outcomes.judge(name, protocol, error, item.config.stash.get(JUDGED, None))
    if result.verdict != "failed":
        report.outcome, report.longrepr = "passed", None
    report.user_properties.append((VERDICT, asdict(result)))
    return report


def _result(report: Any) -> Result | None:
    told = dict(getattr(report, "user_properties", ())).get(VERDICT)
    return Result(**told) if told else None


def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, str] | None:
    """Warnings and what was not shown have letters of their own."""
    result = _result(report) if report.when == "call" else None
    if result is not None and result.verdict in ("warned", "not shown"):
        return result.verdict, LETTERS[result.verdict], result.verdict.upper()
    return None


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """The table."""
    reports = chain.from_iterable(terminalreporter.stats.values())
    results = [result for result in map(_result, reports) if result is not None]
    if results:
        terminalreporter.section(outcomes.title(results))
        for line in outcomes.table(results):
            terminalreporter.write_line(line)
    if results and NAMED and NAMED.report:
        Path(NAMED.report).write_text(outcomes.report(results), encoding="utf-8")
