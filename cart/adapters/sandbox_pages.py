"""The sandbox's page: what is to be paid, to approve, to decline, and what may go wrong.

Korean and English, phone first. The payment's id in the address is the right to decide, as with
real providers. Nothing inline, so that the strictest content policy may stand.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route, Router

from cart.adapters.payment_sandbox import Sandbox, Trick
from cart.core.catalog import is_id
from cart.core.payment import Standing

FOLDER: Final = Path(__file__).parent / "sandbox"
STRINGS: Final[Mapping[str, Mapping[str, str]]] = json.loads(
    (FOLDER / "strings.json").read_text(encoding="utf-8")
)
CHOICES: Final[Mapping[str, tuple[Standing, Trick]]] = {
    "approve": (Standing.AUTHORIZED, Trick.NONE),
    "decline": (Standing.DECLINED, Trick.NONE),
    **{str(trick): (Standing.AUTHORIZED, trick) for trick in Trick if trick},
}
"""What each button does; the same by POST without the page."""

_templates = Environment(
    loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined
)
_css = (FOLDER / "sandbox.css").read_text(encoding="utf-8")


def sandbox_app(sandbox: Sandbox) -> Router:
    """The pages, to be mounted at `/sandbox`; what goes wrong is for the application around."""
    return Router(
        [
            Route("/payments/{payment}", _page(sandbox), methods=["GET"]),
            Route("/payments/{payment}/{choice}", _decide(sandbox), methods=["POST"]),
            Route("/sandbox.css", _style, methods=["GET"]),
        ]
    )


def _page(sandbox: Sandbox) -> Callable[[Request], Awaitable[Response]]:
    async def page(request: Request) -> Response:
        payment = request.path_params["payment"]
        language = choose_language(request)
        known = await sandbox.charge(payment) if is_id(payment) else None
        html = _templates.get_template("page.html").render(
            say=STRINGS[language],
            language=language,
            charge=None if known is None else known[0],
            open=known is not None and known[1] == Standing.PENDING,
            tricks=[str(trick) for trick in Trick if trick],
            amount="" if known is None else money(known[0].amount_minor, language),
        )
        headers = {"cache-control": "no-store", "referrer-policy": "no-referrer"}
        return HTMLResponse(html, status_code=404 if known is None else 200, headers=headers)

    return page


def _decide(sandbox: Sandbox) -> Callable[[Request], Awaitable[Response]]:
    async def decide(request: Request) -> Response:
        payment, choice = request.path_params["payment"], request.path_params["choice"]
        known = await sandbox.charge(payment) if is_id(payment) else None
        if known is None or choice not in CHOICES:
            return Response(status_code=404)
        await sandbox.decide(payment, *CHOICES[choice])
        return RedirectResponse(known[0].return_path, status_code=303)

    return decide


async def _style(request: Request) -> Response:  # noqa: ARG001 - the router's signature
    headers = {"cache-control": "public, max-age=3600"}
    return Response(_css, media_type="text/css", headers=headers)


def choose_language(request: Request) -> str:
    """`?lang=`, else the cookie, else what the browser prefers, else English."""
    for said in (request.query_params.get("lang"), request.cookies.get("kkot_lang")):
        if said is not None and said in STRINGS:
            return said
    preferred = request.headers.get("accept-language", "")[:200]
    for entry in preferred.split(","):
        tag = entry.partition(";")[0].strip().lower().partition("-")[0]
        if tag in STRINGS:
            return tag
    return "en"


def money(amount_minor: int, language: str) -> str:
    """Won as people write them."""
    return f"{amount_minor:,}원" if language == "ko" else f"₩{amount_minor:,}"
