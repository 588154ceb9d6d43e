"""The README tells the truth about settings and commands."""

from pathlib import Path

from live.server.cli import main
from live.server.settings import settings_table

README = Path(__file__).parents[2] / "README.md"


def test_settings_table_is_the_settings() -> None:
    text = README.read_text(encoding="utf-8")
    table = text.partition("<!-- settings -->\n")[2].partition("\n<!-- /settings -->")[0]
    assert table == settings_table()


def test_every_command_is_listed() -> None:
    text = README.read_text(encoding="utf-8")
    assert [name for name in main.commands if f"`kkot {name}" not in text] == []


def test_it_opens_with_the_two_commands() -> None:
    opening = README.read_text(encoding="utf-8").splitlines()[:6]
    assert opening[3].startswith("make run")
    assert opening[4].startswith("make test")
