"""The command line, the logs and the secret."""

import asyncio
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy.ext.asyncio import AsyncEngine

from cart.adapters.money_recount import CouponDrift, MoneyDrift, PointsDrift
from cart.core.coupon import CouponTerms
from cart.core.recount import Drift
from live.server.cli import main
from live.server.secret import keep_secret
from live.server.settings import settings_table
from tests.cart.shop import SELLER, committing, make_shop


def test_settings_are_printed() -> None:
    result = CliRunner().invoke(main, ["settings"])
    assert (result.exit_code, result.output) == (0, settings_table() + "\n")


def test_wrong_settings_are_told_in_one_line() -> None:
    environment = {"KKOT_HTTP_PORT": "many", "KKOT_COLOUR": "red"}
    result = CliRunner().invoke(main, ["migrate"], env=environment)
    assert result.exit_code == 1
    assert "KKOT_HTTP_PORT" in result.output
    assert "KKOT_COLOUR: no such setting" in result.output


def test_migrate_and_a_folder_in_use(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "from live.server.cli import main; main()", "migrate"]
    environment = {**os.environ, "KKOT_DATA_DIR": str(tmp_path)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "The schema is up to date.\n"), done.stderr
    assert (tmp_path / "postgres" / "PG_VERSION").exists()


async def test_recount_fails_where_counters_are_wrong(
    migrated_url: str,
    redis_url: str,
    engine: AsyncEngine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("live.server.cli.start_logging", lambda *_: None)
    monkeypatch.setenv("KKOT_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("KKOT_DATABASE_URL", migrated_url)
    monkeypatch.setenv("KKOT_REDIS_URL", redis_url)
    shop = make_shop(engine)
    tea = await shop.stock(3)

    async def recount() -> tuple[int, list[str]]:
        result = await asyncio.to_thread(CliRunner().invoke, main, ["recount"])
        return result.exit_code, result.output.splitlines()

    assert await recount() == (0, ["All counters are right."])
    await shop.sql("UPDATE skus SET free = free - 1, on_hand = on_hand - 1")
    drift = Drift(tea.id, free=-1, held=0, sold=0, held_rows=0, sold_rows=0)
    assert await recount() == (1, [str(drift), "Error: 1 counters drift."])
    async with committing(shop):
        order = await shop.order(await shop.hold(tea))
    await shop.sql("INSERT INTO point_wallets (buyer, ready_minor) VALUES ('lucky', 7)")
    terms = CouponTerms(code="BLOOM", percent=5)
    coupon = await shop.cart.couponing.make(SELLER, "camellia", terms)
    await shop.sql("UPDATE coupons SET used = 2")
    await shop.sql("UPDATE orders SET state = 'paid'")
    found = (
        *(drift, MoneyDrift(order.id, "paid", 12_000, 0, 0)),
        *(PointsDrift("lucky", 7, 0, 0, 7), CouponDrift(coupon.id, 2)),
    )
    assert await recount() == (1, [*map(str, found), "Error: 4 counters drift."])


LOG = """
import logging, structlog
from live.server.logs import start_logging
start_logging("info", "json")
log = structlog.get_logger()
log.debug("hidden")
log.info("꽃", show="s1")
logging.getLogger("library").warning("careful")
try:
    password = "hunter2"
    1 / 0
except ZeroDivisionError as error:
    log.error("broke", exc_info=error, text="4242 4242 4242 4242")
"""


def test_json_logs_are_json() -> None:
    done = subprocess.run([sys.executable, "-c", LOG], capture_output=True, text=True, check=True)
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert [line["event"] for line in lines] == ["꽃", "careful", "broke"]
    assert (lines[0]["show"], lines[0]["level"], done.stdout) == ("s1", "info", "")
    assert "ZeroDivisionError" in str(lines[2]["exception"])
    assert "hunter2" not in done.stderr


@pytest.mark.parametrize("form", ["json", "text"])
def test_logs_tell_no_card_numbers_and_no_variables(form: str) -> None:
    said = LOG.replace('"json"', f'"{form}"')
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    assert "ZeroDivisionError" in done.stderr
    assert "**** **** **** ****" in done.stderr
    assert "hunter2" not in done.stderr.replace('password = "hunter2"', "")


def test_the_secret_is_made_once_and_private(tmp_path: Path) -> None:
    assert keep_secret(tmp_path, "x" * 32) == "x" * 32
    found: list[str] = []
    folder = tmp_path / "data"
    threads = [
        threading.Thread(target=lambda: found.append(keep_secret(folder, ""))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1
    assert len(found[0]) >= 32
    assert (folder / "secret").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in folder.iterdir()] == ["secret"]
