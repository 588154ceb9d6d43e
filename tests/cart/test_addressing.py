"""Everybody's own list of addresses: short, one of them usual, seen by nobody else."""

import asyncio

import pytest
from msgspec.structs import replace

from cart.core.address import ADDRESSES_LIMIT
from cart.errors import Invalid, NotFound, TooMany
from tests.cart.shop import BUYER, RECIPIENT, STRANGER, Shop


async def test_the_first_is_usual_until_another_is(shop: Shop) -> None:
    book = shop.cart.addressing
    first = await book.add(BUYER, RECIPIENT, usual=False)
    second = await book.add(BUYER, replace(RECIPIENT, name="이여름"), usual=True)
    assert (first.usual, second.usual) == (True, True)
    assert [one.id for one in await book.addresses_of(BUYER)] == [second.id, first.id]
    assert [one.usual for one in await book.addresses_of(BUYER)] == [True, False]
    await book.remove(BUYER, second.id)
    assert [(one.id, one.usual) for one in await book.addresses_of(BUYER)] == [(first.id, True)]


async def test_the_same_address_is_kept_once(shop: Shop) -> None:
    book = shop.cart.addressing
    spaced = replace(RECIPIENT, name=f" {RECIPIENT.name} ")
    kept = await asyncio.gather(*(book.add(BUYER, spaced, usual=False) for _ in range(4)))
    assert len({one.id for one in kept}) == 1
    assert await book.addresses_of(BUYER) == [kept[0]]


async def test_changed_and_forgotten(shop: Shop) -> None:
    book = shop.cart.addressing
    kept = await book.add(BUYER, RECIPIENT, usual=False)
    moved = replace(RECIPIENT, postcode="63000", address="제주시 1")
    changed = await book.replace(BUYER, kept.id, moved, usual=False)
    assert (changed.id, changed.recipient, changed.usual) == (kept.id, moved, True)
    other = await book.add(BUYER, RECIPIENT, usual=False)
    with pytest.raises(NotFound):
        await book.replace(BUYER, other.id, moved, usual=False)
    await book.forget(BUYER)
    assert await book.addresses_of(BUYER) == []


async def test_nobody_touches_another_s(shop: Shop) -> None:
    book = shop.cart.addressing
    kept = await book.add(BUYER, RECIPIENT, usual=False)
    with pytest.raises(NotFound):
        await book.replace(STRANGER, kept.id, RECIPIENT, usual=False)
    for address in (kept.id, "nul\x00"):
        await book.remove(STRANGER, address)
    assert await book.addresses_of(STRANGER) == []
    assert await book.addresses_of(BUYER) == [kept]


async def test_no_more_than_ten_even_at_once(shop: Shop) -> None:
    book = shop.cart.addressing
    wanted = [replace(RECIPIENT, name=f"봄{number}") for number in range(ADDRESSES_LIMIT + 3)]
    kept = await asyncio.gather(
        *(book.add(BUYER, one, usual=False) for one in wanted), return_exceptions=True
    )
    assert sum(isinstance(one, TooMany) for one in kept) == 3
    assert len(await book.addresses_of(BUYER)) == ADDRESSES_LIMIT
    with pytest.raises(Invalid):
        await book.add(BUYER, replace(RECIPIENT, postcode="0318a"), usual=False)
