"""A child process of the server: started, watched, restarted when it dies, stopped with us.

A child never outlives the server: it runs in its own session (so that Ctrl-C reaches only the
server, which then stops its children in order) and, where the kernel offers it, gets SIGINT when
the server dies without a word.
"""

import asyncio
import os
import pwd
import shutil
import signal
import stat
import subprocess
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, Protocol

import structlog

log = structlog.get_logger()

SERVICE_USER: Final = "kkot"
START_TIMEOUT_S: Final = 60.0
STOP_TIMEOUT_S: Final = 20.0
RETRY_DELAY_S: Final = 0.1
POLL_INTERVAL_S: Final = 0.02


class StoreError(Exception):
    """An embedded store cannot run here; the text says why and what to do instead."""


class Spec(Protocol):
    """What the supervisor needs to know of a store."""

    name: str

    async def command(self) -> Sequence[str]:
        """Prepare its folder; return the command line that runs it in the foreground."""

    async def ready(self) -> bool:
        """Whether it answers on its socket."""

    async def evict(self) -> None:
        """End a predecessor that a killed server left behind on the same socket, if any."""


def launcher(user: str | None = None, reach: Sequence[Path] = ()) -> list[str]:
    """The words to put before a child's command line.

    `user`: the account to run under when we are root. `reach`: paths that account must be able to
    open; where a parent folder is closed to it, the child gets the capability to look through.
    Raises `StoreError` where the account cannot be changed.
    """
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        if user is not None:
            raise StoreError("running as root needs util-linux (setpriv); or run as another user")
        return []
    words = [setpriv, "--pdeathsig", "INT"]
    if user is not None:
        words += ["--reuid", user, "--regid", user, "--clear-groups"]
        if not all(map(_open_to_others, reach)):
            words += ["--inh-caps", "+dac_read_search", "--ambient-caps", "+dac_read_search"]
    return words


def service_user() -> str | None:
    """The account children run under: None (our own) unless we are root; made when missing."""
    if os.geteuid() != 0:
        return None
    with suppress(KeyError):
        return pwd.getpwnam(SERVICE_USER).pw_name
    useradd = shutil.which("useradd")
    if useradd is None:
        raise StoreError(f"running as root needs an account named {SERVICE_USER}; make one")
    subprocess.run(
        [useradd, "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", SERVICE_USER],
        check=True,
        capture_output=True,
    )
    return SERVICE_USER


def _open_to_others(path: Path) -> bool:
    return all(parent.stat().st_mode & stat.S_IXOTH for parent in path.resolve().parents)


class Child:
    """Keeps one store running from `start` to `stop`."""

    def __init__(self, spec: Spec, log_path: Path) -> None:
        self._spec = spec
        self._log_path = log_path
        self._process: asyncio.subprocess.Process | None = None
        self._watch: asyncio.Task[None] | None = None
        self.restarted = asyncio.Condition()
        """Notified whenever the store is up again after it died."""

    @property
    def pid(self) -> int | None:
        """The running process, if there is one."""
        return self._process.pid if self._process else None

    async def start(self) -> None:
        """Return once the store answers. Raises `StoreError` with the end of its log otherwise."""
        await self._run_until_ready()
        self._watch = asyncio.create_task(self._keep_running(), name=f"watch {self._spec.name}")

    async def stop(self) -> None:
        """Ask the store to end; kill it when it does not."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.wait([self._watch])
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.send_signal(signal.SIGINT)
        try:
            async with asyncio.timeout(STOP_TIMEOUT_S):
                await process.wait()
        except TimeoutError:
            log.warning("store does not stop, killing it", store=self._spec.name)
            process.kill()
            await process.wait()

    async def _keep_running(self) -> None:
        while True:
            assert self._process is not None
            code = await self._process.wait()
            log.error("store died, starting it again", store=self._spec.name, code=code)
            try:
                await self._run_until_ready()
            except StoreError as error:
                log.error("store does not come back", store=self._spec.name, error=str(error))
            async with self.restarted:
                self.restarted.notify_all()

    async def _run_until_ready(self) -> None:
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                await self._spec.evict()
                while not await self._run_once():
                    await asyncio.sleep(RETRY_DELAY_S)
        except TimeoutError:
            raise StoreError(f"{self._spec.name} did not start:\n{self._last_words()}") from None
        log.info("store is up", store=self._spec.name, pid=self.pid)

    async def _run_once(self) -> bool:
        """Start the process; True when it answers, False when it ended before it did."""
        command = await self._spec.command()
        with self._log_path.open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                *command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        while self._process.returncode is None:
            if await self._spec.ready():
                return True
            await asyncio.sleep(POLL_INTERVAL_S)
        return False

    def _last_words(self) -> str:
        return self._log_path.read_text(errors="replace")[-2000:]


async def wait_until(gone: Callable[[], Awaitable[bool]]) -> None:
    """Poll until `gone` says so; the caller sets the time limit."""
    while not await gone():
        await asyncio.sleep(POLL_INTERVAL_S)
