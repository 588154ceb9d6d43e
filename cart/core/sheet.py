"""A store's products as a sheet of comma-separated values (RFC 4180), one line for each SKU.

Written for spreadsheets: what would be taken for a formula is told apart by an apostrophe, which
is taken away again when the sheet is read. Read as spreadsheets write: UTF-8 with or without a
mark, UTF-16 with one, or CP949; commas, semicolons or tabs.
"""

import codecs
import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from cart.core.catalog import OPTION_NAMES_LIMIT, Product, ProductSku
from cart.core.draft import Rule

SHEET_LIMIT_BYTES: Final = 1024 * 1024
"""The largest sheet that is read; larger ones are refused."""

LINES_LIMIT: Final = 1_000
"""Most SKUs in a sheet that is read; more are refused."""

COLUMN_TOLD_CHARS: Final = 60
"""So much is told of the name of a column that is not known."""

OPTION_COLUMNS: Final = tuple(
    (f"option{place}_name", f"option{place}") for place in range(1, OPTION_NAMES_LIMIT + 1)
)
COLUMNS: Final = (
    *("product", "title", "description", *(name for pair in OPTION_COLUMNS for name in pair)),
    *("sku", "code", "price_minor", "limit_per_buyer", "free", "free_seen", "held", "sold"),
)
"""`held` and `sold` are told and never read. `free_seen`: what `free` was when the sheet was
written, so that what was sold since then is not put back by who sends it again."""

FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Row:
    """One line's cells by column, trimmed; empty ones are left out."""

    line: int
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """The sheet as a whole cannot be read, from this line on; `facts`: what its rule speaks of."""

    line: int
    rule: Rule
    detail: str
    facts: Mapping[str, int | str] = field(default_factory=dict)


def decode(body: bytes) -> str | None:
    """The text of a sheet as spreadsheets save it; None when it is in no encoding known here."""
    if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encodings = ["utf-16"]
    else:
        encodings = ["utf-8-sig", "cp949"]
    for encoding in encodings:
        try:
            return body.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def read(text: str) -> list[Row] | Unreadable:
    """The rows of a sheet, its first line naming the columns."""
    head = text.partition("\n")[0]
    delimiter = max(",;\t", key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        names = [name.strip().lower() for name in next(reader, [])]
        strange = next((name for name in names if name not in COLUMNS), None)
        if strange is not None:
            told = {"column": strange[:COLUMN_TOLD_CHARS]}
            return Unreadable(1, Rule.COLUMN_UNKNOWN, "no such column", told)
        if not names:
            return Unreadable(1, Rule.COLUMNS_NONE, "no columns")
        if len(set(names)) < len(names):
            return Unreadable(1, Rule.COLUMN_TWICE, "a column is there twice")
        rows: list[Row] = []
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(rows) == LINES_LIMIT:
                facts = {"limit": LINES_LIMIT}
                return Unreadable(reader.line_num, Rule.LINES, "too many lines", facts)
            if len(cells) > len(names):
                return Unreadable(reader.line_num, Rule.CELLS, "more cells than columns")
            named = zip(names, map(_plain, cells), strict=False)
            rows.append(Row(reader.line_num, {name: cell for name, cell in named if cell}))
    except csv.Error as error:
        return Unreadable(reader.line_num, Rule.CSV, str(error))
    return rows


def write(products: Iterable[Product]) -> str:
    """The sheet of these products, with its byte order mark."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, COLUMNS)
    writer.writeheader()
    for product in products:
        for sku in product.skus:
            cells = {name: _guarded(cell) for name, cell in _cells(product, sku)}
            writer.writerow(cells)
    return "\ufeff" + out.getvalue()


def _cells(product: Product, sku: ProductSku) -> Iterator[tuple[str, str]]:
    yield from (("product", product.id), ("title", product.title))
    yield from (("description", product.description), ("sku", sku.id), ("code", sku.code or ""))
    pairs = zip(product.option_names, sku.options, strict=True)
    for columns, told in zip(OPTION_COLUMNS, pairs, strict=False):
        yield from zip(columns, told, strict=True)
    yield "price_minor", str(sku.price_minor)
    yield "limit_per_buyer", "" if product.limit_per_buyer is None else str(product.limit_per_buyer)
    yield from (("free", str(sku.free)), ("free_seen", str(sku.free)))
    yield from (("held", str(sku.held)), ("sold", str(sku.sold)))


def _guarded(cell: str) -> str:
    return f"'{cell}" if cell.startswith((*FORMULA, "'")) else cell


def _plain(cell: str) -> str:
    bare = cell.strip()
    return bare.removeprefix("'")
