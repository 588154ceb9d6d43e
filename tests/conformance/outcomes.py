"""How a requirement came out, and the table that tells it.

A MUST that fails is a failure. So is a SHOULD or MAY when the run is strict; otherwise it is a
warning. `NotShown` says that the server does not offer something optional, or that this run could
not bring it about: it is neither passed nor failed, and the table says why.
"""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from tests.conformance.requirements import DOCUMENTS, REQUIREMENTS, Level, Protocol
from tests.conformance.target import Target

Verdict = Literal["passed", "failed", "warned", "not shown"]

LEVELS: Final[tuple[Level, ...]] = ("MUST", "SHOULD", "MAY")
VERDICTS: Final[tuple[Verdict, ...]] = ("passed", "failed", "warned", "not shown")
LETTERS: Final = {"passed": ".", "failed": "F", "warned": "w", "not shown": "-"}
WIDTH: Final = 100
BLAMED_ON_SERVER: Final = (AssertionError, LookupError, ValueError)
"""What a test ends with when something is wrong, missing or not as its format has it."""


class NotShown(Exception):
    """The server does not offer this, or the run could not bring it about; the text says why."""


@dataclass(frozen=True, slots=True)
class Result:
    """One requirement of one protocol; `why` for all but passed ones."""

    name: str
    protocol: Protocol
    verdict: Verdict
    why: str = ""

    @property
    def level(self) -> Level:
        """How strongly it is asked."""
        return REQUIREMENTS[self.name].rules[self.protocol].level


def judge(
    name: str, protocol: Protocol, error: BaseException | None, target: Target | None
) -> Result:
    """The verdict on a test that ended with `error`, None for one that ended well."""
    target = target or Target(strict=True)
    if error is None:
        return Result(name, protocol, "passed")
    why = str(error).strip().partition("\n")[0] or type(error).__name__
    if isinstance(error, NotShown):
        known = target.not_shown is None or name in target.not_shown
        return Result(name, protocol, "not shown" if known else "failed", why)
    weak = REQUIREMENTS[name].rules[protocol].level != "MUST" and not target.strict
    mild = weak and isinstance(error, BLAMED_ON_SERVER)
    return Result(name, protocol, "warned" if mild else "failed", why)


def table(results: Sequence[Result]) -> Iterator[str]:
    """The lines that end a run: counts by level, then everything that did not pass."""
    counts = Counter((result.level, result.verdict) for result in results)
    yield "".join(f"{word:>12}" for word in ("", *VERDICTS))
    for level in LEVELS:
        yield f"{level:>12}" + "".join(f"{counts[level, verdict]:>12}" for verdict in VERDICTS)
    for verdict in VERDICTS[1:]:
        told = [result for result in results if result.verdict == verdict]
        if told:
            yield ""
            yield f"{verdict}:"
        for result in told:
            row = REQUIREMENTS[result.name]
            rule = row.rules[result.protocol]
            yield f"  {result.protocol} {rule.level} {row.name} ({rule.section})"
            yield f"      {row.text} {result.why}"[:WIDTH]


def report(results: Sequence[Result]) -> str:
    """The same for machines: a JSON array with one object for each requirement and protocol."""
    rows = (
        {
            "requirement": result.name,
            "protocol": result.protocol,
            "level": result.level,
            "section": REQUIREMENTS[result.name].rules[result.protocol].section,
            "verdict": result.verdict,
            "why": result.why,
        }
        for result in results
    )
    return json.dumps(list(rows), indent=1)


def title(results: Sequence[Result]) -> str:
    """What was judged."""
    protocols = sorted({result.protocol for result in results}, reverse=True)
    return "conformance to " + " and ".join(DOCUMENTS[protocol] for protocol in protocols)
