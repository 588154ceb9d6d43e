"""Answers, read no further than the requirements need (RFC 8866)."""

from dataclasses import dataclass
from typing import Final

DIRECTIONS: Final = ("sendrecv", "sendonly", "recvonly", "inactive")


@dataclass(frozen=True, slots=True)
class Candidate:
    """An address of a=candidate (RFC 8839 §5.1)."""

    transport: str
    host: str
    port: int


class Part:
    """Some lines of a description: its session level or one media section."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines

    def all(self, name: str) -> list[str]:
        """The values of every such attribute; "" for one that is only a flag."""
        pairs = (line[2:].partition(":") for line in self.lines if line.startswith("a="))
        return [value for found, _, value in pairs if found == name]

    def first(self, name: str) -> str | None:
        """The first value, None without such an attribute."""
        return next(iter(self.all(name)), None)

    def has(self, name: str) -> bool:
        """Whether there is such an attribute."""
        return self.first(name) is not None


class Section(Part):
    """A media section."""

    @property
    def kind(self) -> str:
        """audio, video or something else."""
        return self.lines[0][2:].split()[0]

    @property
    def port(self) -> int:
        """0 for a section that is rejected."""
        return int(self.lines[0].split()[1].partition("/")[0])

    @property
    def formats(self) -> list[str]:
        """Its payload types, the wanted one first."""
        return self.lines[0].split()[3:]

    @property
    def direction(self) -> str:
        """sendrecv unless said otherwise."""
        return next((name for name in DIRECTIONS if self.has(name)), "sendrecv")

    def codec(self) -> tuple[int, str]:
        """The payload type and the name, in lower case, of its first codec."""
        payload_type = self.formats[0]
        maps = (value.partition(" ") for value in self.all("rtpmap"))
        names = {number: name.partition("/")[0].lower() for number, _, name in maps}
        return int(payload_type), names.get(payload_type, "")


class Description:
    """A description or a fragment of one. Raises `ValueError` when it is not of lines x=…"""

    def __init__(self, text: str) -> None:
        parts: list[list[str]] = [[]]
        for line in text.replace("\r\n", "\n").rstrip("\n").split("\n"):
            if len(line) < 2 or line[1] != "=":
                raise ValueError(f"no line of a description: {line!r}")
            if line.startswith("m="):
                parts.append([])
            parts[-1].append(line)
        self.session = Part(parts[0])
        self.media = [Section(lines) for lines in parts[1:]]
        self.parts: list[Part] = [self.session, *self.media]

    def anywhere(self, name: str) -> list[str]:
        """The values of an attribute at either level."""
        return [value for part in self.parts for value in part.all(name)]

    @property
    def ufrag(self) -> str:
        """The ICE user name fragment."""
        return self.anywhere("ice-ufrag")[0]

    @property
    def password(self) -> str:
        """The ICE password."""
        return self.anywhere("ice-pwd")[0]

    @property
    def bundle(self) -> list[str]:
        """The mids of the BUNDLE group."""
        groups = [value.split() for value in self.session.all("group")]
        return next((mids for name, *mids in groups if name == "BUNDLE"), [])

    @property
    def candidates(self) -> list[Candidate]:
        """Every candidate, in order."""
        words = (value.split() for value in self.anywhere("candidate"))
        return [Candidate(each[2].lower(), each[4], int(each[5])) for each in words]

    @property
    def fingerprints(self) -> list[tuple[str, str]]:
        """Algorithm and value of every a=fingerprint."""
        words = (value.split() for value in self.anywhere("fingerprint"))
        return [(algorithm, value) for algorithm, value in words]
