"""The demo shop: a seller with products and a show, made through the API like anybody's.

What was made is kept in a small private file, so that the next start finds it again.
"""

import io
import json
import os
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from itertools import product
from pathlib import Path
from typing import Any, Final

import httpx
from PIL import Image, ImageDraw

SLUG: Final = "kkot-demo"
STORE_NAME: Final = "꽃가게 Kkot"
STORY: Final = (
    "아침마다 꽃시장에서 골라 온 꽃을 라이브로 보여 드려요. "
    "Flowers picked at the market each morning, shown live."
)
SHOW_TITLE: Final = "오늘의 꽃 · Flowers of the day"
PICTURE_SIDE: Final = 640

Colour = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Flower:
    """A product of the demo, and the colours its picture is drawn in.

    `options`: by name; `stock` is then of each combination.
    """

    title: str
    description: str
    price_minor: int
    stock: int
    petals: int
    colour: Colour
    ground: Colour
    options: dict[str, tuple[str, ...]] = field(default_factory=dict)


FLOWERS: Final = (
    Flower(
        "작약 꽃다발 · Peony bouquet",
        "열 송이 · Ten stems",
        32_000,
        24,
        9,
        (244, 143, 163),
        (255, 240, 238),
    ),
    Flower(
        "라넌큘러스 · Ranunculus",
        "다섯 송이 · Five stems",
        18_000,
        40,
        13,
        (250, 180, 90),
        (255, 247, 230),
    ),
    Flower(
        "수국 화분 · Potted hydrangea",
        "지름 15 cm · 15 cm pot",
        27_000,
        12,
        6,
        (132, 150, 222),
        (236, 240, 255),
    ),
    Flower(
        "튤립 한 단 · A bunch of tulips",
        "색과 크기를 고르세요 · Choose colour and size",
        15_000,
        6,
        6,
        (236, 98, 120),
        (255, 244, 236),
        {
            "색상 · Colour": ("분홍 · Pink", "노랑 · Yellow", "보라 · Purple"),
            "크기 · Size": ("열 송이 · 10", "스무 송이 · 20"),
        },
    ),
    Flower(
        "마지막 한 송이 · The last rose",
        "딱 한 송이 · Only one",
        9_900,
        1,
        7,
        (206, 60, 84),
        (250, 228, 226),
    ),
)


@dataclass(frozen=True, slots=True)
class DemoShop:
    """The demo seller's account and show."""

    email: str
    password: str
    show: str


async def open_shop(client: httpx.AsyncClient, state: Path) -> tuple[DemoShop, str]:
    """The demo shop on the server behind `client`, made when it is missing, and a publish key.

    `state`: the file that remembers it, readable by its owner only.
    Raises `httpx.HTTPStatusError` when the server refuses.
    """
    shop = _recall(state)
    if shop is None or not await _sign_in(client, "/sessions", shop.email, shop.password):
        shop = await _make(client)
        _keep(state, shop)
    answer = await client.post(f"/shows/{shop.show}/publish-key")
    if answer.status_code in (404, 409):  # the show is over: open the next one
        shop = DemoShop(shop.email, shop.password, await _make_show(client))
        _keep(state, shop)
        answer = await client.post(f"/shows/{shop.show}/publish-key")
    return shop, _read(answer)["key"]


async def _make(client: httpx.AsyncClient) -> DemoShop:
    email, password = f"seller-{secrets.token_hex(3)}@kkot.example", secrets.token_urlsafe(12)
    await _sign_in(client, "/accounts", email, password, name="꽃가게")
    slug = await _make_store(client)
    for flower in FLOWERS:
        made = await _post(client, f"/stores/{slug}/products", **_draft(flower))
        picture = await client.put(
            f"/products/{made['id']}/picture",
            content=draw(flower),
            headers={"Content-Type": "image/png"},
        )
        picture.raise_for_status()
    return DemoShop(email, password, await _make_show(client, slug))


def _draft(flower: Flower) -> dict[str, Any]:
    """The product as the API wants it; the second size costs twice the first."""
    said: dict[str, Any] = {
        "title": flower.title,
        "description": flower.description,
        "price_minor": flower.price_minor,
    }
    if not flower.options:
        return said | {"stock": flower.stock}
    sizes = tuple(flower.options.values())[-1]
    skus = [
        {
            "options": options,
            "stock": flower.stock,
            "price_minor": flower.price_minor * (1 + sizes.index(options[-1])),
        }
        for options in product(*flower.options.values())
    ]
    return said | {"option_names": list(flower.options), "skus": skus}


async def _make_store(client: httpx.AsyncClient) -> str:
    """Open the store; under another address where an earlier demo has the usual one."""
    for slug in (SLUG, f"{SLUG}-{secrets.token_hex(3)}"):
        answer = await client.post(
            "/stores", json={"slug": slug, "name": STORE_NAME, "story": STORY}
        )
        if answer.status_code != 409:
            return str(_read(answer)["slug"])
    raise AssertionError("a random address is taken")


async def _make_show(client: httpx.AsyncClient, slug: str | None = None) -> str:
    if slug is None:
        slug = _read(await client.get("/me"))["stores"][0]
    show = await _post(client, "/shows", store=slug, title=SHOW_TITLE)
    products = _read(await client.get(f"/stores/{slug}/products"))["products"]
    ids = [each["id"] for each in products]
    (await client.put(f"/shows/{show['id']}/lineup", json={"products": ids})).raise_for_status()
    await _post(client, f"/shows/{show['id']}/pin", product=ids[0])
    return str(show["id"])


async def _sign_in(
    client: httpx.AsyncClient, path: str, email: str, password: str, **more: str
) -> bool:
    answer = await client.post(path, json={"email": email, "password": password, **more})
    if answer.status_code == 401:
        return False
    client.headers["Authorization"] = f"Bearer {_read(answer)['access_token']}"
    client.cookies.clear()
    return True


async def _post(client: httpx.AsyncClient, path: str, **body: Any) -> dict[str, Any]:
    key = {"Idempotency-Key": secrets.token_urlsafe(12)}
    return _read(await client.post(path, json=body, headers=key))


def _read(answer: httpx.Response) -> dict[str, Any]:
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found


def _recall(state: Path) -> DemoShop | None:
    try:
        return DemoShop(**json.loads(state.read_text()))
    except (OSError, ValueError, TypeError):
        return None


def _keep(state: Path, shop: DemoShop) -> None:
    opener: Callable[[str, int], int] = lambda path, flags: os.open(path, flags, 0o600)  # noqa: E731
    with open(state, "w", opener=opener) as file:
        json.dump(asdict(shop), file)


def draw(flower: Flower) -> bytes:
    """A product's picture as PNG: its flower from above."""
    side = PICTURE_SIDE
    picture = Image.new("RGB", (side, side), flower.ground)
    for ring, (reach, shade) in enumerate(((0.40, 1.0), (0.30, 0.9), (0.19, 0.78))):
        colour = tuple(int(part * shade) for part in flower.colour)
        for index in range(flower.petals):
            turn = 360 / flower.petals * (index + ring / 2)
            petal = Image.new("L", (side, side))
            box = (side * 0.40, side * (0.5 - reach), side * 0.60, side * 0.5)
            ImageDraw.Draw(petal).ellipse(box, fill=230)
            picture.paste(colour, mask=petal.rotate(turn, resample=Image.Resampling.BICUBIC))
    heart = (side * 0.45, side * 0.45, side * 0.55, side * 0.55)
    ImageDraw.Draw(picture).ellipse(heart, fill=(250, 214, 120))
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()
