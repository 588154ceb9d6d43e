"""Simulcast as a publisher offers it, and the answer to it (RFC 8851, RFC 8853).

A layer counts when its rid is told soundly, once, and admits the codec that was chosen. What
does not count is left out of the answer, so that it is not sent (RFC 8851 §6.3, RFC 8853 §5.3.2).
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from signaling.core.sdp import Section

LAYERS_MOST: Final = 4
"""Layers that are taken; further ones are left out."""

_RID = re.compile(r"[A-Za-z0-9_-]{1,16}")
"""Longer ones do not fit into a one-byte header extension (RFC 8285 §4.2)."""
_RESTRICTION = re.compile(r"[A-Za-z0-9-]+(=[\x20-\x3a\x3c-\x7e]*)?")


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer: its rid, its restrictions as they are agreed, and whether it begins paused."""

    rid: str
    restrictions: str
    paused: bool


def layers(section: Section, payload_type: int) -> tuple[Layer, ...]:
    """The layers that are taken of what the section would send with this payload type, in the
    order offered; () when it offers no simulcast, or none that can be understood."""
    rids = _rids(section, payload_type)
    found: dict[str, Layer] = {}
    for alternatives in _streams(section):
        known = ((word.removeprefix("~"), word) for word in alternatives)
        rid, word = next(((r, w) for r, w in known if r in rids), ("", ""))
        if rid and rid not in found:
            found[rid] = Layer(rid, rids[rid], word != rid)
    return tuple(found.values())[:LAYERS_MOST]


def lines(taken: Iterable[Layer]) -> list[str]:
    """The answer's a=rid and a=simulcast lines; none when there are no layers."""
    taken = tuple(taken)
    if not taken:
        return []
    order = ";".join(f"~{layer.rid}" if layer.paused else layer.rid for layer in taken)
    rids = (f"a=rid:{layer.rid} recv {layer.restrictions}".rstrip() for layer in taken)
    return [*rids, f"a=simulcast:recv {order}"]


def _streams(section: Section) -> Iterator[list[str]]:
    """For each simulcast stream the peer would send its alternatives, best first."""
    words = (section.first("simulcast") or "").split()
    for direction, streams in zip(words[::2], words[1::2], strict=False):
        if direction == "send":
            yield from (stream.split(",") for stream in streams.split(";"))


def _rids(section: Section, payload_type: int) -> dict[str, str]:
    """The restrictions of each rid to be sent that can be; one told twice is none."""
    found: dict[str, str | None] = {}
    for value in section.all("rid"):
        rid, _, rest = value.partition(" ")
        direction, _, restrictions = rest.strip().partition(" ")
        if direction == "send":
            sound = rid not in found and _RID.fullmatch(rid)
            found[rid] = _restricted(restrictions, payload_type) if sound else None
    return {rid: restrictions for rid, restrictions in found.items() if restrictions is not None}


def _restricted(restrictions: str, payload_type: int) -> str | None:
    """The restrictions with nothing but this payload type; None when they are not sound or do
    not admit it (RFC 8851 §4, §6.3)."""
    agreed = []
    for restriction in restrictions.strip().split(";") if restrictions.strip() else ():
        if not _RESTRICTION.fullmatch(restriction):
            return None
        name, _, given = restriction.partition("=")
        if name == "pt" and str(payload_type) not in given.split(","):
            return None
        agreed.append(f"pt={payload_type}" if name == "pt" else restriction)
    return ";".join(agreed)
