"""Accounts through HTTP: sign-up, sign-in, rotation, cookies, limits."""

import asyncio

import httpx
import pytest
from argon2 import PasswordHasher
from redis.asyncio import Redis

from live.accounts.adapters.limiter import ATTEMPTS_PER_EMAIL, RedisLimiter
from live.accounts.adapters.passwords import CONCURRENT, WAITING, Argon2Passwords
from live.accounts.adapters.tokens import JwtTokens
from live.accounts.core.claims import ACCESS_SECONDS, Person
from live.accounts.errors import BusyError
from tests.server.world import ORIGIN, PASSWORD, SECRET, World

ANN = {"email": "Ann@Example.com", "password": PASSWORD, "name": "앤"}
SIGN_IN = {"email": "ann@example.com", "password": PASSWORD}


async def sign_up(world: World) -> httpx.Response:
    return await world.client.post("/accounts", json=ANN)


async def test_sign_up_signs_in(world: World) -> None:
    answer = await sign_up(world)
    assert answer.status_code == 201
    session = answer.json()
    assert session["account"] == {
        "id": session["account"]["id"],
        "name": "앤",
        "email": "ann@example.com",
    }
    assert session["access_expires_at_ms"] == (int(world.clock()) + ACCESS_SECONDS) * 1000
    cookies = answer.headers.get_list("set-cookie")
    assert len(cookies) == 2
    assert all("HttpOnly" in each and "SameSite=lax" in each for each in cookies)
    assert "Path=/sessions" in next(each for each in cookies if each.startswith("kkot_refresh"))
    world.owners["flowers"] = session["account"]["id"]
    me = await world.client.get("/me")
    assert me.json() == {**session["account"], "stores": ["flowers"]}


async def test_an_email_has_one_account_even_at_once(world: World) -> None:
    answers = await asyncio.gather(*(sign_up(world) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409]
    assert {a.json()["code"] for a in answers if a.status_code == 409} == {"email_taken"}


async def test_unknown_email_and_wrong_password_answer_alike(world: World) -> None:
    await sign_up(world)
    wrong = await world.client.post("/sessions", json=SIGN_IN | {"password": "not this one"})
    unknown = await world.client.post("/sessions", json=SIGN_IN | {"email": "bob@example.com"})
    nonsense = await world.client.post("/sessions", json=SIGN_IN | {"email": "bob"})
    assert wrong.status_code == unknown.status_code == nonsense.status_code == 401
    assert wrong.json() == unknown.json() == nonsense.json()
    assert (await world.client.post("/sessions", json=SIGN_IN)).status_code == 201


async def test_refresh_rotates_and_reuse_ends_the_family(world: World) -> None:
    first = (await sign_up(world)).cookies["kkot_refresh"]
    answer = await world.client.post("/sessions/refresh", headers=ORIGIN)
    assert answer.status_code == 200
    second = answer.cookies["kkot_refresh"]
    assert second != first
    world.client.cookies.clear()
    for token, status in ((first, 401), (second, 401)):
        headers = ORIGIN | {"Cookie": f"kkot_refresh={token}"}
        answer = await world.client.post("/sessions/refresh", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (status, "session_over")


async def test_refresh_at_once_goes_to_one(world: World) -> None:
    await sign_up(world)
    posts = (world.client.post("/sessions/refresh", headers=ORIGIN) for _ in range(2))
    answers = await asyncio.gather(*posts)
    assert sorted(answer.status_code for answer in answers) == [200, 401]


async def test_refresh_tokens_grow_old(world: World) -> None:
    await sign_up(world)
    world.clock.now_s += 31 * 24 * 3600
    assert (await world.client.get("/me")).status_code == 401
    assert (await world.client.post("/sessions/refresh", headers=ORIGIN)).status_code == 401


async def test_sign_out_ends_the_session(world: World) -> None:
    refresh = (await sign_up(world)).cookies["kkot_refresh"]
    answer = await world.client.delete("/sessions", headers=ORIGIN)
    assert answer.status_code == 204
    assert not world.client.cookies
    headers = ORIGIN | {"Cookie": f"kkot_refresh={refresh}"}
    assert (await world.client.post("/sessions/refresh", headers=headers)).status_code == 401
    assert (await world.client.delete("/sessions")).status_code == 204


async def test_foreign_pages_cannot_use_our_cookies(world: World) -> None:
    await sign_up(world)
    foreign = {"Origin": "https://evil.example"}
    for headers in ({}, foreign, {"Sec-Fetch-Site": "cross-site"}):
        answer = await world.client.post("/sessions/refresh", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "foreign_origin")
    planted = await world.client.post("/sessions", json=SIGN_IN, headers=foreign)
    assert planted.status_code == 403
    ours = {"Sec-Fetch-Site": "same-origin"}
    assert (await world.client.post("/sessions/refresh", headers=ours)).status_code == 200


async def test_guessing_is_slowed_down(world: World) -> None:
    await sign_up(world)
    wrong = SIGN_IN | {"password": "not this one"}
    for _ in range(ATTEMPTS_PER_EMAIL):
        assert (await world.client.post("/sessions", json=wrong)).status_code == 401
    answer = await world.client.post("/sessions", json=SIGN_IN)
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_attempts")
    assert int(answer.headers["retry-after"]) == answer.json()["retry_after_s"] > 0


async def test_the_limiter_counts_addresses_and_forgets_successes(redis_url: str) -> None:
    async with Redis.from_url(redis_url) as redis:
        limiter = RedisLimiter(redis)
        for number in range(ATTEMPTS_PER_EMAIL):
            assert await limiter.attempt("ann@example.com", f"192.0.2.{number}") is None
        await limiter.succeeded("ann@example.com")
        assert await limiter.attempt("ann@example.com", "192.0.2.250") is None
        waits = [await limiter.attempt(f"{n}@example.com", "192.0.2.251") for n in range(201)]
        assert waits[:200] == [None] * 200
        assert waits[200] is not None


async def test_without_redis_nobody_is_locked_out() -> None:
    async with Redis.from_url("unix:///nowhere/valkey.sock", retry=None) as redis:
        limiter = RedisLimiter(redis)
        assert await limiter.attempt("ann@example.com", "192.0.2.1") is None
        await limiter.succeeded("ann@example.com")


async def test_hashing_is_bounded() -> None:
    cheap = Argon2Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    many = CONCURRENT + WAITING + 5
    results = await asyncio.gather(
        *(cheap.hash("x" * 10) for _ in range(many)), return_exceptions=True
    )
    refused = [result for result in results if isinstance(result, BusyError)]
    assert len(refused) == 5
    hashed = next(result for result in results if isinstance(result, str))
    assert await cheap.verify(hashed, "x" * 10)
    assert not await cheap.verify(hashed, "y" * 10)
    assert not await cheap.verify(None, "the password of an account that is not there")


@pytest.mark.parametrize("token", ["", "a.b.c", "x" * 5000, "\ud800", "eyJhbGciOiJub25lIn0.e30."])
def test_false_tokens_vouch_for_nobody(token: str) -> None:
    assert JwtTokens("one secret").read(token, 0) is None


def test_tokens_of_another_secret_vouch_for_nobody() -> None:
    token = JwtTokens("one secret").issue(Person("ann", "Ann"), 1000)
    assert JwtTokens("one secret").read(token, 1000) == Person("ann", "Ann")
    assert JwtTokens("other secret").read(token, 1000) is None
    known = JwtTokens("one secret")
    assert known.read(token, 1000) == Person("ann", "Ann")
    assert known.read(token, 1000 + ACCESS_SECONDS) is None


async def test_a_new_name_is_told_by_the_next_token_and_stays(world: World) -> None:
    session = (await sign_up(world)).json()
    renamed = await world.client.patch("/me", json={"name": "  봄   꽃 "}, headers=ORIGIN)
    assert renamed.status_code == 200
    assert renamed.json()["account"] == session["account"] | {"name": "봄 꽃"}
    token = renamed.json()["access_token"]
    person = JwtTokens(SECRET).read(token, world.clock())
    assert person == Person(session["account"]["id"], "봄 꽃")
    assert token in renamed.headers["set-cookie"]
    assert (await world.client.get("/me")).json()["name"] == "봄 꽃"
    refreshed = await world.client.post("/sessions/refresh", headers=ORIGIN)
    assert refreshed.json()["account"]["name"] == "봄 꽃"


@pytest.mark.parametrize(
    ("name", "code"),
    [("", "invalid"), ("x" * 41, "invalid"), ("a\u202eb", "invalid"), ("rotten", "name_refused")],
)
async def test_a_name_that_breaks_a_rule_is_nobodys(world: World, name: str, code: str) -> None:
    refused = await world.client.post("/accounts", json=ANN | {"name": name})
    assert (refused.status_code, refused.json()["code"]) == (422, code)
    await sign_up(world)
    refused = await world.client.patch("/me", json={"name": name}, headers=ORIGIN)
    assert (refused.status_code, refused.json()["code"]) == (422, code)
    assert (await world.client.get("/me")).json()["name"] == "앤"


async def test_only_who_is_signed_in_is_renamed(world: World) -> None:
    assert (await world.client.patch("/me", json={"name": "봄"})).status_code == 401
