"""The house rules a machine can check: arrows, pure cores, sizes, docstrings, honest tests.

Each rule is a function from one parsed file to its faults. Every rule is tried twice: on the
whole project, where it must find nothing, and on a few lines that break it, where it must speak.
"""

import ast
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from typing import Final

import pytest

ROOT: Final = Path(__file__).parent.parent
TRADES: Final = frozenset({"cart", "chat", "signaling"})
PACKAGES: Final = TRADES | {"live"}
PROJECT: Final = PACKAGES | {"tests"}
COMPOSITION: Final = "live.server"

FILE_LINES: Final = 500
FUNCTION_LINES: Final = 70

IMPURE: Final = frozenset(
    {"asyncio", "concurrent", "multiprocessing", "subprocess", "threading"}
    | {"os", "select", "selectors", "socket", "ssl"}
    | {"random", "secrets", "time", "uuid"}
    | {"logging", "structlog"}
)
CLOCKS: Final = frozenset({"now", "utcnow", "today"})
WORLDLY_CALLS: Final = frozenset({"open", "print", "input"})
PURE_LIBRARIES: Final = (
    "msgspec",
    "msgpack",
    "numpy",
    "scipy",
    "aioice.stun",
    "aiortc.codecs",
    "aiortc.rtp",
    "aiortc.sdp",
)
STANDARD_LIBRARY: Final = sys.stdlib_module_names

TOP_LEVEL: Final = (
    *("pyproject.toml", "requirements*.lock", "Makefile", ".ci", ".git*"),
    *("live", "signaling", "chat", "cart", "tests", "deploy"),
    *("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE"),
)
GIVEN_UP: Final = frozenset({"skip", "skipif", "xfail", "importorskip"})
EXPECTATIONS: Final = ("assert", "expect", "raises", "warns", "fail", "run_state_machine")

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Source:
    """A file of the project: its place, its text and its syntax tree."""

    path: PurePosixPath
    text: str
    tree: ast.Module

    @property
    def unit(self) -> str:
        """The package or wing it belongs to: `cart`, `live.relay`, `tests`."""
        parts = self.path.parts
        if parts[0] == "live" and len(parts) > 2:
            return f"live.{parts[1]}"
        return parts[0]

    @property
    def ring(self) -> str:
        """`core`, `adapters` or `root`."""
        folders = self.path.parts[len(self.unit.split(".")) : -1]
        return folders[0] if folders and folders[0] in {"core", "adapters"} else "root"


Rule = Callable[[Source], Iterator[str]]


def source(path: str, text: str) -> Source:
    """Parse a file's text."""
    return Source(PurePosixPath(path), text, ast.parse(text, path))


def imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and full dotted name of everything a file imports; `from a import b` gives `a.b`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, name.name) for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            yield from ((node.lineno, f"{base}.{name.name}") for name in node.names)


def within(name: str, *modules: str) -> bool:
    """Whether a dotted name is one of the modules or lies in one."""
    return any(name == module or name.startswith(f"{module}.") for module in modules)


def arrows_between_packages(file: Source) -> Iterator[str]:
    """Trades import no sibling; wings only themselves and trades' ports; the server everything."""
    if file.path.parts[0] not in PACKAGES or file.unit == COMPOSITION:
        return
    allowed = [file.unit]
    if file.unit.startswith("live."):
        allowed += [f"{trade}.ports" for trade in TRADES]
    for line, name in imports(file.tree):
        if name.startswith("."):
            yield f"{line}: relative import"
        elif within(name, *PROJECT) and not within(name, *allowed):
            yield f"{line}: {file.unit} must not import {name}"


def arrows_inside_package(file: Source) -> Iterator[str]:
    """A core knows itself, its ports and errors; a root never its adapters."""
    if file.path.parts[0] not in PACKAGES or file.unit == COMPOSITION:
        return
    unit = file.unit
    for line, name in imports(file.tree):
        if file.ring == "root" and within(name, f"{unit}.adapters"):
            yield f"{line}: the root of {unit} must not import its adapters"
        inner = (f"{unit}.core", f"{unit}.ports", f"{unit}.errors")
        if file.ring == "core" and within(name, unit) and not within(name, *inner):
            yield f"{line}: a core must not import {name}"


def pure_core(file: Source) -> Iterator[str]:
    """A core decides: no waiting, no clock, no dice, no log, no library that acts."""
    if file.path.parts[0] not in PACKAGES or file.ring != "core":
        return
    for line, name in imports(file.tree):
        top = name.split(".")[0]
        if top in IMPURE:
            yield f"{line}: a core must not import {top}"
        elif top not in STANDARD_LIBRARY | PROJECT and not within(name, *PURE_LIBRARIES):
            yield f"{line}: {name} is no pure library"
    for node in ast.walk(file.tree):
        if isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.AsyncFor | ast.AsyncWith):
            yield f"{node.lineno}: a core does not wait"
        elif isinstance(node, ast.Call) and callee(node) in WORLDLY_CALLS:
            yield f"{node.lineno}: a core does not {callee(node)}"
        elif isinstance(node, ast.Attribute) and node.attr in CLOCKS:
            yield f"{node.lineno}: a core has no clock ({node.attr})"


def callee(call: ast.Call) -> str:
    """The last name of what is called."""
    function = call.func
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def sizes(file: Source) -> Iterator[str]:
    """Files of at most 500 lines, functions of at most 70."""
    lines = file.text.count("\n")
    if lines > FILE_LINES:
        yield f"1: {lines} lines"
    for node in ast.walk(file.tree):
        if isinstance(node, Function):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > FUNCTION_LINES:
                yield f"{node.lineno}: {node.name} has {length} lines"


def docstrings(file: Source) -> Iterator[str]:
    """Every module opens with its law; public names tell the caller's contract."""
    if not ast.get_docstring(file.tree):
        yield "1: no module docstring"
    if file.path.parts[0] in PACKAGES:
        yield from _undocumented(file.tree)


def _undocumented(scope: ast.Module | ast.ClassDef) -> Iterator[str]:
    for node in scope.body:
        if not isinstance(node, Function | ast.ClassDef) or node.name.startswith("_"):
            continue
        if not ast.get_docstring(node) and not _speaks_elsewhere(node):
            yield f"{node.lineno}: {node.name} has no docstring"
        if isinstance(node, ast.ClassDef):
            yield from _undocumented(node)


def _speaks_elsewhere(node: Function | ast.ClassDef) -> bool:
    """Overloads, setters and overrides are told about where they are first named."""
    names = {ast.unparse(decorator).split(".")[-1] for decorator in node.decorator_list}
    return bool(names & {"overload", "setter", "deleter", "override"})


def _tests(file: Source) -> bool:
    return file.path.parts[0] == "tests"


def patient_tests(file: Source) -> Iterator[str]:
    """A test waits for what it wants, never for time to pass."""
    for node in ast.walk(file.tree) if _tests(file) else ():
        if isinstance(node, ast.Call) and callee(node) == "sleep":
            argument = node.args[0] if node.args else None
            if not (isinstance(argument, ast.Constant) and argument.value == 0):
                yield f"{node.lineno}: sleep"


def undaunted_tests(file: Source) -> Iterator[str]:
    """No test is skipped or expected to fail."""
    for node in ast.walk(file.tree) if _tests(file) else ():
        if not isinstance(node, ast.Attribute) or node.attr not in GIVEN_UP:
            continue
        if ast.unparse(node).startswith(("pytest.", "unittest.", "self.")):
            yield f"{node.lineno}: {node.attr}"


def demanding_tests(file: Source) -> Iterator[str]:
    """A test demands something; Hypothesis demands for any input that nothing is raised."""
    for node in ast.walk(file.tree) if _tests(file) else ():
        if not isinstance(node, Function) or not node.name.startswith("test"):
            continue
        if any(ast.unparse(decorator).startswith("given(") for decorator in node.decorator_list):
            continue
        if not any(_demands(inner) for inner in ast.walk(node)):
            yield f"{node.lineno}: {node.name} demands nothing"


def _demands(node: ast.AST) -> bool:
    if isinstance(node, ast.Assert):
        return True
    return isinstance(node, ast.Call) and callee(node).lstrip("_").startswith(EXPECTATIONS)


RULES: Final[tuple[Rule, ...]] = (
    arrows_between_packages,
    arrows_inside_package,
    pure_core,
    sizes,
    docstrings,
    patient_tests,
    undaunted_tests,
    demanding_tests,
)


def strangers(names: list[str], ignored: list[str]) -> list[str]:
    """Names that have no place at the top of the repository."""
    patterns = [*TOP_LEVEL, *(line.rstrip("/") for line in ignored if line)]
    return [name for name in names if not any(fnmatch(name, pattern) for pattern in patterns)]


def project_files() -> Iterator[Source]:
    """Every Python file of the packages and the tests."""
    for folder in sorted(PROJECT):
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield source(path.relative_to(ROOT).as_posix(), path.read_text())


def test_project_is_tidy() -> None:
    faults = [
        f"{file.path}:{fault} ({rule.__name__})"
        for file in project_files()
        for rule in RULES
        for fault in rule(file)
    ]
    assert not faults, "\n".join(faults)


def test_top_level_holds_what_it_should() -> None:
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    assert strangers([path.name for path in ROOT.iterdir()], ignored) == []


def test_top_level_strangers_are_seen() -> None:
    assert strangers(["utils", "live", "var", "notes.txt"], ["var/"]) == ["utils", "notes.txt"]


LONG_FUNCTION: Final = "def f():\n" + "    x = 1\n" * FUNCTION_LINES

BROKEN: Final = [
    (arrows_between_packages, "cart/holding.py", "from chat.hub import Hub"),
    (arrows_between_packages, "chat/hub.py", "import live.server.app"),
    (arrows_between_packages, "signaling/whip.py", "from live import relay"),
    (arrows_between_packages, "cart/holding.py", "from tests.conftest import stores"),
    (arrows_between_packages, "cart/holding.py", "from .core import stock"),
    (arrows_between_packages, "live/relay/relay.py", "from signaling.whip import Whip"),
    (arrows_between_packages, "live/show/shows.py", "from live.accounts import accounts"),
    (arrows_between_packages, "live/show/shows.py", "def f():\n    import cart.core.stock"),
    (arrows_inside_package, "cart/holding.py", "from cart.adapters.ledger import Ledger"),
    (arrows_inside_package, "cart/holding.py", "from cart import adapters"),
    (arrows_inside_package, "live/show/shows.py", "import live.show.adapters.tables"),
    (arrows_inside_package, "cart/core/stock.py", "from cart.holding import Desk"),
    (arrows_inside_package, "cart/core/stock.py", "from cart.adapters import tables"),
    (pure_core, "cart/core/stock.py", "async def f(): ..."),
    (pure_core, "cart/core/stock.py", "import asyncio"),
    (pure_core, "cart/core/stock.py", "from time import monotonic"),
    (pure_core, "live/relay/core/nack.py", "import random"),
    (pure_core, "cart/core/stock.py", "import structlog"),
    (pure_core, "cart/core/stock.py", "import sqlalchemy"),
    (pure_core, "cart/core/stock.py", "from datetime import datetime\ndatetime.now()"),
    (pure_core, "cart/core/stock.py", "print('sold')"),
    (sizes, "cart/holding.py", "x = 1\n" * (FILE_LINES + 1)),
    (sizes, "tests/cart/test_holding.py", LONG_FUNCTION),
    (docstrings, "cart/holding.py", "x = 1"),
    (docstrings, "tests/cart/test_holding.py", "def test_it(): assert True"),
    (docstrings, "cart/holding.py", '"""Law."""\ndef hold(): ...'),
    (docstrings, "cart/holding.py", '"""Law."""\nclass Desk: ...'),
    (docstrings, "cart/holding.py", '"""Law."""\nclass A:\n    """A."""\n    def hold(self): ...'),
    (patient_tests, "tests/test_x.py", "time.sleep(1)"),
    (patient_tests, "tests/test_x.py", "async def test_x(): await asyncio.sleep(0.1)"),
    (undaunted_tests, "tests/test_x.py", "@pytest.mark.skip\ndef test_x(): assert 1"),
    (undaunted_tests, "tests/test_x.py", "pytest.xfail('later')"),
    (demanding_tests, "tests/test_x.py", "def test_x(): work()"),
]

SOUND: Final = [
    (arrows_between_packages, "live/relay/relay.py", "from signaling.ports import Link"),
    (arrows_between_packages, "live/server/node.py", "from cart.adapters import service"),
    (arrows_inside_package, "live/server/stores.py", "import live.server.adapters.child"),
    (arrows_inside_package, "cart/adapters/ledger.py", "from cart.holding import Desk"),
    (pure_core, "cart/core/stock.py", "import msgspec\nfrom cart.errors import CartError"),
    (pure_core, "cart/holding.py", "import asyncio"),
    (docstrings, "cart/holding.py", '"""Law."""\nclass _A:\n    def hold(self): ...'),
    (patient_tests, "tests/test_x.py", "asyncio.sleep(0)"),
    (demanding_tests, "tests/test_x.py", "def test_x():\n    with pytest.raises(E): work()"),
]


@pytest.mark.parametrize(("rule", "path", "text"), BROKEN)
def test_broken_lines_are_seen(rule: Rule, path: str, text: str) -> None:
    assert list(rule(source(path, text)))


@pytest.mark.parametrize(("rule", "path", "text"), SOUND)
def test_sound_lines_pass(rule: Rule, path: str, text: str) -> None:
    assert not list(rule(source(path, text)))


def test_every_rule_has_lines_that_break_it() -> None:
    assert {rule for rule, _, _ in BROKEN} == set(RULES)
