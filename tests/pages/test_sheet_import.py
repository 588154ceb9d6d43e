"""A sheet of products on the seller's console: tried first, then done, or each bad line told."""

from collections.abc import Sequence
from typing import Any

from playwright.async_api import FilePayload, Page, Route, expect

from tests.pages.console import answering, open_products

Sent = list[tuple[str, str, str]]


def csv(text: str) -> FilePayload:
    """A file as a browser's user chooses it."""
    return {"name": "flowers.csv", "mimeType": "text/csv", "buffer": text.encode()}


async def open_sheet(page: Page, sent: Sent, faults: Sequence[Any]) -> None:
    """The sheet's part of the console; what is sent is kept in `sent`: query, key, body."""

    async def take(route: Route) -> None:
        request = route.request
        key = request.headers["idempotency-key"]
        sent.append((request.url.partition("?")[2], key, request.post_data or ""))
        counts = {"lines": 2, "products_added": 1, "skus_added": 2, "skus_changed": 3}
        applied = not faults and "dry_run" not in request.url
        await route.fulfill(json=counts | {"applied": applied, "faults": faults})

    await page.route("**/stores/flowers/import*", take)
    await page.route("**/stores/flowers/stock", answering({"skus": []}))
    await open_products(page)
    await page.click("[data-test=stock-open]")


async def test_a_sheet_is_tried_and_then_done(page: Page) -> None:
    sent: Sent = []
    await open_sheet(page, sent, [])
    apply = page.locator("[data-test=sheet-apply]")
    await expect(apply).to_be_hidden()
    await page.set_input_files("[data-test=sheet-file]", csv("title\n튤립\n"))
    note = page.locator("[data-test=sheet-note]")
    await expect(note).to_contain_text("flowers.csv: new products: 1, new SKUs: 2, SKUs set")
    await apply.click()
    await expect(note).to_contain_text("Done.")
    await expect(apply).to_be_hidden()
    (tried, done) = sent
    assert (tried[0], done[0]) == ("dry_run=true", "")
    assert tried[1:] == done[1:], "what was tried is done, by one key"
    assert done[2] == "title\n튤립\n"


async def test_each_bad_line_is_told_and_nothing_can_be_done(page: Page) -> None:
    sent: Sent = []
    newer = {"rule": "newer", "facts": {}, "detail": "<b>1"}
    faults = [{"line": line, "field": "free", **newer} for line in range(2, 55)]
    faults[1] |= {"rule": "sold_meanwhile", "facts": {"free": 1_200}}
    await open_sheet(page, sent, faults)
    await page.set_input_files("[data-test=sheet-file]", csv("free\n?\n"))
    await expect(page.locator("[data-test=sheet-alert]")).to_contain_text("to correct: 53")
    rows = page.locator("[data-test=sheet-fault]")
    await expect(rows).to_have_count(50)
    await expect(rows.first).to_have_text("Line 2free: <b>1")
    await expect(rows.nth(1)).to_have_text("Line 3free: Only 1,200 are left by now.")
    await expect(page.locator("#sheet-faults")).to_contain_text("and 3 more")
    await expect(page.locator("[data-test=sheet-apply]")).to_be_hidden()
    await page.set_input_files("[data-test=sheet-file]", csv("x" * (1024 * 1024 + 1)))
    await expect(page.locator("[data-test=sheet-alert]")).to_contain_text("1 MB at most")
    await expect(rows).to_have_count(0)
    assert len(sent) == 1


async def test_the_sheet_is_downloaded(page: Page) -> None:
    async def give(route: Route) -> None:
        told = {"content-disposition": 'attachment; filename="flowers.csv"'}
        await route.fulfill(body="sku", content_type="text/csv", headers=told)

    await page.route("**/stores/flowers/sheet", give)
    await open_sheet(page, [], [])
    async with page.expect_download() as downloading:
        await page.click("[data-test=sheet-download]")
    assert (await downloading.value).suggested_filename == "flowers.csv"
