"""An event loop whose time jumps to whatever is due next: minutes pass in moments, always alike."""

import asyncio
import selectors
from collections.abc import Mapping
from typing import Any, Final

BEGIN_S: Final = 1_000.0


class _Jump(selectors.DefaultSelector):
    """Never waits: a wait becomes a step of the clock."""

    now = BEGIN_S

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout:
            self.now += timeout
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop in virtual time that ends with the first fault of any callback."""

    def __init__(self) -> None:
        self._jump = _Jump()
        self._fault: BaseException | None = None
        super().__init__(self._jump)
        self.set_exception_handler(self._broke)

    def time(self) -> float:
        """Seconds of virtual time."""
        return self._jump.now

    def run_for(self, seconds: float) -> None:
        """Let time pass. Raises what a callback raised."""
        self.call_at(self.time() + seconds, self.stop)
        self.run_forever()
        if self._fault is not None:
            raise self._fault

    def _broke(self, loop: asyncio.AbstractEventLoop, context: Mapping[str, Any]) -> None:
        fault = context.get("exception")
        self._fault = fault if fault is not None else RuntimeError(context["message"])
        self.stop()
