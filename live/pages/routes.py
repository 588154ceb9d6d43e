"""The pages: shells in the visitor's language, which their modules fill from the JSON API.

A page needs no store and no session to be rendered, so it is the same for everybody but for the
language, and cannot leak what belongs to one person. The pages of `shared_routes` share their URLs
with the API; whoever composes the server looks at Accept.
"""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Final
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from live.pages.language import LANGUAGES, STRINGS, Language, as_language, choose_language
from live.pages.statics import static_routes, static_url

LANGUAGE_COOKIE: Final = "kkot_lang"
LANGUAGE_COOKIE_SECONDS: Final = 365 * 24 * 3600
SESSION_COOKIE: Final = "kkot_access"

CONTENT_SECURITY_POLICY: Final = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' data: blob:",
        "media-src 'self' blob:",
        # a WHEP offer may be sent on to the node that has the publisher, by any name it has
        "connect-src 'self' http: https: ws: wss:",
        "object-src 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS: Final = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Permissions-Policy": "camera=(self), microphone=(self), screen-wake-lock=(self)",
    "Referrer-Policy": "same-origin",
    "Vary": "Accept, Accept-Language, Cookie",
    "X-Content-Type-Options": "nosniff",
}

_environment: Final = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def render_page(
    template: str, language: Language, *, links: Mapping[Language, str], maybe_signed_in: bool
) -> str:
    """The HTML of one template.

    `links` gives for each language the address of this same page in it; `maybe_signed_in` tells
    the page whether asking who is signed in is worth a request.
    """
    return _environment.get_template(template).render(
        language=language,
        languages=LANGUAGES,
        links=links,
        maybe_signed_in=maybe_signed_in,
        static=static_url,
        t=STRINGS[language].__getitem__,
    )


def _respond(template: str, request: Request, language_default: str) -> Response:
    asked = request.query_params.get("lang")
    language = choose_language(
        asked=asked,
        remembered=request.cookies.get(LANGUAGE_COOKIE),
        accept_language=request.headers.get("accept-language", ""),
        default=as_language(language_default) or "ko",
    )
    here = request.url
    links = {
        choice: f"{quote(here.path)}?{here.include_query_params(lang=choice).query}"
        for choice in LANGUAGES
    }
    html = render_page(
        template, language, links=links, maybe_signed_in=SESSION_COOKIE in request.cookies
    )
    response = HTMLResponse(html, headers={**HEADERS, "Content-Language": language})
    if as_language(asked) is not None:
        response.set_cookie(
            LANGUAGE_COOKIE, language, max_age=LANGUAGE_COOKIE_SECONDS, samesite="lax"
        )
    return response


async def home_page(request: Request, *, language_default: str = "ko") -> Response:
    """What is live now and what comes next."""
    return _respond("home.html", request, language_default)


async def watch_page(request: Request, *, language_default: str = "ko") -> Response:
    """One show: the picture, the talk and the products."""
    return _respond("watch.html", request, language_default)


async def sell_page(request: Request, *, language_default: str = "ko") -> Response:
    """The seller's console."""
    return _respond("sell.html", request, language_default)


async def store_page(request: Request, *, language_default: str = "ko") -> Response:
    """A store: its story and its products."""
    return _respond("store.html", request, language_default)


async def basket_page(request: Request, *, language_default: str = "ko") -> Response:
    """What a buyer holds in a store."""
    return _respond("basket.html", request, language_default)


async def order_page(request: Request, *, language_default: str = "ko") -> Response:
    """An order, also where a payment provider sends its buyer back to."""
    return _respond("order.html", request, language_default)


async def favicon(_: Request) -> Response:
    """For pages that name no icon, such as a payment provider's."""
    return RedirectResponse(static_url("images/flower.svg"), status_code=302)


def routes(*, language_default: str = "ko") -> list[BaseRoute]:
    """The pages with URLs of their own, and the files under `/static/`.

    `language_default` (`ko` or `en`) is for visitors who express no wish.
    """
    pages: list[tuple[str, Callable[..., Awaitable[Response]]]] = [
        ("/", home_page),
        ("/shows/{id}/watch", watch_page),
        ("/sell", sell_page),
    ]
    return [
        *(Route(path, partial(page, language_default=language_default)) for path, page in pages),
        Route("/favicon.ico", favicon),
        *static_routes(),
    ]


def shared_routes() -> list[BaseRoute]:
    """The pages whose URLs the API has too, for whoever wants HTML."""
    return [
        Route("/stores/{slug}", store_page),
        Route("/stores/{slug}/basket", basket_page),
        Route("/orders/{id}", order_page),
    ]
