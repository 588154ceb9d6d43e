"""A whole store by one sheet: every line or none, once for each key."""

import asyncio

import pytest

from cart.core.bulk import Fault, Report
from cart.core.draft import NewSku, Rule
from cart.errors import Forbidden, IdempotencyMismatch, Malformed
from tests.cart.shop import SELLER, STRANGER, Shop

NEW = """product,title,option1_name,option1,price_minor,free,code
tulip,튤립,색상,분홍,15000,3,T1
tulip,튤립,색상,노랑,"16,000",4,T2
,작약,,,32000,5,
"""


async def bring_in(shop: Shop, text: str, key: str = "k", *, dry_run: bool = False) -> Report:
    """The seller sends a sheet."""
    return await shop.cart.importing.bring_in(
        SELLER, "camellia", key, text.encode(), dry_run=dry_run
    )


async def test_new_products_and_skus_come_by_a_sheet(shop: Shop) -> None:
    await shop.stock(1)
    tried = await bring_in(shop, NEW, dry_run=True)
    assert (tried.applied, tried.products_added, tried.skus_added, tried.faults) == (
        False,
        2,
        3,
        [],
    )
    assert len(await shop.cart.shopping.products_in("camellia")) == 1, "a dry run does nothing"
    done = await bring_in(shop, NEW)
    assert done.applied
    _, tulip, peony = await shop.cart.shopping.products_in("camellia")
    told = [(sku.options, sku.price_minor, sku.free, sku.code) for sku in tulip.skus]
    assert told == [(("분홍",), 15_000, 3, "T1"), (("노랑",), 16_000, 4, "T2")]
    assert (tulip.title, tulip.option_names) == ("튤립", ("색상",))
    assert (peony.title, peony.free, peony.skus[0].id) == ("작약", 5, peony.id)


async def test_a_sheet_is_done_once_for_its_key(shop: Shop) -> None:
    await shop.stock(1)
    answers = await asyncio.gather(*(bring_in(shop, NEW) for _ in range(4)))
    assert {answer.applied for answer in answers} == {True}
    assert len(await shop.cart.shopping.products_in("camellia")) == 3
    with pytest.raises(IdempotencyMismatch):
        await bring_in(shop, NEW.replace("15000", "14000"))


async def test_a_sheet_that_adds_is_done_once_whatever_its_key(shop: Shop) -> None:
    rose = await shop.stock(3)
    more = f"sku,free,free_seen\n{rose.id},8,3\n"
    for text in (NEW, more):
        first, *others = await asyncio.gather(
            *(bring_in(shop, text, f"{text[:3]}{n}") for n in range(4))
        )
        answers = [first, *others]
        assert sum(answer.applied for answer in answers) == 1
        told = [fault.rule for answer in answers for fault in answer.faults]
        assert told == [Rule.DONE_BEFORE] * 3
        tried = await bring_in(shop, text, "tried", dry_run=True)
        assert [fault.rule for fault in tried.faults] == [Rule.DONE_BEFORE]
    assert len(await shop.cart.shopping.products_in("camellia")) == 3
    assert (await shop.cart.shopping.product(rose.id)).free == 8
    levels = f"sku,free\n{rose.id},5\n"
    assert [(await bring_in(shop, levels, key)).applied for key in ("a", "b")] == [True, True]


async def test_what_is_exported_and_changed_comes_back(shop: Shop) -> None:
    tea = await shop.stock(
        skus=[NewSku(options=["red"], stock=5, code="R"), NewSku(options=["white"], code="W")]
    )
    red, white = (sku.id for sku in tea.skus)
    await shop.ask(red, quantity=2)
    sheet = await shop.cart.importing.export(SELLER, "camellia")
    same = await bring_in(shop, sheet, "same")
    assert (same.applied, same.faults) == (True, [])
    before = await shop.cart.shopping.product(tea.id)
    assert (before.free, before.version) == (3, tea.version + 1), "nothing was changed"
    text = f"sku,price_minor,free,code,title\n{red},9000,10,W,새 이름\n{white},,2,R,\n"
    done = await bring_in(shop, text)
    assert (done.skus_changed, done.skus_added) == (2, 0)
    after = await shop.cart.shopping.product(tea.id)
    told = [(sku.price_minor, sku.free, sku.held, sku.code) for sku in after.skus]
    assert told == [(9_000, 10, 2, "W"), (12_000, 2, 0, "R")], "codes went round"
    assert after.title == "새 이름"
    assert (await shop.hear("stock"))[-1]["version"] == after.version


async def test_one_bad_line_and_nothing_is_done(shop: Shop) -> None:
    tea = await shop.stock(1)
    text = (
        "sku,title,price_minor,free,code\n"
        f"{tea.id},,9000,7,\n"
        "nobody,,9000,,\n"
        ",ok,1000,1,X\n"
        ",no price,,1,\n"
        ",negative,1000,-1,\n"
        ",same code,1000,1,x\n"
        ",bad\x00title,1000,1,\n"
    )
    report = await bring_in(shop, text)
    assert not report.applied
    assert [(fault.line, fault.field) for fault in report.faults] == [
        (3, "sku"),
        (4, "code"),
        (5, "price_minor"),
        (6, "free"),
        (7, "code"),
        (8, "title"),
    ]
    assert await shop.cart.shopping.product(tea.id) == tea
    assert len(await shop.cart.shopping.products_in("camellia")) == 1
    again = await bring_in(shop, f"sku,free\n{tea.id},7\n")
    assert again.applied, "a key that did nothing may be used again"
    assert await shop.counters(tea) == (7, 0, 0)


async def test_sheets_that_cannot_be_read(shop: Shop) -> None:
    await shop.stock(1)
    report = await bring_in(shop, "title,price\n")
    assert report.faults == [
        Fault(line=1, rule=Rule.COLUMN_UNKNOWN, facts={"column": "price"}, detail="no such column")
    ]
    with pytest.raises(Malformed):
        await shop.cart.importing.bring_in(SELLER, "camellia", "k", b"\xff\xff\x80", dry_run=False)


async def test_sheets_are_the_owners(shop: Shop) -> None:
    await shop.stock(1)
    with pytest.raises(Forbidden):
        await shop.cart.importing.export(STRANGER, "camellia")
    with pytest.raises(Forbidden):
        await shop.cart.importing.bring_in(STRANGER, "camellia", "k", b"title", dry_run=False)


async def test_the_owner_sees_the_units_of_each_sku(shop: Shop) -> None:
    tea = await shop.stock(skus=[NewSku(options=["red"], stock=5), NewSku(options=["white"])])
    await shop.ask(tea.skus[0].id, quantity=2)
    lines = await shop.cart.stocking.view(SELLER, "camellia")
    assert [(line.options, line.free, line.held) for line in lines] == [
        (("red",), 3, 2),
        (("white",), 0, 0),
    ]
    with pytest.raises(Forbidden):
        await shop.cart.stocking.view(STRANGER, "camellia")
