"""What deploy/ says agrees with the server and with itself.

Each rule is a function from texts to faults. Every rule is tried twice: on the real files, where
it must find nothing, and on the same files with one thing broken, where it must speak.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
import yaml  # type: ignore[import-untyped]

from live.server.app import build_app
from live.server.settings import Settings, SettingsError, read_settings, variable
from tests.server.test_operations import Named

ROOT: Final = Path(__file__).parents[2]
DEPLOY: Final = ROOT / "deploy"

COMPOSE_ONLY: Final = frozenset({"KKOT_DOMAIN"})
"""Names that compose.yaml and the Caddyfile share and the server never sees."""

TURN_KEYS: Final = frozenset(
    {"listening-port", "realm", "fingerprint", "use-auth-secret", "stale-nonce", "min-port"}
    | {"max-port", "total-quota", "user-quota", "denied-peer-ip", "allowed-peer-ip"}
    | {"no-multicast-peers", "no-tcp-relay", "no-tls", "no-dtls", "no-cli", "log-file"}
    | {"simple-log", "static-auth-secret"}
)
"""coturn's options that may stand in turnserver.conf; it passes over what it does not know."""

SECRET: Final = re.compile(
    r"(?<!\{)\b\w*(?:secret|password)\w*\"?\s*[:=][ \t]*\"?([^\s\"]+)", re.IGNORECASE
)
LOGIN: Final = re.compile(r"://[^\s/:@]+:([^\s@]+)@")
STORE_URLS: Final = ("KKOT_DATABASE_URL", "KKOT_REDIS_URL")

Files = Mapping[str, str]
Rule = Callable[[Files], Iterator[str]]


def deploy_files() -> dict[str, str]:
    """Every file of deploy/ that an operator might fill in, by name."""
    return {
        path.name: path.read_text(encoding="utf-8")
        for path in sorted(DEPLOY.iterdir())
        if path.is_file() and path.name != ".env"
    }


def services(files: Files) -> dict[str, Any]:
    """The services of compose.yaml."""
    found: dict[str, Any] = yaml.safe_load(files["compose.yaml"])["services"]
    return found


def environment(files: Files, service: str) -> dict[str, str]:
    """A service's variables as Compose hands them over, blanks filled from env.example."""
    given = dict(re.findall(r"^(\w+)=(.*)$", files["env.example"], re.MULTILINE))

    def fill(match: re.Match[str]) -> str:
        return given[match[1]] or "0" * 64

    own = services(files)[service]["environment"]
    return {name: re.sub(r"\$\{(\w+):\?\}", fill, str(text)) for name, text in own.items()}


def names_are_settings(files: Files) -> Iterator[str]:
    """A KKOT_ name is a setting, or one that Compose keeps to itself."""
    known = COMPOSE_ONLY | {variable(each.name) for each in fields(Settings)}
    for name, text in files.items():
        for word in sorted(set(re.findall(r"\bKKOT_[A-Z_]*[A-Z]", text)) - known):
            yield f"{name}: {word} is no setting"


def values_are_accepted(files: Files) -> Iterator[str]:
    """The server starts with what Compose gives it, on the stores of Compose."""
    for service in ("kkot", "migrate"):
        given = environment(files, service)
        try:
            read_settings(given)
        except SettingsError as error:
            yield f"{service}: {error}"
        for name in STORE_URLS:
            host = re.search(r"(?:@|//)([a-z]+):\d+/", given.get(name, ""))
            if host is None or host[1] not in services(files):
                yield f"{service}: {name} names no service"


def variables_are_explained(files: Files) -> Iterator[str]:
    """What compose.yaml asks for stands in env.example, and the other way about."""
    asked = set(re.findall(r"\$\{(\w+)", files["compose.yaml"]))
    offered = set(re.findall(r"^(\w+)=", files["env.example"], re.MULTILINE))
    yield from sorted(f"{name}: on one side only" for name in asked ^ offered)
    yield from (
        f"{name}: may be left out unnoticed"
        for name in re.findall(r"\$\{(\w+)(?!:\?\}|\w)", files["compose.yaml"])
    )


def services_wait(files: Files) -> Iterator[str]:
    """Kkot starts on a current schema; who is waited for can be asked for its health."""
    known = services(files)
    if known["migrate"].get("command") != ["migrate"]:
        yield "migrate does not run `kkot migrate`"
    waited = known["kkot"]["depends_on"].get("migrate", {}).get("condition")
    if waited != "service_completed_successfully":
        yield "kkot does not wait for migrate"
    for name, service in known.items():
        for other, wait in service.get("depends_on", {}).items():
            healthy = "healthcheck" in known.get(other, {}) or other == "kkot"
            if wait["condition"] == "service_healthy" and not healthy:
                yield f"{name} waits for the health of {other}, which has none"


def parts_exist(files: Files) -> Iterator[str]:
    """Networks and volumes that a service names are declared; mounted files are there."""
    whole = yaml.safe_load(files["compose.yaml"])
    for name, service in whole["services"].items():
        for network in service.get("networks", ()):
            if network not in whole["networks"]:
                yield f"{name}: no network {network}"
        for volume in service.get("volumes", ()):
            source = volume.partition(":")[0]
            if source.startswith("./") and source[2:] not in files:
                yield f"{name}: no file {source}"
            if not source.startswith("./") and source not in whole["volumes"]:
                yield f"{name}: no volume {source}"


def ports_are_the_defaults(files: Files) -> Iterator[str]:
    """Media ports are published as they are offered; HTTP stays inside."""
    ours = Settings()
    media = {f"{ours.media_port}/udp", f"{ours.media_tcp_port}/tcp"}
    wanted = {f"{port.partition('/')[0]}:{port}" for port in media}
    if set(services(files)["kkot"]["ports"]) != wanted:
        yield f"compose.yaml: kkot publishes other ports than {sorted(wanted)}"
    exposed = re.findall(r"^EXPOSE (.*)$", files["Dockerfile"], re.MULTILINE)
    if set(" ".join(exposed).split()) != media | {f"{ours.http_port}/tcp"}:
        yield "Dockerfile: EXPOSE names other ports than the settings"
    if f"`{ours.media_port}/udp+tcp`" not in files["README.md"]:
        yield "README.md: opens another media port"
    turn = environment(files, "kkot")["KKOT_TURN_URL"].rpartition(":")[2]
    if f"\nlistening-port={turn}\n" not in files["turnserver.conf"]:
        yield "turnserver.conf: listens elsewhere than KKOT_TURN_URL says"


def caddy_reaches_kkot(files: Files) -> Iterator[str]:
    """The Caddyfile's braces balance, and it leads from the domain to the server."""
    text = re.sub(r"(?m)#.*$", "", files["Caddyfile"])
    depth = 0
    for brace in re.findall(r"[{}]", text):
        depth += 1 if brace == "{" else -1
        if depth < 0:
            break
    if depth != 0:
        yield "Caddyfile: braces do not balance"
    if not re.search(r"^\{\$KKOT_DOMAIN\} \{$", text, re.MULTILINE):
        yield "Caddyfile: no site for the domain"
    upstreams = re.findall(r"reverse_proxy\s+([\w.-]+):(\d+)", text)
    if upstreams != [("kkot", str(Settings().http_port))] or "kkot" not in services(files):
        yield f"Caddyfile: leads to {upstreams}"


def caddy_alone_is_trusted(files: Files) -> Iterator[str]:
    """The trusted proxy is Caddy at its fixed address, on a network that Kkot shares."""
    network = services(files)["caddy"]["networks"]["front"]
    trusted = environment(files, "kkot").get("KKOT_TRUSTED_PROXIES")
    if trusted != network["ipv4_address"] or "front" not in services(files)["kkot"]["networks"]:
        yield f"kkot trusts {trusted}, Caddy is at {network['ipv4_address']}"


def image_can_be_built(files: Files) -> Iterator[str]:
    """What is copied exists and is not ignored; libraries by hash; nobody runs as root."""
    text = files["Dockerfile"].replace("\\\n", " ")
    let_in = re.findall(r"^!(.+)$", files["Dockerfile.dockerignore"], re.MULTILINE)
    for copied in re.findall(r"^COPY (?!--from)(.*)$", text, re.MULTILINE):
        for source in copied.split()[:-1]:
            if not (ROOT / source).exists():
                yield f"{source} does not exist"
            if source not in let_in:
                yield f"{source} is ignored"
    if "--require-hashes -r requirements.lock" not in text:
        yield "libraries are installed without their hashes"
    if not re.search(r"^USER (?!root|0)\w+$", text.rpartition("\nFROM ")[2], re.MULTILINE):
        yield "the server runs as root"
    if not re.search(r"^HEALTHCHECK .*/healthz", text, re.MULTILINE):
        yield "no health check on /healthz"


def turn_options_are_known(files: Files) -> Iterator[str]:
    """coturn knows every option, asks for credentials, and relays to nobody unless told."""
    lines = [each for each in files["turnserver.conf"].splitlines() if each and each[0] != "#"]
    yield from (each for each in lines if each.partition("=")[0] not in TURN_KEYS)
    needed = ("use-auth-secret", "denied-peer-ip=0.0.0.0-255.255.255.255")
    yield from (f"{each} is missing" for each in needed if each not in lines)
    script = services(files)["coturn"]["command"][0]
    added = re.findall(r'echo "([\w-]+)=', script)
    yield from (f"{each} is no option" for each in added if each not in TURN_KEYS)
    if set(added) != {"static-auth-secret", "allowed-peer-ip"}:
        yield "compose.yaml: coturn gets neither its secret nor its one peer"


def no_secrets(files: Files) -> Iterator[str]:
    """No file holds a secret: only the name of the variable that does."""
    for name, text in files.items():
        for pattern in (SECRET, LOGIN):
            for value in pattern.findall(text):
                if not re.fullmatch(r"\$\{\w+:\?\}|\$\$\w+", value):
                    yield f"{name}: a secret is written out"


RULES: Final[tuple[Rule, ...]] = (
    *(names_are_settings, values_are_accepted, variables_are_explained, services_wait),
    *(parts_exist, ports_are_the_defaults, caddy_reaches_kkot, caddy_alone_is_trusted),
    *(image_can_be_built, turn_options_are_known, no_secrets),
)

BREAKS: Final = (
    (names_are_settings, "compose.yaml", "KKOT_PUBLIC_IP:", "KKOT_PUBLIC_ADDRESS:"),
    (names_are_settings, "README.md", "KKOT_PUBLIC_IP", "KKOT_PUBLIC"),
    (names_are_settings, "Dockerfile", "KKOT_HTTP_HOST", "KKOT_HOST"),
    (values_are_accepted, "env.example", "203.0.113.10", "203.0.113"),
    (values_are_accepted, "compose.yaml", "@postgres:", "@database:"),
    (values_are_accepted, "compose.yaml", "  KKOT_TURN_URL: turn:", "  KKOT_LOG_LEVEL: "),
    (variables_are_explained, "env.example", "KKOT_SECRET=", "SECRET="),
    (variables_are_explained, "compose.yaml", "${KKOT_SECRET:?}", "${KKOT_SECRET}"),
    (services_wait, "compose.yaml", "command: [migrate]", "command: [serve]"),
    (services_wait, "compose.yaml", "service_completed_successfully", "service_started"),
    (services_wait, "compose.yaml", "      valkey:\n", "      coturn:\n"),
    (parts_exist, "compose.yaml", "networks: [stores]", "networks: [shelves]"),
    (parts_exist, "compose.yaml", "./Caddyfile:", "./caddyfile:"),
    (parts_exist, "compose.yaml", '"valkey:/data"', '"cache:/data"'),
    (ports_are_the_defaults, "compose.yaml", '"8189:8189/udp"', '"8190:8189/udp"'),
    (ports_are_the_defaults, "compose.yaml", '"8189:8189/tcp"', '"8000:8000/tcp"'),
    (ports_are_the_defaults, "Dockerfile", "EXPOSE 8000/tcp", "EXPOSE 80/tcp"),
    (ports_are_the_defaults, "turnserver.conf", "=3478", "=3479"),
    (ports_are_the_defaults, "README.md", "8189", "8190"),
    (caddy_reaches_kkot, "Caddyfile", "\n}\n", "\n"),
    (caddy_reaches_kkot, "Caddyfile", "{$KKOT_DOMAIN} {", "} {$KKOT_DOMAIN} { {"),
    (caddy_reaches_kkot, "Caddyfile", "kkot:8000", "kkot:8001"),
    (caddy_reaches_kkot, "Caddyfile", "kkot:8000", "server:8000"),
    (caddy_reaches_kkot, "Caddyfile", "{$KKOT_DOMAIN}", "{$DOMAIN}"),
    (caddy_alone_is_trusted, "compose.yaml", "PROXIES: 172.30.77.2", "PROXIES: 172.30.77.0/24"),
    (image_can_be_built, "Dockerfile", "COPY cart cart", "COPY carts carts"),
    (image_can_be_built, "Dockerfile.dockerignore", "!chat\n", ""),
    (image_can_be_built, "Dockerfile", "--require-hashes ", ""),
    (image_can_be_built, "Dockerfile", "USER kkot\n", ""),
    (image_can_be_built, "Dockerfile", "USER kkot", "USER root"),
    (image_can_be_built, "Dockerfile", "/healthz", "/"),
    (turn_options_are_known, "turnserver.conf", "no-tcp-relay", "no-tcp-relays"),
    (turn_options_are_known, "turnserver.conf", "use-auth-secret\n", ""),
    (
        turn_options_are_known,
        "turnserver.conf",
        "denied-peer-ip=0.0.0.0-",
        "denied-peer-ip=10.0.0.0-",
    ),
    (turn_options_are_known, "compose.yaml", "static-auth-secret=", "auth-secret="),
    (no_secrets, "env.example", "KKOT_SECRET=", "KKOT_SECRET=hush"),
    (no_secrets, "compose.yaml", "PASSWORD: ${POSTGRES_PASSWORD:?}", "PASSWORD: hush"),
    (no_secrets, "compose.yaml", "kkot:${POSTGRES_PASSWORD:?}@", "kkot:hush@"),
    (no_secrets, "turnserver.conf", "realm=kkot", "static-auth-secret=hush"),
)


@pytest.mark.parametrize("rule", RULES)
def test_deploy_is_sound(rule: Rule) -> None:
    assert list(rule(deploy_files())) == []


@pytest.mark.parametrize(("rule", "name", "old", "new"), BREAKS)
def test_a_break_is_seen(rule: Rule, name: str, old: str, new: str) -> None:
    files = deploy_files()
    assert old in files[name]
    assert list(rule(files | {name: files[name].replace(old, new)}))


def test_every_rule_is_tried() -> None:
    assert {each[0] for each in BREAKS} == set(RULES)


async def test_the_health_check_has_its_door() -> None:
    app = build_app([], Named(), {}, version="0")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client:
        assert (await client.get("http://kkot.test/healthz")).is_success
