"""Sheets as spreadsheets write them, and as they may be written for them."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cart.core.catalog import Product, ProductSku
from cart.core.sheet import COLUMNS, LINES_LIMIT, Unreadable, decode, read, write

KOREAN = "title,price_minor\n동백꽃차,12000\n"

words = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1
).filter(lambda text: text == text.strip())


def product(title: str, option: str) -> Product:
    """A product of one SKU."""
    sku = ProductSku(
        id="s1", options=(option,), price_minor=900, code="A-1", on_hand=6, free=1, held=2, sold=3
    )
    return Product(
        id="p1",
        store="s",
        title=title,
        description="",
        price_minor=900,
        currency="KRW",
        picture=None,
        on_hand=6,
        free=1,
        held=2,
        sold=3,
        limit_per_buyer=2,
        option_names=("색상",),
        skus=(sku,),
        version=1,
    )


@given(words, words)
def test_what_is_written_is_read_again(title: str, option: str) -> None:
    text = decode(write([product(title, option)]).encode())
    assert text is not None
    (row,) = read(text)  # type: ignore[misc]
    assert (row.line >= 2, row.cells["title"], row.cells["option1"]) == (True, title, option)
    assert {"product": "p1", "sku": "s1", "code": "A-1", "price_minor": "900"}.items() <= (
        row.cells.items()
    )
    assert (row.cells["free"], row.cells["limit_per_buyer"]) == ("1", "2")


@given(words)
def test_nothing_written_begins_like_a_formula(title: str) -> None:
    sheet = write([product(title, "=1+1")]).removeprefix("\ufeff")
    cells = [cell for line in csv.reader(io.StringIO(sheet)) for cell in line]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t"))]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949", "euc-kr", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_sheets_of_all_kinds_of_spreadsheets(encoding: str, delimiter: str) -> None:
    text = decode(KOREAN.replace(",", delimiter).replace("\n", "\r\n").encode(encoding))
    assert text is not None
    (row,) = read(text)  # type: ignore[misc]
    assert row.cells == {"title": "동백꽃차", "price_minor": "12000"}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", 1),
        ("title,secret\n", 1),
        ("title,title\n", 1),
        ("title\na,b\n", 2),
        ('title\n"never closed', 2),
        ('title\n"a"b\n', 2),
        ("title\n" + "a\n" * (LINES_LIMIT + 1), LINES_LIMIT + 2),
        ("title\n" + "a" * 200_000, 1),
    ],
)
def test_what_is_no_sheet(text: str, line: int) -> None:
    found = read(text)
    assert isinstance(found, Unreadable)
    assert found.line in (line, line + 1)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    text = decode(body)
    if text is not None:
        found = read(",".join(COLUMNS) + "\n" + text)
        assert isinstance(found, Unreadable | list)
