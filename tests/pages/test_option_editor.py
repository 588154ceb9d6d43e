"""A new product with options on the seller's console."""

from typing import Any

from playwright.async_api import Page, Route, expect

from tests.pages.canned import PRODUCT
from tests.pages.console import open_products


async def keep_products(page: Page, asked: list[Any]) -> None:
    """Products that are added are kept in `asked`."""

    async def answer(route: Route) -> None:
        if route.request.method == "POST":
            asked.append(route.request.post_data_json)
            await route.fulfill(status=201, json=PRODUCT | {"id": "p2", "title": "Tulip"})
        else:
            await route.fulfill(json={"products": [PRODUCT]})

    await page.route("**/stores/flowers/products", answer)


async def test_each_combination_has_its_price_stock_and_code(page: Page) -> None:
    asked: list[Any] = []
    await keep_products(page, asked)
    await open_products(page)
    await page.click("#product-adder > summary")
    await page.fill("[data-test=product-title]", "Tulip")
    await page.fill("[data-test=product-price]", "15000")
    await page.click("[data-test=option-editor]")
    names, values = (
        page.locator("[data-test=option-name]"),
        page.locator("[data-test=option-values]"),
    )
    await names.first.fill("Colour")
    await values.first.fill("Pink, White,Pink")
    await expect(page.locator("[data-test=product-stock]")).to_be_hidden()
    rows = page.locator("[data-test=option-sku]")
    await expect(rows).to_have_text(["Pink", "White"])
    await names.last.fill("Size")
    await values.last.fill("S, L")
    await expect(rows).to_have_text(["Pink / S", "Pink / L", "White / S", "White / L"])
    await page.get_by_label("Stock of Pink / L").fill("3")
    await page.get_by_label("Price of Pink / L").fill("19000")
    await page.get_by_label("Code of Pink / L").fill("A12")
    await values.first.fill("Pink")
    await page.get_by_label("Stock of Pink / S").fill("-1")
    await page.click("[data-test=add-product]")
    await expect(page.get_by_label("Stock of Pink / S")).to_be_focused()
    await expect(page.locator("#product-form [data-alert]")).to_contain_text("whole number")
    assert asked == []
    await page.get_by_label("Stock of Pink / S").fill("2")
    await page.click("[data-test=add-product]")
    await expect(page.locator("[data-test=product-list] > li")).to_have_count(2)
    small = {"options": ["Pink", "S"], "price_minor": None, "stock": 2, "code": None}
    large = {"options": ["Pink", "L"], "price_minor": 19_000, "stock": 3, "code": "A12"}
    words = {"title": "Tulip", "description": "", "price_minor": 15_000}
    assert asked == [words | {"option_names": ["Colour", "Size"], "skus": [small, large]}]
    await expect(page.locator("[data-test=product-stock]")).to_be_visible()
    await expect(rows).to_have_count(0)


async def test_options_that_cannot_be_are_told(page: Page) -> None:
    asked: list[Any] = []
    await keep_products(page, asked)
    await open_products(page)
    await page.click("#product-adder > summary")
    await page.fill("[data-test=product-title]", "Tulip")
    await page.fill("[data-test=product-price]", "15000")
    await page.click("[data-test=option-editor]")
    names, values = (
        page.locator("[data-test=option-name]"),
        page.locator("[data-test=option-values]"),
    )
    alert = page.locator("#product-form > [data-alert]")
    await values.first.fill("Pink")
    await page.click("[data-test=add-product]")
    await expect(alert).to_contain_text("needs a name")
    await names.first.fill("Colour")
    await values.first.fill(",".join(map(str, range(101))))
    await expect(page.locator("[data-test=option-alert]")).to_contain_text("100 combinations")
    await expect(page.locator("[data-test=option-sku]")).to_have_count(0)
    await page.click("[data-test=add-product]")
    await expect(alert).to_contain_text("100 combinations")
    assert asked == []
