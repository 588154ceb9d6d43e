"""From two holds to one receipt: basket, coupon, points, a kept address, one quote throughout."""

from pathlib import Path

from playwright.async_api import Page, expect
from sqlalchemy.ext.asyncio import create_async_engine

from cart.adapters.database import Database
from cart.adapters.points_book import SqlPointsBook
from tests.e2e import people
from tests.e2e.conftest import Visit
from tests.e2e.people import part
from tests.e2e.server import serving, sharing
from tests.e2e.test_assistant import fits


async def set_terms(seller: Page) -> None:
    """Delivery for 3,000, free from 100,000, and a coupon of 5,000."""
    await people.press(seller, "terms-open")
    await people.fill(seller, terms_fee="3000", terms_free_from="100000", terms_remote="4000")
    await people.press(seller, "terms-save")
    await expect(part(seller, "terms").get_by_role("status")).to_have_text("저장했어요.")
    await people.press(seller, "terms-open")
    await people.press(seller, "coupons-open")
    await people.fill(seller, coupon_code="bloom", coupon_worth="5000", coupon_uses="1")
    await people.press(seller, "coupon-make")
    await expect(part(seller, "coupon-row")).to_contain_text("BLOOM")
    await fits(seller)


async def buy(page: Page, place: int) -> None:
    """Hold one of the store's products; its sheet opens."""
    await part(page, "row-buy").nth(place).click()
    await expect(part(page, "hold")).to_be_visible()


async def ripen(database_url: str) -> None:
    """A week has passed since everything that was paid."""
    url = database_url.replace("postgresql://", "postgresql+asyncpg://")
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE point_earnings SET ripe_at = now()")
    assert await SqlPointsBook(Database(engine)).ripen(10) == 1
    await engine.dispose()


async def order_one(page: Page) -> None:
    """A first order from the sheet, whose address is kept."""
    await buy(page, 0)
    await expect(part(page, "quote-total")).to_have_text("₩42,000")
    await expect(part(page, "quote")).to_contain_text("배송비")
    await part(page, "keep-address").check()
    await people.pay(page)
    await expect(part(page, "order-total")).to_have_text("₩42,000")


async def fill_basket(page: Page) -> None:
    """Two products held, and the basket of both."""
    await buy(page, 0)
    await part(page, "hold").locator("[data-close]").click()
    await buy(page, 1)
    await people.press(page, "to-basket")
    await expect(part(page, "basket-hold")).to_have_count(2)
    await expect(part(page, "quote-total")).to_have_text("₩47,000")
    await expect(part(page, "recipient-name")).to_have_value("Mina Kim")
    await expect(part(page, "coupon")).to_have_value("")
    await expect(part(page, "points")).to_have_value("")


async def test_a_basket_with_coupon_and_points(
    tmp_path: Path, visit: Visit, migrated_url: str, redis_url: str
) -> None:
    shared = sharing(migrated_url, redis_url)
    async with serving(tmp_path / "node", shared) as server:
        seller = await visit(f"{server.url}/sell", "ko-KR")
        await people.open_shop(seller, "Peony", stock=5)
        await people.fill(seller, product_title="Rose", product_price="5000", product_stock="5")
        await people.press(seller, "add-product")
        await expect(part(seller, "product-list")).to_contain_text("Rose")
        await set_terms(seller)

        buyer = await visit(f"{server.url}/stores/sora", "ko-KR")
        await people.join(buyer, "Mina")
        await order_one(buyer)
        await ripen(migrated_url)
        await buyer.goto(f"{server.url}/stores/sora")
        await fill_basket(buyer)

        await people.fill(buyer, coupon="nope")
        await people.press(buyer, "use-coupon")
        await expect(part(buyer, "checkout-alert")).to_have_text("그런 쿠폰은 없어요.")
        await people.fill(buyer, coupon="bloom")
        await people.press(buyer, "use-coupon")
        await expect(part(buyer, "quote-total")).to_have_text("₩42,000")
        await people.press(buyer, "all-points")
        await expect(part(buyer, "quote-total")).to_have_text("₩41,610")
        await people.fill(buyer, recipient_postcode="63000")
        await expect(part(buyer, "quote-total")).to_have_text("₩45,610")
        await fits(buyer)
        quote = await part(buyer, "quote").inner_text()
        await people.press(buyer, "pay")
        await buyer.locator("button.approve").click()
        await expect(buyer.locator("body")).to_have_attribute("data-order", "paid")
        await expect(part(buyer, "order-total")).to_have_text("₩45,610")
        assert await part(buyer, "quote").inner_text() == quote
        await expect(part(buyer, "order-lines").locator("li")).to_have_count(2)
