"""The server under test: where it is, what it may be asked, and how strictly it is judged."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from tests.conformance.requirements import Protocol

PREFIX: Final = "CONFORMANCE_"
CALM_FLOOD: Final = 0


@dataclass(frozen=True, slots=True)
class Target:
    """A server. `not_shown`: why a requirement that this server does not show is known not to be;
    None lets any go unshown."""

    url: str = ""
    token: str = ""
    whep_url: str = ""
    whep_token: str = ""
    off_air_url: str = ""
    redirect_url: str = ""
    whep_redirect_url: str = ""
    ca: str = ""
    flood: int = CALM_FLOOD
    report: str = ""
    flood_headers: Mapping[str, str] = field(default_factory=dict)
    strict: bool = False
    not_shown: Mapping[str, str] | None = None

    @property
    def protocols(self) -> list[Protocol]:
        """What can be tried."""
        given: dict[Protocol, str] = {"whip": self.url, "whep": self.whep_url}
        return [protocol for protocol, url in given.items() if url]

    def endpoint(self, protocol: Protocol) -> tuple[str, str]:
        """The URL of an endpoint, and the Bearer token it wants, "" for none."""
        return (self.url, self.token) if protocol == "whip" else (self.whep_url, self.whep_token)

    def redirecting(self, protocol: Protocol) -> str:
        """The endpoint that answers with 307, "" when none is known."""
        return self.redirect_url if protocol == "whip" else self.whep_redirect_url

    def trust(self) -> ssl.SSLContext:
        """Whose certificates are believed: everybody's authorities, and the one that is given."""
        context = ssl.create_default_context()
        if self.ca:
            context.load_verify_locations(self.ca)
        return context


def read_target(environ: Mapping[str, str]) -> Target | None:
    """The server the environment names, None when it names none. Raises `ValueError`."""

    def given(name: str) -> str:
        return environ.get(PREFIX + name, "").strip()

    if not given("URL") and not given("WHEP_URL"):
        return None
    for name in ("URL", "WHEP_URL", "OFF_AIR_URL", "REDIRECT_URL", "WHEP_REDIRECT_URL"):
        if given(name) and urlsplit(given(name)).scheme not in ("http", "https"):
            raise ValueError(f"{name} must be an http or https URL: {given(name)}")
    return Target(
        url=given("URL"),
        token=given("TOKEN"),
        whep_url=given("WHEP_URL"),
        whep_token=given("WHEP_TOKEN"),
        off_air_url=given("OFF_AIR_URL"),
        redirect_url=given("REDIRECT_URL"),
        whep_redirect_url=given("WHEP_REDIRECT_URL"),
        ca=given("CA"),
        flood=int(given("FLOOD") or CALM_FLOOD),
        report=given("REPORT"),
        strict=given("STRICT") not in ("", "0"),
    )
