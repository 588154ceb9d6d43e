"""Deals on a real database: its clock decides, units are never given twice, shows are told."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from cart.core.deal import Deal, DealKind, DealShort, DealState, NotForSale
from cart.core.draft import NewSku, ProductChange, SkuChange
from cart.core.hold import Hold, HoldLine
from cart.core.payment import Standing
from cart.core.refund import RefundLine, RefundWish
from cart.core.stock import Decision, Granted, LimitReached, PriceChanged
from cart.dealing import Terms
from cart.errors import Conflict, Forbidden, IdempotencyMismatch, Invalid, NotFound
from cart.ports.deals import ShowFacts
from tests.cart.shop import BUYER, SELLER, STRANGER, Shop, make_shop

FULL = 12_000
HALF = 6_000


async def flash(shop: Shop, product: str, key: str = "d", **said: Any) -> Deal:
    """Half the price for five units, a minute long, at once, in a show that is live."""
    shop.shows.setdefault("s", ShowFacts("camellia", "live", ()))
    usual = {"percent_off": 50, "units": 5, "length_s": 60, "starts_in_s": 0}
    terms = Terms(product=product, kind=DealKind.FLASH, **(usual | said))
    return await shop.cart.dealing.announce(SELLER, "s", key, terms)


async def ask(
    shop: Shop, sku: str, key: str, *, buyer: str = BUYER, quantity: int = 1, show: str | None = "s"
) -> Decision:
    """Ask for units in the deal's show."""
    return await shop.ask(sku, buyer=buyer, key=key, quantity=quantity, show=show)


async def cost(shop: Shop, sku: str, key: str, show: str | None = "s") -> int:
    """What a unit costs somebody new who asks now."""
    decision = await ask(shop, sku, key, buyer=f"buyer {key}", show=show)
    assert isinstance(decision, Granted), decision
    return decision.holds[0].price_minor


async def clock(shop: Shop, deal: Deal, **moments: str) -> None:
    """Set a deal's start or end to so long from the database's now."""
    for name, interval in moments.items():
        statement = f"UPDATE deals SET {name} = clock_timestamp() + :by * interval '1 ms'"
        await shop.sql(f"{statement} WHERE id = :id", by=int(interval), id=deal.id)


async def taken(shop: Shop, deal: Deal) -> int:
    """What the deal counts, which is what buyers have of it."""
    recount = text(
        "SELECT deals.taken, coalesce(sum(quantity), 0) FROM deals LEFT JOIN holds"
        " ON holds.deal = deals.id AND holds.state IN ('held', 'ordered', 'paying', 'sold')"
        " WHERE deals.id = :id GROUP BY deals.taken"
    )
    async with shop.engine.connect() as connection:
        counted, held = (await connection.execute(recount, {"id": deal.id})).one()
    assert counted == held
    return int(counted)


async def state(shop: Shop, deal: Deal) -> DealState:
    """The deal's state as it is told to whoever asks."""
    deals, _ = await shop.cart.dealing.deals_of(deal.show)
    return next(one.state for one in deals if one.id == deal.id)


async def test_a_countdown_a_drop_and_the_price_is_back(shop: Shop) -> None:
    """No sweep runs: what a hold costs follows from the database's clock alone."""
    product = await shop.stock(20)
    deal = await flash(shop, product.id, starts_in_s=10)
    assert deal.starts_at_ms is not None
    assert deal.ends_at_ms == deal.starts_at_ms + 60_000
    assert await cost(shop, product.id, "1") == FULL
    await clock(shop, deal, starts_at="-1")
    assert await cost(shop, product.id, "2") == HALF
    assert await cost(shop, product.id, "3", show=None) == FULL
    assert await cost(shop, product.id, "4", show="another") == FULL
    assert await state(shop, deal) is DealState.RUNNING
    await clock(shop, deal, starts_at="-2", ends_at="-1")
    assert await cost(shop, product.id, "5") == FULL
    assert await state(shop, deal) is DealState.ENDED
    assert await taken(shop, deal) == 1


async def test_the_show_hears_of_the_clock_once(shop: Shop, engine: AsyncEngine) -> None:
    """Whichever node sweeps, and however many do."""
    other = make_shop(engine)
    product = await shop.stock(5)
    deal = await flash(shop, product.id, starts_in_s=10)
    for moments in ({"starts_at": "-1"}, {"starts_at": "-2", "ends_at": "-1"}):
        await clock(shop, deal, **moments)
        await asyncio.gather(*(node.cart.dealing.sweep() for node in (shop, other) * 3))
    told = await shop.hear("deal")
    assert [(event["deal"]["state"], event["deal"]["version"]) for event in told] == [
        ("ended", 3)
    ], "of one deal the newest is told"
    assert told[0]["show"] == "s"
    assert await shop.cart.dealing.sweep() is False


async def test_a_hold_keeps_the_price_it_was_made_at(shop: Shop) -> None:
    """Past the deal's end, into the order and its payment."""
    product = await shop.stock(5)
    deal = await flash(shop, product.id)
    decision = await ask(shop, product.id, "k")
    assert isinstance(decision, Granted)
    (hold,) = decision.holds
    assert (hold.price_minor, hold.deal) == (HALF, deal.id)
    await shop.cart.dealing.end(SELLER, deal.id)
    order = await shop.order(hold)
    assert order.total_minor == HALF
    await shop.pay(order, Standing.AUTHORIZED)
    await shop.cart.checkout.confirm(BUYER, order.id)
    assert await shop.counters(product) == (4, 0, 1)
    assert await taken(shop, deal) == 1


async def test_units_that_come_back_are_the_deals_again(shop: Shop) -> None:
    """Given back, expired, or of a cancelled order."""
    product = await shop.stock(9)
    deal = await flash(shop, product.id, units=3)
    holds: list[Hold] = []
    for key in "abc":
        decision = await ask(shop, product.id, key)
        assert isinstance(decision, Granted)
        holds += decision.holds
    assert await cost(shop, product.id, "late") == FULL
    await shop.cart.holding.release(BUYER, holds[0].id)
    assert await taken(shop, deal) == 2
    assert await cost(shop, product.id, "next") == HALF
    order = await shop.order(holds[1])
    await shop.cart.checkout.cancel(BUYER, order.id)
    assert await taken(shop, deal) == 2
    await shop.let_time_pass()
    await shop.cart.expiry.sweep()
    assert await taken(shop, deal) == 0
    told = (await shop.hear("deal"))[-1]["deal"]
    assert (told["units"], told["taken"]) == (3, 0)


@pytest.mark.parametrize("shuts", [False, True])
async def test_after_the_last_unit_at_full_price_or_not_at_all(shop: Shop, shuts: bool) -> None:
    """As the seller chose; so after the end, until the seller says otherwise."""
    product = await shop.stock(9)
    deal = await flash(shop, product.id, units=2, shuts=shuts)
    assert await ask(shop, product.id, "a", quantity=3) == DealShort(product.id, 2)
    assert isinstance(await ask(shop, product.id, "b", quantity=2), Granted)
    for ended in (False, True):
        if ended:
            await clock(shop, deal, starts_at="-2", ends_at="-1")
            await shop.cart.dealing.sweep()
        then = await ask(shop, product.id, f"c{ended}", buyer=STRANGER)
        assert then == NotForSale(product.id) if shuts else isinstance(then, Granted)
    await shop.cart.dealing.end(SELLER, deal.id)
    if shuts:
        assert await ask(shop, product.id, "again") == NotForSale(product.id)
        await shop.cart.dealing.end(SELLER, deal.id, opens=True)
    assert await cost(shop, product.id, "d") == FULL


async def test_limits_of_a_buyer(shop: Shop) -> None:
    """The deal's, counted over holds and orders, and over the lines of one request."""
    red, blue = NewSku(options=["빨강"], stock=9), NewSku(options=["파랑"], stock=9)
    product = await shop.stock(skus=[red, blue])
    await flash(shop, product.id, units=9, limit_per_buyer=2)
    one, two = product.skus[0].id, product.skus[1].id
    lines = [HoldLine(sku=one, quantity=2), HoldLine(sku=two)]
    reached = LimitReached(product.id, 2)
    assert await shop.cart.holding.hold(BUYER, "a", lines, show="s") == reached
    assert isinstance(await shop.cart.holding.hold(BUYER, "b", lines[:1], show="s"), Granted)
    assert await ask(shop, two, "c") == reached
    assert isinstance(await ask(shop, two, "d", show=None), Granted)


async def test_a_deal_of_some_skus(shop: Shop) -> None:
    """The others cost what they cost."""
    red, blue = NewSku(options=["빨강"], stock=9), NewSku(options=["파랑"], stock=9)
    product = await shop.stock(skus=[red, blue])
    chosen, other = product.skus[0].id, product.skus[1].id
    await flash(shop, product.id, skus=(chosen,))
    assert (await cost(shop, chosen, "a"), await cost(shop, other, "b")) == (HALF, FULL)


async def test_the_price_seen_is_the_price_paid(shop: Shop) -> None:
    """Who was told the deal's price after its end is told the new one, and the reverse."""
    product = await shop.stock(5)

    async def buy(key: str, price_minor: int) -> Decision:
        line = HoldLine(sku=product.id, price_minor=price_minor)
        return await shop.cart.holding.hold(BUYER, key, [line], show="s")

    deal = await flash(shop, product.id)
    assert await buy("a", FULL) == PriceChanged(product.id, HALF)
    assert isinstance(await buy("b", HALF), Granted)
    await shop.cart.dealing.end(SELLER, deal.id)
    assert await buy("c", HALF) == PriceChanged(product.id, FULL)


async def test_never_more_than_the_product_costs(shop: Shop) -> None:
    """Also when the seller lowers it while the deal runs."""
    product = await shop.stock(5)
    await flash(shop, product.id, percent_off=None, price_minor=HALF)
    lower = ProductChange(skus=[SkuChange(id=product.id, price_minor=5_000)])
    await shop.cart.shopping.edit_product(SELLER, product.id, lower)
    assert await cost(shop, product.id, "a") == 5_000


async def test_two_nodes_race_for_the_last_units_of_a_drop(shop: Shop, engine: AsyncEngine) -> None:
    """Every buyer asks both nodes; five get the price, whoever comes later does not."""
    other = make_shop(engine)
    product = await shop.stock(100)
    deal = await flash(shop, product.id, units=5, shuts=True)
    async with asyncio.TaskGroup() as group:
        committing = group.create_task(other.cart.holding.run())
        decisions = await asyncio.gather(
            *(
                ask(node, product.id, "k", buyer=f"b{n}")
                for n in range(30)
                for node in (shop, other)
            )
        )
        committing.cancel()
    assert [type(one) for one in decisions].count(Granted) == 5
    assert await taken(shop, deal) == 5
    assert await shop.counters(product) == (95, 5, 0)


async def test_control_without_the_lock_the_same_race_gives_a_unit_twice(
    shop: Shop, engine: AsyncEngine
) -> None:
    """Read, then write what was read and one more: both see the unit before either writes."""
    product = await shop.stock(2)
    deal = await flash(shop, product.id, units=1)
    both_have_read = asyncio.Barrier(2)

    async def naive() -> bool:
        async with engine.begin() as connection:
            read = text("SELECT units - taken FROM deals WHERE id = :id")
            left = (await connection.execute(read, {"id": deal.id})).scalar_one()
            await both_have_read.wait()
            write = text("UPDATE deals SET taken = units - :left + 1 WHERE id = :id")
            await connection.execute(write, {"id": deal.id, "left": left})
            return bool(left >= 1)

    assert all(await asyncio.gather(naive(), naive())), "two were given the one unit"


async def test_one_open_deal_of_a_product(shop: Shop) -> None:
    """However many are announced at once; the same key is the same deal."""
    product = await shop.stock(5)
    made = await asyncio.gather(
        *(flash(shop, product.id, key=f"k{n}") for n in range(6)), return_exceptions=True
    )
    (deal,) = [one for one in made if isinstance(one, Deal)]
    refused = [one for one in made if isinstance(one, Conflict)]
    assert len(refused) == 5
    assert {one.facts["deal"] for one in refused} == {deal.id}
    key = f"k{made.index(deal)}"
    assert (await flash(shop, product.id, key=key)).id == deal.id
    with pytest.raises(IdempotencyMismatch):
        await flash(shop, product.id, key=key, units=6)


async def test_the_next_deal_follows_one_that_ended_by_the_clock(shop: Shop) -> None:
    """Although nothing has swept, and although it shut the product."""
    product = await shop.stock(9)
    first = await flash(shop, product.id, shuts=True)
    await clock(shop, first, starts_at="-2", ends_at="-1")
    assert await ask(shop, product.id, "a") == NotForSale(product.id)
    second = await flash(shop, product.id, key="second", percent_off=90, starts_in_s=None)
    assert await cost(shop, product.id, "b") == FULL
    started = await shop.cart.dealing.start(SELLER, second.id)
    assert started.state is DealState.RUNNING
    assert await cost(shop, product.id, "c") == 1_200


async def test_a_live_price_lives_with_its_show(shop: Shop) -> None:
    """From its first picture to its end; the store's page keeps the other price."""
    product = await shop.stock(9)
    shop.shows["s"] = ShowFacts("camellia", "scheduled", ())
    terms = Terms(product=product.id, kind=DealKind.LIVE, price_minor=HALF)
    deal = await shop.cart.dealing.announce(SELLER, "s", "k", terms)
    await shop.cart.dealing.follow_shows()
    assert await cost(shop, product.id, "a") == FULL
    shop.shows["s"] = ShowFacts("camellia", "live", ())
    await shop.cart.dealing.follow_show("s")
    assert (await cost(shop, product.id, "b"), await cost(shop, product.id, "c", None)) == (
        HALF,
        FULL,
    )
    shop.shows["s"] = ShowFacts("camellia", "ended", ())
    await shop.cart.dealing.follow_shows()
    assert await cost(shop, product.id, "d") == FULL
    assert await state(shop, deal) is DealState.ENDED
    assert [told["type"] for told in await shop.cart.offers("s")] == ["codes"]


async def test_what_a_newcomer_is_told(shop: Shop) -> None:
    """The deals that have a say, as they are now."""
    product = await shop.stock(9)
    deal = await flash(shop, product.id)
    (told, codes) = await shop.cart.offers("s")
    assert (told["type"], told["deal"]["id"], told["deal"]["state"]) == ("deal", deal.id, "running")
    assert told["now_ms"] < told["deal"]["ends_at_ms"]
    assert codes == {"type": "codes", "open": True}
    await clock(shop, deal, starts_at="-2", ends_at="-1")
    assert [told["type"] for told in await shop.cart.offers("s")] == ["codes"]


async def test_who_may_and_when(shop: Shop) -> None:
    """The show's own seller, while the show is not over."""
    product = await shop.stock(9)
    deal = await flash(shop, product.id, starts_in_s=None)
    dealing = shop.cart.dealing
    terms = Terms(product=product.id, kind=DealKind.LIVE, percent_off=10)
    for refusal, attempt in (
        (Forbidden, dealing.announce(STRANGER, "s", "k", terms)),
        (Forbidden, dealing.start(STRANGER, deal.id)),
        (Forbidden, dealing.end(STRANGER, deal.id)),
        (NotFound, dealing.announce(SELLER, "none", "k", terms)),
        (NotFound, dealing.end(SELLER, "nul\x00")),
        (NotFound, dealing.deals_of("nul\x00")),
        (Invalid, dealing.start(SELLER, deal.id, 5)),
        (IdempotencyMismatch, dealing.announce(SELLER, "s", "d", terms)),
    ):
        with pytest.raises(refusal):
            await attempt
    for stage in ("scheduled", "ended"):
        shop.shows["s"] = ShowFacts("camellia", stage, ())
        with pytest.raises(Conflict):
            await dealing.start(SELLER, deal.id)
        with pytest.raises(Conflict):
            await flash(shop, product.id, key=stage)
    for _ in range(2):
        assert (await dealing.end(SELLER, deal.id)).state is DealState.CANCELLED
    shop.shows["s"] = ShowFacts("camellia", "live", ())
    with pytest.raises(Conflict) as refused:
        await dealing.start(SELLER, deal.id)
    assert refused.value.facts["state"] == "cancelled"


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("price_minor", {"percent_off": None}),
        ("price_minor", {"price_minor": HALF}),
        ("price_minor", {"percent_off": None, "price_minor": FULL}),
        ("percent_off", {"percent_off": 91}),
        ("units", {"units": None}),
        ("units", {"units": 0}),
        ("limit_per_buyer", {"limit_per_buyer": 100}),
        ("length_s", {"length_s": None}),
        ("length_s", {"length_s": 59}),
        ("length_s", {"length_s": 1_201}),
        ("starts_in_s", {"starts_in_s": 9}),
        ("starts_in_s", {"starts_in_s": 301}),
        ("skus", {"skus": ("another",)}),
        ("kind", {"kind": DealKind.LIVE}),
        ("product", {"product": "elsewhere"}),
    ],
)
async def test_terms_that_cannot_be(shop: Shop, field: str, said: dict[str, Any]) -> None:
    """Each is refused by the name of what is wrong."""
    product = await shop.stock(9)
    if said.get("product"):
        said = {"product": (await shop.stock(1, slug="elsewhere")).id}
    usual: dict[str, Any] = {"percent_off": 50, "units": 5, "length_s": 60, "starts_in_s": 0}
    shop.shows["s"] = ShowFacts("camellia", "live", ())
    usual |= {"product": product.id, "kind": DealKind.FLASH}
    with pytest.raises(Invalid) as refused:
        await shop.cart.dealing.announce(SELLER, "s", "k", Terms(**(usual | said)))
    assert refused.value.facts["field"] == field


async def test_a_product_the_show_does_not_carry(shop: Shop) -> None:
    """Has no deal there."""
    product = await shop.stock(9)
    shop.shows["s"] = ShowFacts("camellia", "live", ("another",))
    with pytest.raises(Invalid):
        await flash(shop, product.id)


async def test_a_refunded_unit_is_the_deals_again(shop: Shop) -> None:
    """A part of a hold, split off and given back."""
    product = await shop.stock(9)
    deal = await flash(shop, product.id)
    decision = await ask(shop, product.id, "k", quantity=3)
    assert isinstance(decision, Granted)
    order = await shop.order(*decision.holds)
    await shop.pay(order, Standing.AUTHORIZED)
    await shop.cart.checkout.confirm(BUYER, order.id)
    wish = RefundWish(lines=(RefundLine(line=0, quantity=1),))
    await shop.cart.checkout.refund(SELLER, "r", order.id, wish=wish, restock=True, reason="")
    assert await shop.counters(product) == (7, 0, 2)
    assert await taken(shop, deal) == 2
