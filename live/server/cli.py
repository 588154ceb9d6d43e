"""The command `kkot`."""

import os
import ssl
from collections.abc import Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import httpx
import uvloop

from cart.adapters.database import Database
from cart.adapters.money_recount import recount_coupons, recount_money, recount_points
from cart.adapters.movements import SqlRecounts
from live.server.adapters.child import StoreError
from live.server.errors import StartError
from live.server.logs import start_logging
from live.server.schema import demand_current, make_engine
from live.server.schema import migrate as migrate_database
from live.server.settings import Settings, SettingsError, read_settings, settings_table, variable
from live.server.stores import open_stores
from live.server.tls import AUTHORITY_PATH, Certificate, trial_certificate

EVERY_INTERFACE = "0.0.0.0"  # noqa: S104 - asked for by --tls, whose point is the home network


@click.group()
@click.version_option(package_name="kkot")
def main() -> None:
    """Kkot: live commerce. Everything is set by KKOT_ variables; `kkot settings` lists them."""


@main.command()
@click.option("--tls", is_flag=True, help="HTTPS with a local authority, on every interface.")
@click.option("--demo", is_flag=True, help="With a demo shop and a show that is live.")
def serve(tls: bool, demo: bool) -> None:
    """Run a node until SIGTERM or Ctrl-C."""
    # The media stack takes a while to load; the other commands do without it
    from live.server.demo import beside  # noqa: PLC0415
    from live.server.node import serve as serve_node  # noqa: PLC0415
    from live.server.wiring import open_house  # noqa: PLC0415

    settings = _settings()
    certificate = None
    if tls:
        certificate = trial_certificate(settings.data_dir)
        if variable("http_host") not in os.environ:
            settings = replace(settings, http_host=EVERY_INTERFACE)

    def announce(url: str) -> None:
        click.echo(f"Kkot is ready: {url}")
        if certificate is not None:
            click.echo(_how_to_trust(url, certificate))

    _run(
        serve_node(
            settings,
            open_house,
            certificate=certificate,
            announce=announce,
            beside=(lambda ground, _house: beside(ground, certificate)) if demo else None,
        )
    )


@main.command()
def migrate() -> None:
    """Bring the database's schema up to date."""

    async def bring_up() -> None:
        async with open_stores(_settings()) as stores:
            engine = make_engine(stores.database_url)
            try:
                await migrate_database(engine)
            finally:
                await engine.dispose()

    _run(bring_up())
    click.echo("The schema is up to date.")


@main.command()
def recount() -> None:
    """Count everything anew, units, money, points and coupons; fails where counters differ."""

    async def compare() -> None:
        async with open_stores(_settings()) as stores:
            engine = make_engine(stores.database_url)
            try:
                await demand_current(engine)
                drifts: list[object] = [*await SqlRecounts(Database(engine)).whole()]
                for count in (recount_money, recount_points, recount_coupons):
                    drifts += await count(engine)
            finally:
                await engine.dispose()
        for drift in drifts:
            click.echo(drift)
        if drifts:
            raise click.ClickException(f"{len(drifts)} counters drift.")

    _run(compare())
    click.echo("All counters are right.")


@main.command()
@click.option("--url", required=True, help="The server, such as http://127.0.0.1:8000.")
@click.option("--show", help="The show's id; without one a demo shop is opened on the server.")
@click.option("--key", help="The show's publish key; asked for when it is not given.")
@click.option("--state", default="demo.json", type=Path, help="Where the demo shop is remembered.")
@click.option("--ca", type=Path, help="The certificate authority to trust.")
def demo(url: str, show: str | None, key: str | None, state: Path, ca: Path | None) -> None:
    """Publish a generated picture and tone to a show until Ctrl-C."""
    from live.demo.host import RefusedError, publish_demo  # noqa: PLC0415 - aiortc, only here
    from live.demo.shop import open_shop  # noqa: PLC0415

    start_logging("info", "text")
    trust = ssl.create_default_context(cafile=ca) if ca else True
    if show is not None and key is None:
        key = click.prompt("Publish key", hide_input=True)

    async def publish() -> None:
        wanted, granted = show, key
        if wanted is None or granted is None:
            async with httpx.AsyncClient(base_url=url, verify=trust, timeout=30) as client:
                shop, granted = await open_shop(client, state)
            wanted = shop.show
            click.echo(f"Watch:   {url}/shows/{wanted}/watch")
            click.echo(f"Console: {url}/sell  (demo seller {shop.email}, {shop.password})")
        await publish_demo(url, wanted, granted, trust)

    try:
        _run(publish())
    except (RefusedError, httpx.HTTPError) as error:
        raise click.ClickException(str(error)) from None


@main.command()
def settings() -> None:
    """Print every setting with its default and its meaning."""
    click.echo(settings_table())


def _settings() -> Settings:
    try:
        settings = read_settings(os.environ)
    except SettingsError as error:
        raise click.ClickException(str(error)) from None
    start_logging(settings.log_level, settings.log_format)
    return settings


def _run(work: Coroutine[Any, Any, None]) -> None:
    """Run to the end; what an operator can mend is told in one line."""
    try:
        uvloop.run(work)
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except (StartError, StoreError) as error:
        raise click.ClickException(str(error)) from None
    except BaseExceptionGroup as group:
        ours, others = group.split((StartError, StoreError))
        if ours is None or others is not None:
            raise
        raise click.ClickException("; ".join(_texts(ours))) from None


def _texts(group: BaseExceptionGroup[Any]) -> list[str]:
    return [
        text
        for error in group.exceptions
        for text in (_texts(error) if isinstance(error, BaseExceptionGroup) else [str(error)])
    ]


def _how_to_trust(url: str, certificate: Certificate) -> str:
    return (
        f"For phones in this network: open {url}{AUTHORITY_PATH} once, install the certificate\n"
        "as a trusted authority (iPhone: also Settings > General > About > Certificate Trust), "
        "then reload.\n"
        f"휴대전화에서는 {url}{AUTHORITY_PATH} 인증서를 한 번 설치하고 신뢰하도록 설정하세요.\n"
        f"The same file: {certificate.authority}"
    )


if __name__ == "__main__":
    main()
