"""Settings: what an operator may choose, read once from the environment.

Every setting is a row of `Settings` with its default and its explanation; nothing else in the
project reads the environment. A wrong value stops the start with every fault named at once.
"""

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from signaling.core.ice_uri import parse_uris

PREFIX: Final = "KKOT_"
PUBLIC_IP_LIMIT: Final = 8
TURN_SCHEMES: Final = ("turn", "turns")


class SettingsError(ValueError):
    """One or more settings have values that cannot be used; the text names each."""


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise ValueError("a port is between 0 and 65535")
    return port


def _seconds(text: str) -> int:
    seconds = int(text)
    if not 1 <= seconds <= 86_400:
        raise ValueError("between 1 and 86400 seconds")
    return seconds


def _ips(text: str) -> str:
    words = [word.strip() for word in text.split(",") if word.strip()]
    if len(words) > PUBLIC_IP_LIMIT:
        raise ValueError(f"at most {PUBLIC_IP_LIMIT} addresses")
    return ",".join(str(ipaddress.ip_address(word)) for word in words)


def _ice_uris(*schemes: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        return ",".join(map(str, parse_uris(text, schemes)))

    return parse


def _count(text: str) -> int:
    count = int(text)
    if not 0 <= count <= 100_000:
        raise ValueError("between 0 and 100000")
    return count


def _days(text: str) -> int:
    days = int(text)
    if not 1 <= days <= 3_650:
        raise ValueError("between 1 and 3650 days")
    return days


def _url(text: str) -> str:
    if text and not urlsplit(text).scheme:
        raise ValueError("a URL with a scheme, such as https://shop.example")
    return text.rstrip("/")


def _networks(text: str) -> str:
    for each in filter(None, text.replace(" ", "").split(",")):
        ipaddress.ip_network(each)
    return text.replace(" ", "")


def _one_of(*choices: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in choices:
            raise ValueError("one of " + ", ".join(choices))
        return text

    return parse


def _secret(text: str) -> str:
    if text and len(text) < 32:
        raise ValueError("at least 32 characters")
    return text


def _text_file(text: str) -> str:
    if text:
        try:
            Path(text).read_text(encoding="utf-8")
        except OSError as error:
            raise ValueError(f"no file that can be read: {error.strerror}") from error
    return text


def _setting(default: Any, parse: Callable[[str], Any], meaning: str) -> Any:
    return field(default=default, metadata={"parse": parse, "meaning": meaning})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The values one server process runs with. Secrets stay out of `repr`."""

    http_host: str = _setting("127.0.0.1", str, "address the pages and the API listen on")
    http_port: int = _setting(8000, _port, "their TCP port")
    public_url: str = _setting(
        "", _url, "how the outside reaches this node; empty: `http(s)://` host and port"
    )
    media_port: int = _setting(8189, _port, "the one UDP port for all media")
    media_tcp_port: int = _setting(
        8189, _port, "TCP port for viewers whose network blocks UDP; 0 turns it off"
    )
    public_ip: str = _setting(
        "",
        _ips,
        "addresses offered for media, IPv4 and IPv6, separated by commas; "
        "empty: every address of the machine",
    )
    stun_url: str = _setting(
        "",
        _ice_uris("stun"),
        "`stun:host:port` of servers, separated by commas, that are asked for the public address, "
        "which is then offered too",
    )
    data_dir: Path = _setting(
        Path("var"), Path, "folder of the embedded stores, the secret and local certificates"
    )
    database_url: str = _setting(
        "", _url, "`postgresql://…` of your own PostgreSQL 15+; empty: embedded PostgreSQL"
    )
    redis_url: str = _setting(
        "", _url, "`redis://…` of your own Redis 7+ or Valkey; empty: embedded Valkey"
    )
    secret: str = _setting(
        "",
        _secret,
        "key that signs sessions, 32 characters or more, the same on every node; "
        "empty: made once and kept in the data folder",
    )
    allowed_origins: str = _setting(
        "", str, "further web origins that may open the room's websocket, separated by commas"
    )
    trusted_proxies: str = _setting(
        "127.0.0.1",
        _networks,
        "proxies whose X-Forwarded-For counts: addresses or networks, separated by commas",
    )
    turn_url: str = _setting(
        "",
        _ice_uris(*TURN_SCHEMES),
        "`turn:host:port` or `turns:host:port` of TURN servers offered to clients, "
        "separated by commas",
    )
    turn_secret: str = _setting("", str, "their shared secret (coturn's `static-auth-secret`)")
    joins_per_address: int = _setting(
        100,
        _count,
        "viewers one address may bring each second, ten times as many at once, and other WHIP and "
        "WHEP requests in proportion; 0: no limit",
    )
    handshakes_per_s: int = _setting(
        1000,
        _count,
        "viewers whose rooms this node opens each second; the others are told to come back; "
        "0: no limit",
    )
    operator_token: str = _setting(
        "",
        _secret,
        "token, 32 characters or more, that may see the media of all shows at `GET /media` and "
        "erase what a person said at `DELETE /accounts/{id}/chat`; empty: nobody may",
    )
    banned_words: str = _setting(
        "",
        _text_file,
        "file of further words that may not be said in rooms, one a line, `*` where one may go on; "
        "`!word` is allowed",
    )
    chat_retention_days: int = _setting(
        30, _days, "how long what was said in rooms is kept, for replay and for moderators"
    )
    toss_secret_key: str = _setting(
        "", str, "secret key of your Toss Payments account; set, buyers can pay there"
    )
    toss_url: str = _setting("https://api.tosspayments.com", _url, "where Toss Payments answers")
    stripe_secret_key: str = _setting(
        "", str, "secret key of your Stripe account; set, buyers can pay there"
    )
    stripe_webhook_secret: str = _setting(
        "", str, "what Stripe signs its messages to `/payments/stripe/webhook` with"
    )
    stripe_url: str = _setting("https://api.stripe.com", _url, "where Stripe answers")
    payment_sandbox: str = _setting(
        "auto",
        _one_of("auto", "on"),
        "whether buyers may pay in the sandbox, which takes no money; `auto`: where there is no "
        "other way to pay",
    )
    hold_seconds: int = _setting(300, _seconds, "how long a buyer's hold keeps a unit")
    offer_seconds: int = _setting(
        120, _seconds, "how long what became free is kept for who waited for it"
    )
    log_level: str = _setting(
        "info", _one_of("debug", "info", "warning", "error"), "least severe line that is logged"
    )
    log_format: str = _setting("text", _one_of("text", "json"), "`text` or `json`")

    def __repr__(self) -> str:
        """The settings without their secrets and without credentials inside URLs."""
        hidden = {"secret", "turn_secret", "operator_token", "database_url", "redis_url"}
        hidden |= {"toss_secret_key", "stripe_secret_key", "stripe_webhook_secret"}
        shown = (
            f"{f.name}={getattr(self, f.name)!r}" for f in fields(self) if f.name not in hidden
        )
        return f"Settings({', '.join(shown)})"


def variable(name: str) -> str:
    """The environment variable of a setting: `http_port` is `KKOT_HTTP_PORT`."""
    return PREFIX + name.upper()


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Read the settings out of an environment.

    Raises `SettingsError` naming every value that does not parse and every unknown `KKOT_` name.
    """
    values: dict[str, Any] = {}
    faults: list[str] = []
    known = {variable(f.name): f for f in fields(Settings)}
    for name, text in environ.items():
        if not name.startswith(PREFIX):
            continue
        if name not in known:
            faults.append(f"{name}: no such setting")
            continue
        setting = known[name]
        try:
            values[setting.name] = setting.metadata["parse"](text.strip())
        except ValueError as error:
            faults.append(f"{name}: {error}")
    if bool(values.get("turn_url")) != bool(values.get("turn_secret")):
        faults.append("KKOT_TURN_URL and KKOT_TURN_SECRET: set both or neither")
    if bool(values.get("stripe_secret_key")) != bool(values.get("stripe_webhook_secret")):
        faults.append("KKOT_STRIPE_SECRET_KEY and KKOT_STRIPE_WEBHOOK_SECRET: set both or neither")
    if values.get("public_ip") and values.get("stun_url"):
        faults.append("KKOT_PUBLIC_IP and KKOT_STUN_URL: an address is known or looked up, set one")
    if faults:
        raise SettingsError("; ".join(faults))
    return Settings(**values)


def settings_table() -> str:
    """The settings as a Markdown table, as it stands in the README."""
    rows = ["| setting | default | meaning |", "|---|---|---|"]
    for setting in fields(Settings):
        default = f"`{setting.default}`" if str(setting.default) else ""
        rows.append(f"| `{variable(setting.name)}` | {default} | {setting.metadata['meaning']} |")
    return "\n".join(rows)
