"""Why a saying may be refused: one table, the only place that names the reasons."""

from collections.abc import Mapping
from typing import Final, Literal

Reason = Literal[
    "sign_in",
    "empty",
    "too_long",
    "malformed",
    "too_fast",
    "banned_word",
    "link",
    "muted",
    "banned",
    "frozen",
    "buyers_only",
    "followers_only",
    "slow",
    "asked_already",
    "too_many_questions",
    "questions_full",
    "unknown_product",
    "unavailable",
]

MEANINGS: Final[Mapping[Reason, str]] = {
    "sign_in": "only who is signed in speaks",
    "empty": "a reader would see nothing",
    "too_long": "more than 300 code points",
    "malformed": "a `say` whose members are wrong",
    "too_fast": "too much was said in the last seconds",
    "banned_word": "a word that only the seller and moderators may say",
    "link": "a link, which is for the seller and moderators unless the room allows it",
    "muted": "the speaker is muted",
    "banned": "the speaker is banned",
    "frozen": "the room is frozen",
    "buyers_only": "the room is for who has bought in the store",
    "followers_only": "the room is for who follows the store",
    "slow": "slow mode: the speaker must wait",
    "asked_already": "this person's same question waits",
    "too_many_questions": "too many questions of this person wait",
    "questions_full": "too many questions wait in the show",
    "unknown_product": "the show does not sell what the question is about",
    "unavailable": "it cannot be said just now, or is not known whether it was",
}
"""What each means."""
