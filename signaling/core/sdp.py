"""Session descriptions as attributes and media sections (RFC 8866), no more than WebRTC needs.

Unknown lines are kept or passed over, as the RFC wants; broken ones are an error. Values are
never interpreted here: `negotiate` does that.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from signaling.errors import MalformedOffer

LINE_LIMIT: Final = 2000
MEDIA_LIMIT: Final = 16

Attributes = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Section:
    """One m= section; flag attributes have an empty value."""

    kind: str
    port: int
    profile: str
    formats: tuple[str, ...]
    attributes: Attributes

    def all(self, name: str) -> Iterator[str]:
        """The values of every such attribute, in order."""
        return (value for key, value in self.attributes if key == name)

    def first(self, name: str) -> str | None:
        """The first value of the attribute; None when it is absent."""
        return next(self.all(name), None)

    def has(self, name: str) -> bool:
        """Whether the attribute is there."""
        return self.first(name) is not None

    @property
    def direction(self) -> str:
        """sendrecv unless said otherwise (RFC 8866 §6.7)."""
        names = {key for key, _ in self.attributes}
        for direction in ("sendonly", "recvonly", "inactive"):
            if direction in names:
                return direction
        return "sendrecv"


@dataclass(frozen=True, slots=True)
class Description:
    """A whole session description."""

    attributes: Attributes
    media: tuple[Section, ...]

    def all(self, name: str) -> Iterator[str]:
        """The session-level values of every such attribute, in order."""
        return (value for key, value in self.attributes if key == name)

    def first(self, name: str) -> str | None:
        """The first session-level value of the attribute; None when it is absent."""
        return next(self.all(name), None)

    @property
    def bundle(self) -> tuple[str, ...] | None:
        """The identification tags of the bundle group (RFC 8843); None without such a group."""
        groups = (value.split() for value in self.all("group"))
        return next((tuple(mids) for name, *mids in filter(None, groups) if name == "BUNDLE"), None)


def parse(text: str) -> Description:
    """Read a description. Raises `MalformedOffer` that shows the first line that is wrong."""
    lines = text.replace("\r\n", "\n").rstrip("\n").split("\n")
    if lines[0] != "v=0":
        raise MalformedOffer("a session description begins with v=0")
    if len(lines) > LINE_LIMIT:
        raise MalformedOffer(f"more than {LINE_LIMIT} lines")
    parts: list[list[str]] = [[]]
    for number, line in enumerate(lines, 1):
        if len(line) < 2 or line[1] != "=" or not line[0].isalpha() or not line.isprintable():
            raise MalformedOffer(f"line {number} is not of the form letter=value")
        if line[0] == "m":
            parts.append([])
        parts[-1].append(line)
    session, *media = parts
    if len(media) > MEDIA_LIMIT:
        raise MalformedOffer(f"more than {MEDIA_LIMIT} media sections")
    return Description(_attributes(session), tuple(map(_section, media)))


def _section(lines: list[str]) -> Section:
    words = lines[0][2:].split()
    if len(words) < 4 or not words[1].isdecimal() or len(words[1]) > 5:
        raise MalformedOffer(f"not a media line: {lines[0][:80]}")
    kind, port, profile, *formats = words
    return Section(kind, int(port), profile, tuple(formats), _attributes(lines))


def _attributes(lines: list[str]) -> Attributes:
    parts = (line[2:].partition(":") for line in lines if line[0] == "a")
    return tuple((name, value) for name, _, value in parts)
