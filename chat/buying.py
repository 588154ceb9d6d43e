"""What one viewer wants of the shop: asked at its till, which the house gives, and answered.

Nobody waits here: while a hold is on its way its viewer goes on talking. So many may be on their
way for one connection; more are refused, and a client asks again with the same id.
"""

from typing import Final

from chat.connection import Connection
from chat.core.commands import Unwantable, Want
from chat.core.events import Held, NotHeld
from chat.errors import MalformedError, TooManyAtOnceError
from chat.ports import Till

HOLDS_AT_ONCE: Final = 8
"""So many holds of a connection may wait for their answers; more are refused."""


class Buying:
    """One connection's errands at the till of a show."""

    def __init__(self, till: Till, show: str, connection: Connection) -> None:
        self._till = till
        self._show = show
        self._connection = connection
        self._waiting = 0

    def take(self, wish: Want | Unwantable) -> None:
        """Ask for what is wanted; the viewer is told once it is known."""
        if isinstance(wish, Unwantable):
            error = MalformedError("A hold has lines of a SKU and a quantity each.")
            self._connection.tell(self._till.refuse(wish.id, error))
        elif self._waiting >= HOLDS_AT_ONCE:
            crowded = TooManyAtOnceError(facts={"limit": HOLDS_AT_ONCE})
            self._connection.tell(self._till.refuse(wish.id, crowded))
        else:
            self._waiting += 1
            self._till.hold(self._connection.member.id, self._show, wish, self._answer)

    def _answer(self, answer: Held | NotHeld) -> None:
        self._waiting -= 1
        self._connection.tell(answer)
