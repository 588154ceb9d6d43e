"""Words a room does not want, found however they are disguised.

A list has one word a line. `*` before or after it says that it may go on there (`fuck*`); without,
it must stand alone, so that a word inside an innocent one is none. `!word` is innocent: what lies
within it is not found. `#` begins a comment. What letters a text has says `chat.core.letters`;
beyond that a letter may be repeated, a Korean vowel drawn out (시이발), and signs stand between the
letters; spaces too where every letter stands alone (s h i t, 시 발).

The list is a tree of letters made once, and another of those words that may begin inside a word. A
text is read once, from each of its letters at most `REPEATS` far, with at most `STATES` readings at
a time; where it took more than `WORK` of them in all, the rest of it is read less thoroughly.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from chat.core.letters import Gap, Letter, is_hangul, is_jamo, read, split, vowel

WORD_LETTERS: Final = 40
"""The longest word of a list; longer lines are not words and count for nothing."""
WORDS: Final = 20_000
"""The most words of a list; those after are left out."""
STATES: Final = 12
"""The most readings of disguised letters followed at once; further ones are dropped."""
WORK: Final = 600
"""After this many readings in one text each letter has one, over `HURRIED` letters."""
HURRIED: Final = 12
"""How far a word is followed in the rest of a text that took too much work."""
REPEATS: Final = 40
"""The most letters one disguised word is spread over."""
SHORT: Final = 3
"""Latin words this short are not looked for in digits nor across spaces (A55, A/S S)."""

_SIGNS: Final = frozenset("$@")
_EMOTIVE: Final = frozenset("ㅋㅎㅠㅜㅡㅗㅉ")


@dataclass(frozen=True, slots=True)
class Found:
    """A word of the list at `text[start:end]`."""

    word: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Entry:
    word: str
    letters: int
    opens: bool
    closes: bool


@dataclass(slots=True, eq=False)
class _Node:
    next: dict[str, "_Node"] = field(default_factory=dict)
    entries: list[_Entry] = field(default_factory=list)


class _State(NamedTuple):
    node: _Node
    last: str
    gap: Gap
    pieces: bool
    typed: int
    guessed: int


class WordList:
    """A list of unwanted words; made by `WordList.of`."""

    def __init__(self, unwanted: _Node, inside: _Node, innocent: _Node) -> None:
        self._unwanted = unwanted
        self._inside = inside
        self._innocent = innocent

    @classmethod
    def of(cls, lines: Iterable[str]) -> "WordList":
        """The list those lines say; later lines add to earlier ones."""
        unwanted, inside, innocent = _Node(), _Node(), _Node()
        for line in [*lines][:WORDS]:
            word = line.partition("#")[0].strip()
            if word.startswith("!"):
                _plant(innocent, word[1:].strip(" *"), opens=True, closes=True)
            elif word:
                opens, closes = word.startswith("*"), word.endswith("*")
                _plant(unwanted, word.strip("* "), opens=opens, closes=closes)
                if opens:
                    _plant(inside, word.strip("* "), opens=opens, closes=closes)
        return cls(unwanted, inside, innocent)

    def find(self, text: str) -> tuple[Found, ...]:
        """The unwanted words of a text, in order; none where the text is clean."""
        letters = read(text)
        found: list[Found] = []
        work = 0
        for start, letter in enumerate(letters):
            if not letter.also and not _goes_on(self._unwanted, letters, start):
                continue
            root = self._unwanted if _starts(letters, start) else self._inside
            match, steps = _longest(root, letters, start, hurried=work >= WORK)
            work += steps
            if match is not None:
                found.append(match)
        if not found:
            return ()
        innocent = self._plain(letters)
        return tuple(
            match
            for match in found
            if not any(start <= match.start and match.end <= end for start, end in innocent)
        )

    def _plain(self, letters: list[Letter]) -> list[tuple[int, int]]:
        spans: list[tuple[int, int]] = []
        for start in range(len(letters)):
            node: _Node | None = self._innocent
            for letter in letters[start:]:
                node = node.next.get(letter.char) if node else None
                if node is None:
                    break
                if node.entries:
                    spans.append((letters[start].start, letter.end))
        return spans


def _plant(root: _Node, word: str, *, opens: bool, closes: bool) -> None:
    chars = "".join(letter.char for letter in read(word))
    if not 0 < len(chars) <= WORD_LETTERS:
        return
    for variant in _variants(chars):
        node = root
        for char in variant:
            node = node.next.setdefault(char, _Node())
        node.entries.append(_Entry(word, len(variant), opens, closes))


def _variants(chars: str) -> set[str]:
    """The word, and for Hangul its last tail on its own, its last vowel drawn out, all in jamo."""
    jamo = split(chars[-1])
    variants = {chars, "".join(map(split, chars))}
    if len(chars) > 1 and len(jamo) == 3:
        place = ord(chars[-1]) - 0xAC00
        open_syllable = chr(ord(chars[-1]) - place % 28)
        drawn = chr(0xAC00 + (11 * 21 + place // 28 % 21) * 28 + place % 28)
        variants |= {chars[:-1] + open_syllable + jamo[2], chars[:-1] + open_syllable + drawn}
    return variants


def _goes_on(root: _Node, letters: list[Letter], start: int) -> bool:
    """Whether a word may begin here, at a glance: most letters are no such beginning."""
    node = root.next.get(letters[start].char)
    if node is None or node.entries or start + 1 == len(letters):
        return node is not None and bool(node.entries)
    after = letters[start + 1]
    return (
        bool(after.also) or after.char in node.next or _drawn_out(letters[start].char, after.char)
    )


def _longest(
    root: _Node, letters: list[Letter], start: int, *, hurried: bool
) -> tuple[Found | None, int]:
    """The longest word that begins at a letter, and how many readings it took to see."""
    readings, far = (1, HURRIED) if hurried else (STATES, REPEATS)
    first = letters[start]
    states = [
        _State(
            root.next[char], char, Gap.NONE, True, not first.char.isdigit(), first.char.isdigit()
        )
        for char in (first.char, *first.also)
        if char in root.next
    ][:readings]
    best: Found | None = None
    work = 0
    for at in range(start, min(len(letters), start + far)):
        if at > start:
            states = _advance(states, letters[at])[:readings]
        if not states:
            break
        work += len(states)
        for state in states:
            for entry in state.node.entries:
                if _stands(entry, state, letters, start, at):
                    best = Found(entry.word, first.start, letters[at].end)
    return best, work


def _advance(states: list[_State], letter: Letter) -> list[_State]:
    """What the readings become with one letter more; too much guessing ends one."""
    after: dict[_State, None] = {}
    for state in states:
        node, last, gap, pieces, typed, guessed = state
        gap = max(gap, letter.gap)
        pieces = pieces and letter.gap is not Gap.NONE
        for char in (*node.next, "") if letter.char == "*" else (letter.char, *letter.also):
            sure = char == letter.char or letter.char in _SIGNS
            if not sure and guessed > typed:
                continue
            if char in node.next:
                onward = node.next[char]
                after[_State(onward, char, gap, pieces, typed + sure, guessed + (not sure))] = None
            if not char:
                sign = max(gap, Gap.SIGN)
                after[_State(node, last, sign, pieces, typed, guessed + 1)] = None
            elif letter.gap is Gap.NONE and _drawn_out(last, char):
                after[_State(node, last, gap, False, typed, guessed)] = None
    return [*after]


def _drawn_out(last: str, char: str) -> bool:
    if char == last:
        return not char.isdigit()
    jamo = split(char)
    return len(jamo) == 2 and jamo[0] == "ㅇ" and jamo[1] == vowel(last)


def _stands(entry: _Entry, state: _State, letters: list[Letter], start: int, at: int) -> bool:
    """Whether a reading that came to an end of an entry is that word, by what is around it."""
    latin = state.last.isascii()
    if latin and state.typed < (entry.letters if entry.letters <= SHORT else entry.letters / 2):
        return False
    if state.gap is Gap.SPACE and not (state.pieces and not (latin and entry.letters <= SHORT)):
        return False
    opens = entry.opens and state.gap is Gap.NONE
    closes = entry.closes and state.gap is not Gap.SPACE
    return (opens or _starts(letters, start)) and (closes or _ends(letters, at))


def _starts(letters: list[Letter], at: int) -> bool:
    return at == 0 or letters[at].gap is not Gap.NONE or _parts(letters[at - 1], letters[at])


def _ends(letters: list[Letter], at: int) -> bool:
    if at + 1 == len(letters) or letters[at + 1].gap is not Gap.NONE:
        return True
    return _parts(letters[at + 1], letters[at])


def _parts(outer: Letter, inner: Letter) -> bool:
    """Whether a word ends between two letters that stand together."""
    if outer.char in _EMOTIVE or not outer.char.isalnum():
        return outer.char != inner.char
    if is_jamo(outer.char) != is_jamo(inner.char):
        return True
    return not outer.char.isdigit() and is_hangul(outer.char) != is_hangul(inner.char)
