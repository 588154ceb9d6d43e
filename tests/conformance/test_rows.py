"""The table and the tests are the same list."""

import ast
from collections import Counter
from pathlib import Path

from tests.conformance.requirements import DOCUMENTS, REQUIREMENTS

HERE = Path(__file__).parent


def test_every_requirement_has_one_test() -> None:
    trees = (ast.parse(path.read_text()) for path in HERE.glob("test_*.py"))
    tests = Counter(
        node.name.removeprefix("test_")
        for tree in trees
        for node in tree.body
        if isinstance(node, ast.AsyncFunctionDef) and node.name.startswith("test_")
        if _judges_a_door(node)
    )
    assert tests == dict.fromkeys(REQUIREMENTS, 1)


def test_every_requirement_names_its_sections() -> None:
    for row in REQUIREMENTS.values():
        assert row.rules, row.name
        assert set(row.rules) <= set(DOCUMENTS)
        assert all(" §" in rule.section or "(" in rule.section for rule in row.rules.values())


def _judges_a_door(test: ast.AsyncFunctionDef) -> bool:
    return any(argument.arg == "door" for argument in test.args.args)
