"""Links: ICE servers (RFC 9725 §4.6) and extensions (§4.9), as RFC 8288 writes them."""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urljoin

import httpx

from tests.conformance.door import Door
from tests.conformance.outcomes import NotShown
from tests.conformance.test_http import preflight

ICE_SERVER: Final = "ice-server"
LINK: Final = re.compile(
    r'\s*<([^>]*)>((?:\s*;\s*[\w!#$%&*+.^`|~-]+(?:=(?:"(?:[^"\\]|\\.)*"|[^\s",;]+))?)*)\s*(?:,|$)'
)
PARAMETER: Final = re.compile(r';\s*([\w!#$%&*+.^`|~-]+)(?:=(?:"((?:[^"\\]|\\.)*)"|([^\s",;]+)))?')
STUN: Final = re.compile(r"stuns?:[^\s/?#]+")
TURN: Final = re.compile(r"turns?:[^\s/?#]+(\?transport=(udp|tcp))?")


@dataclass(frozen=True, slots=True)
class Link:
    """One link of a Link field."""

    target: str
    parameters: dict[str, str]

    @property
    def relations(self) -> list[str]:
        """What it leads to."""
        return self.parameters.get("rel", "").split()


def links(response: httpx.Response) -> list[Link]:
    """All links of a response. Raises `ValueError` for a field that is not well formed."""
    found = []
    for value in response.headers.get_list("link"):
        place = 0
        while place < len(value):
            match = LINK.match(value, place)
            if match is None:
                raise ValueError(f"no Link field: {value[place : place + 60]}")
            pairs = ((m[1].lower(), m[2] or m[3] or "") for m in PARAMETER.finditer(match[2]))
            found.append(Link(match[1], dict(pairs)))
            place = match.end()
    return found


def readable(response: httpx.Response) -> list[Link]:
    """The same; raises `NotShown` where another requirement is what does not hold."""
    try:
        return links(response)
    except ValueError as error:
        raise NotShown(str(error)) from None


def ice_servers(response: httpx.Response) -> list[Link]:
    """The ICE servers of a response, each judged by §4.6."""
    found = [link for link in readable(response) if ICE_SERVER in link.relations]
    for link in found:
        if link.target.startswith("stun"):
            assert STUN.fullmatch(link.target), f"{link.target} is no STUN URI (RFC 7064)"
            continue
        assert TURN.fullmatch(link.target), f"{link.target} is no TURN URI (RFC 7065)"
        assert link.parameters.get("credential-type", "password") == "password"
        assert link.parameters.get("username")
        assert link.parameters.get("credential")
    return found


async def test_links_are_well_formed(door: Door) -> None:
    for response in (await door.post(door.offer()), await door.ask("OPTIONS")):
        assert all(link.relations for link in links(response)), "a link without rel"


async def test_ice_servers_are_told(door: Door) -> None:
    found = ice_servers(await door.post(door.offer()))
    if not found:
        raise NotShown("the 201 has no ICE server")
    assert found


async def test_ice_servers_are_told_by_options(door: Door) -> None:
    found = ice_servers(await door.ask("OPTIONS"))
    if not found:
        raise NotShown("OPTIONS tells no ICE server")
    assert found


async def test_preflight_tells_no_ice_servers(door: Door) -> None:
    response = await door.send("OPTIONS", door.url, "", preflight("POST"), "")
    assert ice_servers(response) == []


async def test_extensions_are_named_by_urn(door: Door) -> None:
    response = await door.post(door.offer())
    urn = f"urn:ietf:params:{door.protocol}:ext:"
    for link in readable(response):
        for relation in link.relations:
            if relation.startswith("urn:"):
                assert relation.startswith(urn), f"{relation} is no extension's URN"
                assert urljoin(str(response.url), link.target).startswith("http")
    assert response.status_code == 201
