"""The house: every package opened, in an order that lets each call only what is already there.

What a package asks at request time may be opened after it: nothing is asked before the web server
serves, and that starts last.
"""

import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx
import structlog
from redis.exceptions import RedisError
from starlette.requests import Request
from starlette.routing import Mount
from starlette.types import ASGIApp

from cart.adapters import (
    auction_routes,
    checkout_routes,
    deal_routes,
    payment_routes,
    stock_routes,
    waitlist_routes,
)
from cart.adapters import routes as cart_routes
from cart.adapters.payment_sandbox import Sandbox
from cart.adapters.sandbox_pages import sandbox_app
from cart.adapters.service import Cart, open_cart
from cart.errors import NotFound
from cart.ports.payments import PaymentProvider
from chat.adapters import faq_routes
from chat.adapters import routes as chat_routes
from chat.adapters.archive import SqlArchive
from chat.adapters.archive_routes import operations as archive_operations
from chat.adapters.erasures import SqlErasures
from chat.adapters.faq_book import SqlFaqBook
from chat.adapters.moderation_routes import operations as moderation_operations
from chat.adapters.protocol import at_most
from chat.adapters.question_book import SqlQuestionBook
from chat.adapters.question_routes import operations as question_operations
from chat.adapters.redis_answers import RedisAnswers
from chat.adapters.rulebook import SqlRulebook
from chat.adapters.service import Chat, open_chat
from chat.assistant import Assistant
from chat.core.nicknames import fault
from chat.core.questions import told_to_everybody
from chat.erasing import Erasing
from chat.errors import ChatError
from chat.moderating import Moderating
from chat.ports import Customers, Person, Room
from chat.questioning import Questioning
from chat.recalling import Recalling
from live.accounts.accounts import Accounts
from live.accounts.adapters.limiter import RedisLimiter
from live.accounts.adapters.passwords import Argon2Passwords
from live.accounts.adapters.registry import SqlRegistry
from live.accounts.adapters.routes import operations as account_operations
from live.accounts.adapters.tokens import JwtTokens
from live.accounts.core.claims import Person as Claimant
from live.accounts.ports import JudgeName
from live.discovery.adapters.followers import SqlFollowers
from live.discovery.adapters.routes import operations as following_operations
from live.discovery.following import Followings
from live.pages.routes import routes as page_routes
from live.pages.routes import shared_routes as shared_page_routes
from live.relay.adapters.neighbours import Neighbours
from live.relay.adapters.routes import operations as relay_operations
from live.relay.relay import Relay
from live.server.app import Doors
from live.server.archive_metrics import archive_metrics
from live.server.code_orders import sell_by_codes
from live.server.errors import StartError
from live.server.gate import Gate
from live.server.ground import Ground
from live.server.health import tell_sellers
from live.server.identity import Origins, Visitors
from live.server.ledger_metrics import ledger_metrics
from live.server.media_metrics import media_metrics
from live.server.node import House, Task
from live.server.operator import operator_doors
from live.server.payments import REMOTE, payment_providers
from live.server.policies import CartToRooms, FollowingsToRooms, ShowsToRooms, StageDoor
from live.server.saleroom import NamesOf, Saleroom
from live.server.settings import TURN_SCHEMES
from live.server.shop_facts import ShopFacts, show_facts
from live.server.takeovers import Takeovers
from live.server.till import ShopTill
from live.show.adapters.book import SqlBook
from live.show.adapters.directory import RedisDirectory
from live.show.adapters.routes import operations as show_operations
from live.show.core.stage import Stage
from live.show.shows import Shows
from signaling.adapters import routes as signaling_routes
from signaling.adapters.service import Traffic, open_signaling
from signaling.core.ice_uri import parse_uris
from signaling.core.rate_limit import RateLimits, rates
from signaling.endpoint import Endpoint
from signaling.turn import ice_server_links

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Packages:
    """Every package, open."""

    accounts: Accounts
    directory: RedisDirectory
    shows: Shows
    followings: Followings
    sandbox: Sandbox
    cart: Cart
    chat: Chat
    moderating: Moderating
    questioning: Questioning
    stage_door: StageDoor
    takeovers: Takeovers
    relay: Relay
    neighbours: Neighbours
    endpoint: Endpoint


@asynccontextmanager
async def open_house(ground: Ground) -> AsyncIterator[House]:
    """Everything on the ground, wired. Raises `StartError` when a media port is taken."""
    origins = Origins([ground.public_url, *ground.settings.allowed_origins.split(",")])
    async with AsyncExitStack() as closing:
        packages = await _open_packages(ground, origins, closing)
        visitors = Visitors(
            partial(_account_of, packages.accounts),
            origins,
            secure=ground.public_url.startswith("https:"),
        )

        def tasks(app: ASGIApp) -> Sequence[Task]:
            return [
                packages.directory.run(),
                packages.stage_door.run(packages.shows),
                packages.takeovers.run(),
                packages.relay.run(),
                tell_sellers(packages.relay, packages.chat.publish),
                packages.sandbox.run(app),
                _assist(packages, ground),
                _archive(packages.chat, ground),
                sell_by_codes(packages.cart.codes, packages.chat.hub),
            ]

        yield House(
            doors=_doors(packages, ground, visitors),
            identity=visitors,
            websocket=at_most(ground.settings.handshakes_per_s),
            tasks=tasks,
            drain=packages.chat.hub.close,
        )


async def _open_packages(ground: Ground, origins: Origins, closing: AsyncExitStack) -> Packages:
    engine = ground.engine

    async def stores_of(account: str) -> list[str]:
        return await cart.stores_of(account)

    async def products(ids: Sequence[str]) -> list[dict[str, Any]]:
        return await cart.products(ids)

    async def describe(show: str) -> Room | None:
        return await _room(shows, cart, rulebook, book, accounts, show)

    async def buys(account: str, store: str) -> bool:
        return await cart.has_bought(account, store)

    async def follow(show: str) -> None:
        await cart.follow_show(show)

    async def open_shows(store: str) -> list[str]:
        return [show.id for show in await shows.unended(store)]

    accounts = _accounts(ground, stores_of, lambda name: fault(name, chat.hub.unwanted))
    rulebook, book = SqlRulebook(engine), SqlQuestionBook(engine)
    followers = SqlFollowers(engine)
    chat = await closing.enter_async_context(
        open_chat(
            ground.redis_url,
            node=ground.node,
            identify=partial(_identify, accounts),
            describe=describe,
            customers=Customers(buys, followers.has),
            origin_allowed=origins.allowed,
            banned_words=ground.settings.banned_words,
            retention_days=ground.settings.chat_retention_days,
        )
    )
    stage_door = StageDoor()
    takeovers = Takeovers(chat.publish)
    relay = Relay(on_stage=stage_door.on_stage, on_replaced=takeovers.replaced)
    directory = RedisDirectory(ground.redis, ground.public_url, partial(_moved, relay, takeovers))
    closing.push_async_callback(directory.release_all)
    shows = Shows(
        SqlBook(engine),
        directory,
        ShowsToRooms(chat.publish, products, relay.end, follow),
        lambda slug: _owner(cart, slug),
        lambda slug: _shelf(cart, slug),
    )
    sandbox = Sandbox(engine, secret=ground.secret)
    cart = await _open_cart(ground, sandbox, shows, chat, accounts.names, closing)
    followings = Followings(followers, cart.shopping.store, FollowingsToRooms(shows, chat.publish))
    chat.hub.till = ShopTill(cart.holding)
    questioning = Questioning(chat.hub, book, open_shows)
    chat.hub.ask = questioning.ask
    moderating = Moderating(
        *(chat.hub, rulebook, lambda slug: _owner(cart, slug), open_shows),
        *(questioning.withdraw, SqlArchive(engine), accounts.names),
    )
    endpoint = await closing.enter_async_context(
        _signaling(ground, relay, Gate(shows, directory, relay, takeovers))
    )
    neighbours = await _neighbours(ground, closing)
    return Packages(
        *(accounts, directory, shows, followings, sandbox, cart, chat, moderating, questioning),
        *(stage_door, takeovers, relay, neighbours, endpoint),
    )


async def _open_cart(
    ground: Ground,
    sandbox: Sandbox,
    shows: Shows,
    chat: Chat,
    names_of: NamesOf,
    closing: AsyncExitStack,
) -> Cart:
    """Cart with its tasks running and its metrics told."""
    rulebook = SqlRulebook(ground.engine)
    saleroom = Saleroom(shows, rulebook, lambda slug: _owner(cart, slug), names_of)
    cart = await closing.enter_async_context(
        open_cart(
            ground.engine,
            publish=CartToRooms(shows, chat.publish),
            providers=await _providers(ground, sandbox, closing),
            hold_seconds=ground.settings.hold_seconds,
            find_show=partial(show_facts, shows),
            admit_bidder=saleroom.admit_bidder,
            offer_seconds=ground.settings.offer_seconds,
        )
    )
    closing.enter_context(ledger_metrics(cart.reconciling))
    return cart


async def _providers(
    ground: Ground, sandbox: Sandbox, closing: AsyncExitStack
) -> Mapping[str, PaymentProvider]:
    clients = {
        name: await closing.enter_async_context(httpx.AsyncClient(trust_env=False))
        for name in REMOTE
    }
    return payment_providers(ground.settings, sandbox, clients, public_url=ground.public_url)


async def _neighbours(ground: Ground, closing: AsyncExitStack) -> Neighbours:
    http = await closing.enter_async_context(httpx.AsyncClient(trust_env=False))
    return Neighbours(http, partial(_vouch, JwtTokens(ground.secret)))


def _doors(packages: Packages, ground: Ground, visitors: Visitors) -> list[Doors]:
    settings = ground.settings
    viewers = partial(_viewers, packages.chat)
    turn_servers = parse_uris(settings.turn_url, TURN_SCHEMES)
    turn = partial(ice_server_links, turn_servers, settings.turn_secret)
    limits = RateLimits(rates(settings.joins_per_address))
    erasing = _erasing(packages, ground)

    return [
        Doors(operations=account_operations(packages.accounts)),
        Doors(
            operations=show_operations(
                packages.shows, viewers=viewers, public_url=ground.public_url
            )
        ),
        *_cart_doors(packages.cart, visitors),
        Doors(
            operations=relay_operations(
                packages.relay,
                demand_owner=packages.shows.demand_owner,
                elsewhere=packages.directory.elsewhere,
                ask_node=packages.neighbours.media,
            )
        ),
        Doors(operations=moderation_operations(packages.moderating)),
        Doors(operations=following_operations(packages.followings)),
        Doors(operations=archive_operations(_recalling(packages, ground), erasing)),
        Doors(
            operations=question_operations(
                packages.questioning, demand_product=packages.cart.shopping.product
            )
        ),
        operator_doors(packages.relay, erasing, settings.operator_token),
        Doors(
            operations=faq_routes.operations(
                SqlFaqBook(ground.engine),
                RedisAnswers(ground.redis),
                demand_store=packages.cart.shopping.store,
                demand_store_owner=packages.cart.shopping.own_store,
                demand_show_owner=packages.shows.demand_owner,
            )
        ),
        Doors(routes=[Mount("/sandbox", sandbox_app(packages.sandbox))]),
        Doors(
            operations=chat_routes.operations(
                packages.chat, demand_owner=packages.shows.demand_owner
            ),
            routes=chat_routes.routes(packages.chat),
            openapi=chat_routes.OPENAPI,
        ),
        Doors(
            routes=signaling_routes.routes(packages.endpoint, turn, limits),
            openapi=signaling_routes.OPENAPI,
        ),
        Doors(
            pages=[*page_routes(), *shared_page_routes()],
        ),
    ]


def _cart_doors(cart: Cart, visitors: Visitors) -> Iterator[Doors]:
    """The catalogue's, and the shop's other operations."""

    async def identify(request: Request) -> str | None:
        return visitors.person(request)

    yield Doors(
        operations=cart_routes.operations(cart),
        routes=cart_routes.routes(cart, identify),
        openapi=cart_routes.OPENAPI,
    )
    yield Doors(
        operations=stock_routes.operations(cart),
        routes=stock_routes.routes(cart, identify),
        openapi=stock_routes.OPENAPI,
    )
    parts = (payment_routes, deal_routes, checkout_routes, waitlist_routes)
    for each in (*parts, auction_routes):
        yield Doors(operations=each.operations(cart))


@asynccontextmanager
async def _signaling(ground: Ground, relay: Relay, gate: Gate) -> AsyncIterator[Endpoint]:
    settings = ground.settings
    traffic = Traffic()
    async with AsyncExitStack() as closing:
        try:
            endpoint = await closing.enter_async_context(
                open_signaling(
                    relay,
                    gate,
                    udp_port=settings.media_port,
                    tcp_port=settings.media_tcp_port,
                    public_ips=list(filter(None, settings.public_ip.split(","))),
                    stun_servers=parse_uris(settings.stun_url, ("stun",)),
                    traffic=traffic,
                )
            )
        except OSError as error:
            raise StartError(
                f"cannot listen for media ({error}): set KKOT_MEDIA_PORT and KKOT_MEDIA_TCP_PORT"
            ) from None
        closing.enter_context(media_metrics(relay, {"udp": traffic.udp, "tcp": traffic.tcp}))
        yield endpoint


async def _assist(packages: Packages, ground: Ground) -> None:
    """The shop assistant, until cancelled."""
    hub, facts = packages.chat.hub, ShopFacts(packages.shows, packages.cart)
    memory = RedisAnswers(ground.redis)
    assistant = Assistant(hub, SqlFaqBook(ground.engine), facts, memory)
    hub.overheard = assistant.overhear
    await assistant.run()


async def _archive(chat: Chat, ground: Ground) -> None:
    """The chat archive, until cancelled."""
    days = ground.settings.chat_retention_days
    archivist = chat.archivist(SqlArchive(ground.engine), days)
    with archive_metrics(archivist):
        await archivist.run()


def _recalling(packages: Packages, ground: Ground) -> Recalling:
    archive = SqlArchive(ground.engine)
    return Recalling(packages.chat.hub, archive, partial(_began, packages.shows))


def _erasing(packages: Packages, ground: Ground) -> Erasing:
    erasures, rulebook = SqlErasures(ground.engine), SqlRulebook(ground.engine)

    async def open_shows(store: str) -> list[str]:
        return [show.id for show in await packages.shows.unended(store)]

    withdraw, elsewhere = packages.questioning.withdraw, packages.cart.forget
    return Erasing(packages.chat.hub, erasures, rulebook, withdraw, open_shows, elsewhere)


def _moved(relay: Relay, takeovers: Takeovers, show: str) -> None:
    """Another node has the publisher now: whoever is here is sent there."""
    takeovers.moved(show)
    relay.end(show)


def _accounts(ground: Ground, stores_of: Any, judge_name: JudgeName) -> Accounts:
    return Accounts(
        SqlRegistry(ground.engine),
        Argon2Passwords(),
        JwtTokens(ground.secret),
        RedisLimiter(ground.redis),
        stores_of,
        judge_name,
    )


def _vouch(tokens: JwtTokens, person: str) -> str:
    """What tells another node who asks; it looks at no name."""
    return tokens.issue(Claimant(person, ""), int(time.time()))


def _account_of(accounts: Accounts, token: str) -> str | None:
    person = accounts.who(token)
    return person.id if person else None


async def _identify(accounts: Accounts, token: str | None) -> Person | None:
    person = accounts.who(token) if token else None
    return Person(person.id, person.name) if person else None


async def _owner(cart: Cart, slug: str) -> str | None:
    try:
        return (await cart.shopping.store(slug)).owner
    except NotFound:
        return None


async def _began(shows: Shows, show: str) -> int | None:
    return (await shows.show(show)).started_at_ms


async def _shelf(cart: Cart, slug: str) -> list[str]:
    return [product.id for product in await cart.shopping.products_in(slug)]


async def _room(
    shows: Shows,
    cart: Cart,
    rulebook: SqlRulebook,
    book: SqlQuestionBook,
    accounts: Accounts,
    show: str,
) -> Room | None:
    found = await shows.find(show)
    if found is None:
        return None
    ids = list(found.lineup) or await _shelf(cart, found.store)
    seller = await _owner(cart, found.store) or ""
    moderators = await rulebook.moderators(found.store)
    return Room(
        stage=found.stage.value,
        on_air=found.stage is not Stage.ENDED and bool(await shows.on_air([show])),
        pinned=found.pinned,
        products=await cart.products(ids),
        offers=await cart.offers(show),
        seller=seller,
        moderators=moderators,
        names=await accounts.names(moderators | {seller}),
        store=found.store,
        rules=await rulebook.rules(found.store, show, time.time_ns() // 1_000_000),
        answers=[told for one in await book.told(show, ids) if (told := told_to_everybody(one))],
    )


async def _viewers(chat: Chat, show: str) -> int:
    try:
        return await chat.present(show)
    except (ChatError, RedisError, OSError) as error:
        log.warning("viewers are not counted", show=show, error=repr(error))
        return 0
