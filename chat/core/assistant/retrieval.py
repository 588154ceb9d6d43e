"""Finding a store's own answer: TF-IDF over character 2- to 4-grams of NFC text, cosine likeness.

No tokenizer, so Korean and English go the same way. What only makes a sentence a question (되나요,
"do you") is taken out first: it is in every entry and would make strangers look alike. An index is
built once for a store's entries; a look-up costs about a microsecond for each 2- to 4-gram of the
question.
"""

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from chat.core.assistant.facts import Entry

_GRAMS: Final = (2, 3, 4)
_ASKING_KOREAN: Final = re.compile(
    r"(가능한가|가능|되|돼|하|할 수 있|수 있|주시|해 주|해주|있|인|한|는|은|건|되는|이)?"
    r"(나요|까요|가요|어요|아요|에요|예요|죠|해요|돼요|되요|요)(?=$|\s)|(?<=\s)(좀|혹시|어떻게)(?=\s)|\b(혹시|저기)\b"
)
_ASKING_ENGLISH: Final = re.compile(
    r"\b(how|what|whats|what's|which|do|does|did|you|i|we|the|a|an|is|are|it|to|can|could|would|will|be"
    r"|of|for|in|on|my|your|me|have|has|there|if|any|this|that|or|and|possible|possibly|please)\b"
)
_MARKS: Final = re.compile(r"[^0-9a-z가-힣]+")


@dataclass(frozen=True, slots=True)
class Hit:
    """The likest entry, how like it is (0 to 1), and by how much it beats the next."""

    number: int
    score: float
    margin: float


class Index:
    """A store's entries, ready to be asked."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        counts = [_grams(entry.question) for entry in entries]
        shared = Counter(gram for count in counts for gram in count)
        self._size = len(entries)
        self._rarest = math.log(1 + self._size) + 1
        self._idf = {
            gram: math.log((1 + self._size) / (1 + many)) + 1 for gram, many in shared.items()
        }
        rows: dict[str, tuple[list[int], list[float]]] = {}
        for number, count in enumerate(counts):
            weights = self._weights(count)
            for gram, weight in weights.items():
                numbers, values = rows.setdefault(gram, ([], []))
                numbers.append(number)
                values.append(weight)
        self._rows: dict[str, tuple[NDArray[np.intp], NDArray[np.float64]]] = {
            gram: (np.array(numbers, np.intp), np.array(values))
            for gram, (numbers, values) in rows.items()
        }

    def likest(self, question: str) -> Hit | None:
        """The entry most like a question; None where nothing is like it at all."""
        scores = np.zeros(self._size + 1)
        for gram, weight in self._weights(_grams(question)).items():
            row = self._rows.get(gram)
            if row is not None:
                scores[row[0]] += weight * row[1]
        ranked = np.argsort(scores[: self._size])
        if not self._size or scores[ranked[-1]] <= 0:
            return None
        best = int(ranked[-1])
        second = float(scores[ranked[-2]]) if self._size > 1 else 0.0
        return Hit(best, float(scores[best]), float(scores[best]) - second)

    def _weights(self, count: Counter[str]) -> dict[str, float]:
        raw = {
            gram: (1 + math.log(many)) * self._idf.get(gram, self._rarest)
            for gram, many in count.items()
        }
        length = math.sqrt(sum(weight * weight for weight in raw.values())) or 1.0
        return {gram: weight / length for gram, weight in raw.items()}


def _grams(text: str) -> Counter[str]:
    text = unicodedata.normalize("NFC", text).lower()
    text = re.sub(r"[?!.~]+", " ", text).strip()
    text = _ASKING_ENGLISH.sub(" ", _ASKING_KOREAN.sub(" ", text))
    words = " ".join(_MARKS.sub(" ", text).split())
    padded = f" {words} "
    return Counter(
        gram
        for size in _GRAMS
        for start in range(len(padded) - size + 1)
        if (gram := padded[start : start + size]).strip()
    )
