"""What people do on the pages, step by step, with the pages' own words left to the pages."""

import asyncio

from playwright.async_api import Locator, Page, expect

PASSWORD = "a flower in spring"


def part(page: Page, test: str) -> Locator:
    """The part of a page that carries this hook."""
    return page.locator(f"[data-test={test}]")


async def fill(page: Page, **texts: str) -> None:
    """Type into fields; `product_title` is the field `product-title`."""
    for name, text in texts.items():
        await part(page, name.replace("_", "-")).fill(text)


async def press(page: Page, test: str) -> None:
    """Press a button."""
    await part(page, test).click()


async def sign_up(page: Page, name: str) -> None:
    """Make an account in the form that is open."""
    await press(page, "sign-up")
    await fill(page, email=f"{name.lower()}@kkot.example", name=name, password=PASSWORD)
    await press(page, "submit")


async def sign_in(page: Page, name: str) -> None:
    """Sign in to an account that exists, in the form that is open."""
    await fill(page, email=f"{name.lower()}@kkot.example", password=PASSWORD)
    await press(page, "submit")


async def join(page: Page, name: str) -> None:
    """Sign up from the account button of a viewer's page."""
    await press(page, "account")
    await sign_up(page, name)
    await expect(part(page, "account")).to_contain_class("signed-in")


async def open_shop(page: Page, product: str, stock: int) -> str:
    """From the console's first step to a show that could go live; gives the show's path."""
    await sign_up(page, "Sora")
    await fill(page, store_name="Sora's flowers", store_slug="sora", store_story="From Jeju")
    await press(page, "create-store")
    await fill(page, show_title="Spring evening")
    await press(page, "create-show")
    await expect(part(page, "watch-link")).to_be_visible()
    await press(page, "tab-products")
    await fill(page, product_title=product, product_price="39000", product_stock=str(stock))
    await press(page, "add-product")
    await expect(part(page, "product-list")).to_contain_text(product)
    path = await part(page, "watch-link").get_attribute("href")
    assert path is not None
    return path


async def go_live(page: Page) -> None:
    """Camera on, and on air."""
    await press(page, "camera-on")
    await press(page, "go-live")
    await expect(page.locator("body")).to_have_attribute("data-publisher", "live")


async def say(page: Page, text: str) -> None:
    """Say something in the room."""
    await fill(page, say=text)
    await press(page, "send")


async def hears(page: Page, text: str) -> None:
    """What somebody said is in the talk, once."""
    await expect(part(page, "talk").get_by_text(text, exact=True)).to_have_count(1)


async def pin(page: Page) -> None:
    """Pin the console's first product."""
    await press(page, "tab-products")
    await part(page, "pin").first.click()


async def finger_on(page: Page, test: str) -> None:
    """Hold the pointer over a button, so that pressing takes no time."""
    await part(page, test).hover()


async def tap(page: Page) -> None:
    """Press wherever the pointer is, whatever has become of what is there."""
    await page.mouse.down()
    await page.mouse.up()


async def pay(page: Page) -> None:
    """From the hold's sheet through the sandbox's page to an order that is paid."""
    await fill(page, recipient_name="Mina Kim", recipient_phone="010-0000-0000")
    await fill(page, recipient_postcode="03187", recipient_address="1 Blossom Road, Seoul")
    await press(page, "pay")
    await page.locator("button.approve").click()
    await expect(page.locator("body")).to_have_attribute("data-order", "paid")


async def holder(*pages: Page) -> Page:
    """The page whose hold's sheet opens first."""
    async with asyncio.timeout(20):
        waits = {asyncio.ensure_future(part(page, "hold").wait_for()): page for page in pages}
        try:
            done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)
    assert len(done) == 1
    return waits[done.pop()]


async def sees(page: Page) -> None:
    """The curtain is away: the show's picture is there."""
    await expect(part(page, "curtain")).to_be_hidden(timeout=15_000)


async def talk_together(seller: Page, *viewers: Page) -> None:
    """Everybody says something, and everybody hears it."""
    await press(seller, "tab-talk")
    everybody = (seller, *viewers)
    texts = ("어서 오세요!", "예뻐요 🌸", "Is it fragrant?")
    for page, text in zip(everybody, texts, strict=True):
        await say(page, text)
        await asyncio.gather(*(hears(listener, text) for listener in everybody))


async def sees_order(seller: Page, product: str, left: int) -> None:
    """The console shows one paid order of its only product, and how many are left."""
    await press(seller, "tab-orders")
    order = part(seller, "order")
    await expect(order).to_have_count(1)
    await expect(order).to_contain_text(product)
    await expect(order).to_have_attribute("data-state", "paid")
    await press(seller, "tab-products")
    await expect(part(seller, "row-stock")).to_have_attribute("data-free", str(left))
