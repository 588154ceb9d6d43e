"""What the canned server of these tests answers, and the snapshot of its room."""

from typing import Any, Final

BASE: Final = "http://localhost"
PRODUCT: Final[dict[str, Any]] = {
    "id": "p1",
    "store": "flowers",
    "title": "Peony",
    "description": "",
    "picture": None,
    "price_minor": 32000,
    "currency": "KRW",
    "on_hand": 2,
    "free": 2,
    "held": 0,
    "sold": 0,
    "limit_per_buyer": 1,
    "option_names": [],
    "skus": [
        {
            "id": "p1",
            "options": [],
            "price_minor": 32000,
            "code": None,
            "on_hand": 2,
            "free": 2,
            "held": 0,
            "sold": 0,
        }
    ],
    "version": 3,
}
STORE: Final[dict[str, Any]] = {
    "slug": "flowers",
    "name": "꽃가게",
    "story": "",
    "owner": "a1",
    "currency": "KRW",
}
SHOW: Final[dict[str, Any]] = {
    "id": "s1",
    "store": "flowers",
    "title": "Morning <b>flowers</b>",
    "stage": "live",
    "on_air": True,
    "starts_at_ms": None,
    "started_at_ms": 1,
    "ended_at_ms": None,
    "lineup": [],
    "pinned": "p1",
    "viewers": 3,
}
ANSWERS: Final[dict[str, Any]] = {
    "/shows": {"shows": [SHOW, {**SHOW, "id": "s2", "stage": "scheduled"}]},
    "/shows/s1": SHOW,
    "/stores/flowers": STORE,
    "/stores/flowers/products": {"products": [PRODUCT]},
}
WELCOME: Final[dict[str, Any]] = {
    "type": "welcome",
    "show": "s1",
    "epoch": "0123456789abcdef",
    "offset": 3,
    "recovered": False,
    "you": None,
    "now_ms": 0,
    "on_air": True,
    "stage": "live",
    "pinned": "p1",
    "products": [PRODUCT],
    "offers": [],
    "present": 7,
    "hearts": 5,
    "room": {
        "type": "room",
        "slow_s": 0,
        "buyers_only": False,
        "followers_only": False,
        "links_allowed": False,
        "frozen": False,
        "pinned_saying": None,
        "version": 0,
    },
    "answers": [],
    "talk": [
        {
            "type": "said",
            "id": "m1",
            "text": "<img src=x>",
            "at_ms": 0,
            "from": {"id": "a1", "name": "Mina", "seller": True},
        }
    ],
}


def stock(free: int, held: int, version: int) -> dict[str, Any]:
    """The room's word on the units of the one product."""
    skus = [{"id": "p1", "free": free, "held": held}]
    told = {"type": "stock", "product": "p1", "free": free, "held": held}
    return told | {"skus": skus, "version": version}
