"""A whole store by one sheet: every line is good and all of them are done, or none is.

A line with a `sku` speaks of that SKU: its price, code and free units become what the line says,
its product's words too. A line without is a new SKU: of the product whose id stands in `product`,
or of a new one for each other word there. What a line leaves empty stays as it is. Where a line
tells in `free_seen` how many units were free when it was written, as an exported one does, the
units change by the difference, whatever was held, sold or restocked since. A sheet that makes
something or changes units by so many is done once, however often it is sent.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

import msgspec
from msgspec import UNSET

from cart import drafting
from cart.core import catalog, sheet
from cart.core.bulk import Fault, Plan, Report
from cart.core.catalog import Product, ProductEdit, SkuEdit, Store
from cart.core.draft import STOCK_LIMIT_UNITS, NewProduct, NewSku, Rule
from cart.core.money import PRICE_LIMIT_MINOR
from cart.core.restock import TooManyOffers
from cart.core.sheet import OPTION_COLUMNS, Row
from cart.core.stock import KeyReused
from cart.errors import CartError, Conflict, IdempotencyMismatch, Invalid, Malformed
from cart.ports.answers import DoneBefore
from cart.ports.stock import Imports
from cart.shopping import Shopping, new_id
from cart.stocking import too_many_waiting

PRICE: Final = "price_minor"

DONE: Final = Fault(line=1, rule=Rule.DONE_BEFORE, detail="this very sheet was done before")


class Importing:
    """Reads sheets and writes them."""

    def __init__(
        self, imports: Imports, shopping: Shopping, *, make_id: Callable[[], str] = new_id
    ) -> None:
        self._imports = imports
        self._shopping = shopping
        self._make_id = make_id

    async def export(self, person: str, slug: str) -> str:
        """The store's sheet, for its owner; raises `NotFound` or `Forbidden`."""
        await self._shopping.own_store(person, slug)
        return sheet.write(await self._shopping.products_in(slug))

    async def bring_in(
        self, person: str, slug: str, key: str, body: bytes, *, dry_run: bool
    ) -> Report:
        """Do what a sheet says, once for each key, or with `dry_run` only tell what it would do.

        Raises `NotFound`, `Forbidden`, `Invalid`, `Malformed`, `IdempotencyMismatch`,
        `TooManyWaiting`, or `Conflict` when the store was changed meanwhile, after which the sheet
        may be sent again.
        """
        store = await self._shopping.own_store(person, slug)
        if not catalog.is_key(key):
            raise Invalid("1 to 64 visible ASCII characters", field="idempotency_key")
        text = sheet.decode(body)
        if text is None:
            raise Malformed("neither UTF-8 nor CP949")
        rows = sheet.read(text)
        if isinstance(rows, sheet.Unreadable):
            fault = Fault(line=rows.line, rule=rows.rule, facts=rows.facts, detail=rows.detail)
            return _report([], Plan(), [fault])
        digest = hashlib.sha256(body).hexdigest()
        earlier = await self._imports.earlier(slug, key, digest)
        if earlier is None:
            plan, faults = self._plan(store, rows, await self._shopping.products_in(slug))
            if plan.adds and await self._imports.done(slug, digest):
                faults = [DONE]
            report = _report(rows, plan, faults)
            if faults or dry_run:
                return report
            report = msgspec.structs.replace(report, applied=True)
            applied = await self._imports.apply(slug, key, digest, plan, report)
            if isinstance(applied, DoneBefore):
                return _report(rows, plan, [DONE])
            return _done(applied)
        return _done(earlier)

    def _plan(
        self, store: Store, rows: Sequence[Row], products: Sequence[Product]
    ) -> tuple[Plan, list[Fault]]:
        plan, faults = Plan(), list[Fault]()
        home = {sku.id: product for product in products for sku in product.skus}
        for product in products:
            mine = [row for row in rows if _product_of(row, home) == product.id]
            if mine:
                faults += self._edit(plan, product, mine)
        known = {product.id for product in products}
        new: dict[str, list[Row]] = {}
        for row in rows:
            if "sku" in row.cells and row.cells["sku"] not in home:
                unknown = Invalid("no such SKU in this store", field="sku", rule=Rule.SKU_UNKNOWN)
                faults.append(_fault(row, unknown))
            elif _product_of(row, home) not in known:
                new.setdefault(row.cells.get("product", f"line {row.line}"), []).append(row)
        for family in new.values():
            faults += self._draft(plan, store, family)
        faults += _same_codes(plan, rows, products)
        return plan, sorted(faults, key=lambda fault: fault.line)

    def _edit(self, plan: Plan, product: Product, rows: Sequence[Row]) -> list[Fault]:
        faults: list[Fault] = []
        skus: dict[str, SkuEdit] = {}
        edit = ProductEdit(skus=skus)
        added = []
        for row in rows:
            try:
                edit = _worded(edit, row)
                sku = row.cells.get("sku")
                if sku is None:
                    fresh = _new_sku(row, len(product.option_names))
                    added.append(drafting.to_sku(fresh, self._make_id(), product.price_minor))
                    continue
                if sku in skus:
                    raise Invalid("a SKU is there twice", field="sku", rule=Rule.SKU_TWICE)
                skus[sku] = _sku_edit(row)
                _count(plan, product, sku, row)
            except CartError as error:
                faults.append(_fault(row, error))
        edit = ProductEdit(edit.title, edit.description, UNSET, edit.limit_per_buyer, skus, added)
        after = catalog.edited(product, edit)
        if not isinstance(after, Product):
            faults.append(_fault(rows[-1], drafting.bad_options()))
        elif msgspec.structs.replace(after, version=product.version) != product:
            plan.edits[product.id] = edit
        plan.touched.add(product.id)
        return faults

    def _draft(self, plan: Plan, store: Store, rows: Sequence[Row]) -> list[Fault]:
        first, faults = rows[0], list[Fault]()
        names = [first.cells[name] for name, _ in OPTION_COLUMNS if name in first.cells]
        skus: list[NewSku] = []
        for row in rows:
            try:
                skus.append(_new_sku(row, len(names), demand_price=True))
            except CartError as error:
                faults.append(_fault(row, error))
        if faults:
            return faults
        limit = "limit_per_buyer" in first.cells
        only = {} if names else {"stock": skus[0].stock, "code": skus[0].code}
        try:
            said = NewProduct(
                title=first.cells.get("title", ""),
                description=first.cells.get("description", ""),
                price_minor=skus[0].price_minor or 0,
                limit_per_buyer=_number(first, "limit_per_buyer", 1, 99) if limit else None,
                option_names=names,
                skus=skus if names else [],
                **only,  # type: ignore[arg-type]
            )
            if not names and len(rows) > 1:
                told = "several lines of one product need options"
                raise Invalid(told, field="option1_name", rule=Rule.OPTIONS_NEEDED)
            plan.added.append(drafting.to_product(store, said, self._make_id))
        except CartError as error:
            faults.append(_fault(first, error))
        return faults


def _done(answer: Report | KeyReused | TooManyOffers | None) -> Report:
    match answer:
        case KeyReused():
            raise IdempotencyMismatch
        case TooManyOffers():
            raise too_many_waiting(answer)
        case None:
            raise Conflict("the store was changed meanwhile")
    return answer


def _count(plan: Plan, product: Product, sku: str, row: Row) -> None:
    """Keep what a line says of a SKU's free units, if it says anything."""
    if "free" not in row.cells:
        return
    free = _number(row, "free", 0, STOCK_LIMIT_UNITS)
    if "free_seen" not in row.cells:
        plan.free[sku] = free
        return
    change = free - _number(row, "free_seen", 0, STOCK_LIMIT_UNITS)
    (now,) = [one.free for one in product.skus if one.id == sku]
    if now + change < 0:
        told = f"only {now} are free by now"
        raise Invalid(told, field="free", rule=Rule.SOLD_MEANWHILE, free=now)
    plan.changes[sku] = change


def _product_of(row: Row, home: dict[str, Product]) -> str | None:
    sku = row.cells.get("sku")
    if sku is None:
        return row.cells.get("product")
    return home[sku].id if sku in home else None


def _same_codes(plan: Plan, rows: Sequence[Row], products: Sequence[Product]) -> list[Fault]:
    """The lines whose code another SKU of the store would have too."""
    count: Counter[str] = Counter()
    for product in products:
        edit = plan.edits.get(product.id)
        after = product if edit is None else catalog.edited(product, edit)
        if isinstance(after, Product):
            count.update(sku.code for sku in after.skus if sku.code is not None)
    for product in plan.added:
        count.update(sku.code for sku in product.skus if sku.code is not None)
    coded = [(row, catalog.tidy_code(row.cells.get("code", ""))) for row in rows]
    taken = Invalid("each code once in a store", field="code", rule=Rule.CODE_TAKEN)
    return [_fault(row, taken) for row, code in coded if code is not None and count[code] > 1]


def _worded(edit: ProductEdit, row: Row) -> ProductEdit:
    """The edit with a line's words for the whole product; of several lines the last counts."""
    cells = row.cells
    limit = edit.limit_per_buyer
    if "limit_per_buyer" in cells:
        limit = _number(row, "limit_per_buyer", 1, 99)
    return ProductEdit(
        title=drafting.title(cells["title"]) if "title" in cells else edit.title,
        description=(
            drafting.description(cells["description"])
            if "description" in cells
            else edit.description
        ),
        limit_per_buyer=limit,
    )


def _sku_edit(row: Row) -> SkuEdit:
    cells = row.cells
    return SkuEdit(
        price_minor=_number(row, PRICE, 1, PRICE_LIMIT_MINOR) if PRICE in cells else UNSET,
        code=drafting.code(cells["code"]) if "code" in cells else UNSET,
    )


def _new_sku(row: Row, options: int, *, demand_price: bool = False) -> NewSku:
    told = [row.cells[option] for _, option in OPTION_COLUMNS if option in row.cells]
    if len(told) != options:
        raise Invalid("an option for each name", field="option1", rule=Rule.OPTION_EACH)
    priced = demand_price or PRICE in row.cells
    return NewSku(
        options=told,
        price_minor=_number(row, PRICE, 1, PRICE_LIMIT_MINOR) if priced else None,
        stock=_number(row, "free", 0, STOCK_LIMIT_UNITS) if "free" in row.cells else 0,
        code=drafting.code(row.cells["code"]) if "code" in row.cells else None,
    )


def _number(row: Row, column: str, least: int, most: int) -> int:
    text = row.cells.get(column, "").replace(",", "")
    if not (text.isascii() and text.isdigit() and len(text) <= 13 and least <= int(text) <= most):
        raise drafting.out_of_range(column, least, most)
    return int(text)


def _fault(row: Row, error: CartError) -> Fault:
    facts = dict(error.facts)
    field, rule = facts.pop("field", ""), facts.pop("rule", Rule.INVALID)
    return Fault(line=row.line, field=field, rule=rule, facts=facts, detail=str(error))


def _report(rows: Sequence[Row], plan: Plan, faults: Sequence[Fault]) -> Report:
    return Report(
        lines=len(rows),
        applied=False,
        products_added=len(plan.added),
        skus_added=plan.skus_added,
        skus_changed=plan.skus_changed,
        faults=faults,
    )
