"""A product is changed on the console, and a deal is made for one of its SKUs."""

from typing import Any, Final

from playwright.async_api import Page, Route, expect

from tests.pages.canned import PRODUCT
from tests.pages.console import answering, open_products

SKUS: Final = [
    PRODUCT["skus"][0] | {"id": colour, "options": [colour], "code": code}
    for colour, code in (("Pink", "A1"), ("White", None))
]
TULIPS: Final = PRODUCT | {
    "id": "p2",
    "title": "Tulip",
    "option_names": ["Colour"],
    "skus": SKUS,
}


async def open_tulips(page: Page, asked: list[Any]) -> None:
    """The console with one product of two colours; what is changed or dealt is kept in `asked`."""

    async def take(route: Route) -> None:
        asked.append(route.request.post_data_json)
        if len(asked) > 1:
            await route.fulfill(json=TULIPS | {"title": "Tulips", "version": 9})
        else:
            await route.fulfill(status=409, json={"code": "code_taken", "status": 409})

    await page.route("**/stores/flowers/products", answering({"products": [TULIPS]}))
    await page.route("**/products/p2", take)
    await page.route("**/shows/s1/deals", take)
    await open_products(page, count=2)


async def test_only_what_was_changed_is_sent_and_a_combination_is_added(page: Page) -> None:
    asked: list[Any] = []
    await open_tulips(page, asked)
    await page.locator("[data-test=product-edit][data-product=p2]").click()
    skus = page.locator("[data-test=product-sku]")
    await expect(skus).to_have_count(2)
    await page.fill("[data-test=product-title-edit]", "Tulips")
    await page.fill("[data-test=product-limit-edit]", "")
    await skus.first.locator("[data-field=code]").fill("")
    await skus.last.locator("[data-field=price]").fill("0")
    await page.click("[data-test=product-add-option]")
    new = page.locator("[data-test=product-new-sku]")
    await page.click("[data-test=product-save]")
    alert = page.locator("[data-test=product-alert]")
    await expect(alert).to_contain_text("price is a whole number")
    await skus.last.locator("[data-field=price]").fill("35000")
    await page.click("[data-test=product-save]")
    await expect(alert).to_contain_text("value for each option")
    await new.locator("[data-field=option]").fill("Red")
    await new.locator("[data-field=stock]").fill("4")
    await page.click("[data-test=product-save]")
    await expect(alert).to_contain_text("Another product has this code")
    await page.click("[data-test=product-save]")
    await expect(page.locator("[data-test=product-sheet]")).to_be_hidden()
    await expect(page.locator("[data-product=p2] .product-title")).to_have_text("Tulips")
    red = {"options": ["Red"], "price_minor": None, "stock": 4, "code": None}
    change = {
        "title": "Tulips",
        "limit_per_buyer": None,
        "skus": [{"id": "Pink", "code": None}, {"id": "White", "price_minor": 35_000}],
        "new_skus": [red],
    }
    assert asked == [change, change]


async def test_a_deal_is_for_the_skus_that_were_chosen(page: Page) -> None:
    asked: list[Any] = [None]
    await open_tulips(page, asked)
    await page.locator("[data-test=deal-open][data-product=p1]").click()
    await expect(page.locator("#deal-skus")).to_be_hidden()
    await page.click("[data-test=deal-close]")
    await page.locator("[data-test=deal-open][data-product=p2]").click()
    await page.locator("#deal-skus label", has_text="White").click()
    await page.click("[data-test=deal-make]")
    await expect(page.locator("[data-test=deal-sheet]")).to_be_hidden()
    assert (asked[1]["product"], asked[1]["skus"]) == ("p2", ["White"])


async def test_an_auction_is_opened_as_it_was_chosen(page: Page) -> None:
    asked: list[Any] = []

    async def refuse(route: Route) -> None:
        asked.append(route.request.post_data_json)
        await route.fulfill(status=409, json={"code": "auction_open", "status": 409})

    await page.route("**/shows/s1/auctions", refuse)
    await open_products(page)
    await page.click("[data-test=tab-show]")
    await page.click("[data-test=auction-new]")
    await page.fill("[data-test=auction-start]", "5000")
    await page.select_option("[data-test=auction-increments]", "fine")
    await page.select_option("[data-test=auction-starts]", "300")
    await page.select_option("[data-test=auction-claim]", "1800")
    await page.click("[data-test=auction-open]")
    await expect(page.locator("#auction-form [data-alert]")).to_contain_text("an auction already")
    said = {"increments": "fine", "starts_in_s": 300, "claim_s": 1_800, "start_minor": 5_000}
    assert said.items() <= asked[0].items()
