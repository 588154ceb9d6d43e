"""SDP fragments: what a client tells, and is told, of ICE during a session (RFC 8840 §9).

A fragment without credentials, or with those the session has, trickles candidates. One with new
credentials restarts ICE (RFC 9725 §4.3.3). The server is ICE-lite: it answers whoever proves that
he belongs to the session, so candidates are read for soundness and not kept.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from signaling.core.answer import ICE_LINES, Candidate, candidate_lines
from signaling.errors import MalformedFragment

MEDIA_TYPE: Final = "application/trickle-ice-sdpfrag"
LINE_LIMIT: Final = 500

_UFRAG = re.compile(r"[A-Za-z0-9+/]{4,256}")
_PASSWORD = re.compile(r"[A-Za-z0-9+/]{22,256}")
_MEDIA = re.compile(r"(audio|video) \d{1,5} [A-Z/]{1,40}( [\w-]{1,32}){1,64}")
_MID = re.compile(r"[!#$%&'*+\-.^_`{|}~0-9A-Za-z]{1,64}")


@dataclass(frozen=True, slots=True)
class Fragment:
    """What a client told: its credentials, "" where it told none, and how many candidates.

    `media`: the first pseudo m= line with its a=mid, "" where there was none.
    """

    ufrag: str
    password: str
    candidates: int
    media: str
    mid: str


def parse(text: str) -> Fragment:
    """Read a fragment. Raises `MalformedFragment` that shows the first line that is wrong.

    Candidates of unknown transports or with names instead of addresses are passed over.
    """
    lines = text.replace("\r\n", "\n").rstrip("\n").split("\n")
    if len(lines) > LINE_LIMIT:
        raise MalformedFragment(f"more than {LINE_LIMIT} lines")
    found: dict[str, str] = {}
    media, candidates = "", 0
    for number, line in enumerate(lines, 1):
        if len(line) < 3 or line[1] != "=" or line[0] not in "am" or not line.isprintable():
            raise MalformedFragment(f"line {number} is not an attribute or a media line")
        if line[0] == "m":
            if not _MEDIA.fullmatch(line[2:]):
                raise MalformedFragment(f"line {number} is not a media line")
            media = media or line[2:]
            continue
        name, _, value = line[2:].partition(":")
        candidates += name == "candidate"
        found.setdefault(name, value)
    ufrag, password = found.get("ice-ufrag", ""), found.get("ice-pwd", "")
    if bool(ufrag) != bool(password):
        raise MalformedFragment("ice-ufrag and ice-pwd come together")
    if ufrag and not (_UFRAG.fullmatch(ufrag) and _PASSWORD.fullmatch(password)):
        raise MalformedFragment("ice-ufrag or ice-pwd is not as RFC 8839 has it")
    if not ufrag and not candidates and "end-of-candidates" not in found:
        raise MalformedFragment("neither credentials nor candidates")
    mid = found.get("mid", "")
    if mid and not _MID.fullmatch(mid):
        raise MalformedFragment("a=mid is not a token")
    return Fragment(ufrag, password, candidates, media, mid)


def write(ufrag: str, password: str, candidates: Sequence[Candidate], asked: Fragment) -> str:
    """The answer to a restart: this server's new credentials and all of its candidates."""
    media = [f"m={asked.media}"] if asked.media else []
    mid = [f"a=mid:{asked.mid}"] if media and asked.mid else []
    lines = [
        *ICE_LINES,
        *media,
        *mid,
        f"a=ice-ufrag:{ufrag}",
        f"a=ice-pwd:{password}",
        *candidate_lines(candidates),
    ]
    return "\r\n".join(lines) + "\r\n"
