"""Finding a store's own answer by the grams a question shares with the store's questions.

No tokenizer, so Korean and English go the same way. What only makes a sentence a question (되나요,
"do you") is taken out first: it is in every entry and would make strangers look alike. Rare grams
weigh more. Likeness is Tversky's index (Features of Similarity, 1977): what both have, against that
and what one alone has. What the question alone has counts more, for it may be what is asked; people
ask shortly. Who asks when, where or how much is not told whether. An index is built once for a
store's entries; a look-up costs about a microsecond for each gram of the question.
"""

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from chat.core.assistant.concepts import alike
from chat.core.assistant.tongue import any_of

_LETTERS: Final = (2, 3, 4)
_QUESTION_ALONE: Final = 0.7
_ENTRY_ALONE: Final = 0.3
_ASKING_KOREAN: Final = any_of(
    "(가능한지|가능한가|가능할까|가능|돼|되는|되|해 ?주시|해 ?주|주시|할 ?수 ?있|수 ?있"
    "|어떻게 ?[하해]|[해하인한있은는건이])?"
    "(나요|까요|가요|어요|아요|에요|예요|죠|해요|돼요|요|나|까)(?![가-힣])",
    "(?<![가-힣])(좀|혹시|어떻게|저기|근데|사장님|그럼|이거|그거|제가|저|얼마나|직접|따로|같이"
    "|여러 ?개|[한두세] ?[번개]|금방|그냥|바로|꼭|안|수|거|것|걸|게|때|맘에|마음에|너무|많이|추가"
    "|(주문|구매)(했는데|한|할|하고)|(?!화)[가-힣]{1,4}면)(?![가-힣])",
    "(?<=[가-힣])([은는을를도]|에서|으로|(?<=[가-힣]{2})[이가])(?![가-힣])",
)
_ASKING_ENGLISH: Final = any_of(
    r"\b(how|what|whats|what's|which|do|does|did|you|i|we|the|a|an|is|are|it|to|can|could|would|will"
    r"|be|of|for|in|on|my|your|me|have|has|there|if|any|this|that|or|and|possible|possibly|please|am"
    r"|so|too|really|very|also|just|hi|hello|hey|guys|with|at|as|from|ever|actually|something|items?"
    r"|things?|come|work)\b"
)
_ASKING_FOR: Final = any_of(
    "얼마(?!나)|언제|어디|누가|누구|왜|무슨|며칠|몇",
    r"^(?:when|where|who|why)\b|\bhow (?:much|many)\b",
)
_WORDS: Final = re.compile("[0-9a-z]+|[가-힣]+")
_HANGUL: Final = re.compile("[가-힣]")


@dataclass(frozen=True, slots=True)
class Hit:
    """The likest entry, how like it is (0 to 1), and by how much it beats the next."""

    number: int
    score: float
    margin: float


class Index:
    """A store's own questions in plain spelling, ready to be compared with others."""

    def __init__(self, questions: Sequence[str]) -> None:
        texts = [alike(question) for question in questions]
        every = [_grams(text) for text in texts]
        self._asking = [_asking(text) for text in texts]
        shared = Counter(gram for grams in every for gram in grams)
        size = len(questions)
        self._rarest = math.log(1 + size) + 1
        self._weight = {
            gram: math.log((1 + size) / (1 + many)) + 1 for gram, many in shared.items()
        }
        rows: dict[str, list[int]] = {}
        for number, grams in enumerate(every):
            for gram in grams:
                rows.setdefault(gram, []).append(number)
        self._rows: dict[str, NDArray[np.intp]] = {
            gram: np.array(numbers, np.intp) for gram, numbers in rows.items()
        }
        self._whole = np.array([sum(map(self._weigh, grams)) for grams in every])

    def likest(self, question: str) -> Hit | None:
        """The one most like a plain question; None where nothing is like it at all."""
        text = alike(question)
        grams, asking = _grams(text), _asking(text)
        both = np.zeros(len(self._whole))
        for gram in grams:
            row = self._rows.get(gram)
            if row is not None:
                both[row] += self._weigh(gram)
        both[[not asking <= other for other in self._asking]] = 0
        if not both.any():
            return None
        asked = sum(map(self._weigh, grams))
        alone = _QUESTION_ALONE * (asked - both) + _ENTRY_ALONE * (self._whole - both)
        scores = both / (both + alone + 1e-9)
        ranked = np.argsort(scores)
        best = int(ranked[-1])
        second = float(scores[ranked[-2]]) if len(scores) > 1 else 0.0
        return Hit(best, float(scores[best]), float(scores[best]) - second)

    def _weigh(self, gram: str) -> float:
        return self._weight.get(gram, self._rarest)


def _asking(text: str) -> frozenset[str]:
    """What is asked for, other than whether or how."""
    return frozenset(_ASKING_FOR.findall(text))


def _grams(text: str) -> set[str]:
    text = _ASKING_ENGLISH.sub(" ", _ASKING_KOREAN.sub(" ", text))
    return {gram for word in _WORDS.findall(text) for gram in _of(word)}


def _of(word: str) -> list[str]:
    """A syllable says as much as some letters: pairs for Hangul, 2 to 4 for what else there is."""
    if _HANGUL.match(word):
        return [word] if len(word) == 1 else [word[at : at + 2] for at in range(len(word) - 1)]
    padded = f" {word} "
    return [
        gram
        for size in _LETTERS
        for at in range(len(padded) - size + 1)
        if (gram := padded[at : at + size]).strip()
    ]
