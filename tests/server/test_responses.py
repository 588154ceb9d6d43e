"""Every error of every package has its status; what passes by itself may be tried again."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from cart.adapters.database import Database
from cart.errors import CartError
from chat.errors import ChatError
from live.accounts.errors import AccountsError
from live.server.errors import ServerError
from live.server.responses import STATUS, answer
from live.show.errors import ShowError
from signaling.errors import SignalingError

TREES = (CartError, ChatError, AccountsError, ServerError, ShowError, SignalingError)
CALLED_WRONGLY = frozenset({"event_too_large", "wrong_server"})
"""Faults of ours: 500."""
OF_CLIENTS = frozenset({"dismissed"})
"""Raised in a program that is a client of rooms: no server answers with them."""


def leaves(tree: type[Exception]) -> Iterator[type[Exception]]:
    for branch in tree.__subclasses__():
        yield branch
        yield from leaves(branch)


@pytest.mark.parametrize("tree", TREES)
def test_every_error_has_its_status(tree: type[Exception]) -> None:
    codes = {leaf.code for leaf in leaves(tree)}  # type: ignore[attr-defined]
    assert codes
    assert codes - CALLED_WRONGLY - OF_CLIENTS <= set(STATUS)


def test_what_is_no_refusal_has_no_answer() -> None:
    assert answer(ValueError("a fault of ours")) is None
    assert answer(KeyError()) is None


PASSING = (
    OSError("Multiple exceptions: [Errno 111] refused, [Errno 101] unreachable"),
    socket.gaierror(-3, "Temporary failure in name resolution"),
    ConnectionResetError(),
    FileNotFoundError(2, "no socket"),
    TimeoutError(),
    PoolTimeoutError("no connection is free"),
)


@pytest.mark.parametrize("error", PASSING, ids=lambda error: type(error).__name__)
def test_what_passes_by_itself_may_be_tried_again(error: Exception) -> None:
    assert_passing(error)


BROKEN_OFF = ("40P01", "40001", "53100", "53200", "57014", "57P01")
"""SQLSTATEs: deadlock, serialization, disk full, out of memory, statement cancelled, shutdown."""


@pytest.mark.parametrize("state", BROKEN_OFF)
async def test_what_the_database_breaks_off_may_be_tried_again(
    engine: AsyncEngine, state: str
) -> None:
    failing = text(f"DO $$ BEGIN RAISE EXCEPTION 'broken off' USING ERRCODE = '{state}'; END $$")
    with pytest.raises(Exception, match="broken off") as raised:
        async with Database(engine).writing() as connection:
            await connection.execute(failing)
    assert_passing(raised.value)


async def test_a_real_deadlock_is_a_loss_that_passes_and_the_other_goes_through(
    engine: AsyncEngine,
) -> None:
    async with engine.begin() as connection:
        await connection.execute(text("CREATE TABLE circle (id int PRIMARY KEY, times int)"))
        await connection.execute(text("INSERT INTO circle VALUES (1, 0), (2, 0)"))
    both_have_one = asyncio.Barrier(2)
    lock = text("UPDATE circle SET times = times + 1 WHERE id = :id")

    async def take(first: int, second: int) -> None:
        async with Database(engine).writing() as connection:
            await connection.execute(text("SET LOCAL deadlock_timeout = '10ms'"))
            await connection.execute(lock, {"id": first})
            await both_have_one.wait()
            await connection.execute(lock, {"id": second})

    ends = await asyncio.gather(take(1, 2), take(2, 1), return_exceptions=True)
    (error,) = [end for end in ends if isinstance(end, Exception)]
    assert_passing(error)
    async with engine.connect() as connection:
        times = await connection.scalars(text("SELECT times FROM circle"))
        assert list(times) == [1, 1]


@pytest_asyncio.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    """An engine on an empty database."""
    engine = create_async_engine(database_url.replace("postgresql://", "postgresql+asyncpg://"))
    yield engine
    await engine.dispose()


def assert_passing(error: Exception) -> None:
    response = answer(error)
    assert response is not None
    assert (response.status_code, response.headers["Retry-After"]) == (503, "2")
    assert b"urn:kkot:problem:store_lost" in response.body
