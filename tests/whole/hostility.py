"""What strangers throw at the HTTP door: well-framed requests that should never have been made."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from live.server.bodies import JSON_BODY_BYTES
from tests.whole.shop import Person, Shop

DEEP: Final = 30_000
HUGE_INTEGER: Final = 10**400


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request and the answers it may get. `{product}` and the like are filled in."""

    name: str
    method: str
    path: str
    expected: frozenset[int]
    content: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    signed_in: bool = True

    def for_shop(self, shop: Shop) -> "Attempt":
        """The attempt aimed at a shop."""
        names = {"{product}": shop.product, "{slug}": shop.slug, "{show}": shop.show}
        path, content = self.path, self.content
        for name, value in names.items():
            path, content = (
                path.replace(name, value),
                content.replace(name.encode(), value.encode()),
            )
        fields = (self.name, self.method, path, self.expected, content, self.headers)
        return Attempt(*fields, self.signed_in)


def posted(
    name: str, content: bytes, *expected: int, path: str = "/holds", method: str = "POST"
) -> Attempt:
    """A JSON body sent by somebody signed in."""
    headers = {"Content-Type": "application/json", "Idempotency-Key": "hostile"}
    return Attempt(name, method, path, frozenset(expected), content, headers)


def asked(name: str, path: str, *expected: int, method: str = "GET") -> Attempt:
    """A request without a body."""
    return Attempt(name, method, path, frozenset(expected))


def with_headers(name: str, headers: Mapping[str, str], *expected: int) -> Attempt:
    """A sound hold but for its headers, by nobody who is signed in otherwise."""
    usual = {"Content-Type": "application/json", "Idempotency-Key": "hostile"}
    sound = b'{"lines": [{"sku": "{product}"}]}'
    return Attempt(
        *(name, "POST", "/holds", frozenset(expected), sound, usual | dict(headers)),
        signed_in=False,
    )


ACCOUNT: Final = b'{"email": "%s", "password": "correct horse battery", "name": "%s"}'

BODIES: Final = [
    posted("no body", b"", 400),
    posted("not JSON", b"{product", 400),
    posted("JSON cut short", b'{"lines": [{"sku": "{product}"}]', 400),
    posted("two values", b'{"lines": [{"sku": "{product}"}]} {}', 400),
    posted("bytes that are no UTF-8", b'{"lines": [{"sku": "\xff\xfe"}]}', 400),
    posted("UTF-16", '{"product": "x"}'.encode("utf-16"), 400),
    posted("lone surrogate", b'{"lines": [{"sku": "\\ud800"}]}', 400, 422),
    posted("NUL in an id", b'{"lines": [{"sku": "\\u0000"}]}', 404, 422),
    posted("a raw NUL", b'{"lines": [{"sku": "\x00"}]}', 400, 422),
    posted("deep list", b"[" * DEEP, 400, 422),
    posted("deep object", b'{"lines":' * (DEEP // 6), 400, 422),
    posted("deep where text is due", b'{"lines":' + b"[" * DEEP + b"]" * DEEP + b"}", 400, 422),
    posted("a list", b"[]", 422),
    posted("null", b"null", 422),
    posted("text for a number", b'{"lines": [{"sku": "{product}", "quantity": "1"}]}', 422),
    posted("true for a number", b'{"lines": [{"sku": "{product}", "quantity": true}]}', 422),
    posted("a fraction", b'{"lines": [{"sku": "{product}", "quantity": 1.5}]}', 422),
    posted("NaN", b'{"lines": [{"sku": "{product}", "quantity": NaN}]}', 400),
    posted("Infinity", b'{"lines": [{"sku": "{product}", "quantity": Infinity}]}', 400),
    posted("1e400", b'{"lines": [{"sku": "{product}", "quantity": 1e400}]}', 400, 422),
    posted("negative quantity", b'{"lines": [{"sku": "{product}", "quantity": -1}]}', 422),
    posted("zero", b'{"lines": [{"sku": "{product}", "quantity": 0}]}', 422),
    posted(
        "an enormous integer",
        b'{"lines": [{"sku": "{product}", "quantity": %d}]}' % HUGE_INTEGER,
        *(400, 422),
    ),
    posted("2**63", b'{"lines": [{"sku": "{product}", "quantity": 9223372036854775808}]}', 422),
    posted("an unknown field", b'{"lines": [{"sku": "{product}", "title": "mine"}]}', 422),
    posted("an overlong id", b'{"lines": [{"sku": "%s"}]}' % (b"x" * 5_000), 422),
    posted("a product that is not", b'{"lines": [{"sku": "no-such-thing"}]}', 404),
    posted("a show that is NUL", b'{"lines": [{"sku": "{product}"}], "show": "\\u0000"}', 422),
    posted("a huge body", b'{"lines": "' + b"x" * JSON_BODY_BYTES + b'"}', 413),
    posted("an order of nothing", b'{"holds": [], "recipient": {}}', 422, path="/orders"),
    posted(
        "an order of strangers' holds",
        b'{"holds": ["AAAAAAAAAAAA"], "total_minor": 1, "recipient": {"name": "a", "phone": "010",'
        b' "postcode": "03187", "address": "b"}}',
        *(403, 404, 409),
        path="/orders",
    ),
    posted(
        "NUL in a recipient",
        b'{"holds": ["A"], "total_minor": 1, "recipient": {"name": "\\u0000", "phone": "010",'
        b' "postcode": "03187", "address": "b"}}',
        422,
        path="/orders",
    ),
    posted("NUL in a name", ACCOUNT % (b"nul@example.com", b"a\\u0000b"), 422, path="/accounts"),
    posted("NUL in an email", ACCOUNT % (b"nul\\u0000@example.com", b"a"), 422, path="/accounts"),
    posted(
        "surrogate in a name", ACCOUNT % (b"s@example.com", b"\\udfff"), 400, 422, path="/accounts"
    ),
    posted("NUL in a sign-in", b'{"email": "\\u0000", "password": "x"}', 422, path="/sessions"),
    posted("a stranger's store", b'{"name": "mine"}', 403, path="/stores/{slug}", method="PATCH"),
    posted(
        "a stranger's product",
        b'{"title": "mine now"}',
        403,
        path="/products/{product}",
        method="PATCH",
    ),
    posted("a stranger's show", b'{"product": null}', 403, path="/shows/{show}/pin"),
    posted("a stranger's end", b"", 403, path="/shows/{show}/end"),
    posted("a stranger's publish key", b"", 403, path="/shows/{show}/publish-key"),
    posted(
        "a picture that is none",
        b"GIF89a" * 9,
        403,
        415,
        path="/products/{product}/picture",
        method="PUT",
    ),
    posted("an unsigned webhook", b"{}", 401, path="/payments/sandbox/webhook"),
    posted("a webhook of nobody's", b"{}", 404, path="/payments/nobody/webhook"),
    posted("approving no payment", b"", 404, path="/sandbox/payments/%00/approve"),
]

PATHS: Final = [
    asked("climbing out", "/static/../../../../etc/passwd", 404),
    asked("climbing out, escaped", "/static/x/%2e%2e/%2e%2e/%2e%2e/live/server/secret.py", 404),
    asked("climbing out, slashes escaped", "/static/x/..%2f..%2f..%2f..%2fetc%2fpasswd", 404),
    asked("climbing out, backslashes", "/static/x/..%5c..%5cetc", 404),
    asked("NUL in a file's name", "/static/x/js/%00.js", 404),
    asked("an overlong file's name", "/static/x/" + "a" * 5_000, 404),
    asked("bytes that are no UTF-8 in a file's name", "/static/x/%ff%fe", 404),
    asked("a surrogate in a file's name", "/static/x/%ed%a0%80", 404),
    asked("NUL for an id", "/products/%00", 404),
    asked("NUL for a picture's id", "/products/%00/picture", 404),
    asked("NUL for a store", "/stores/%00", 404),
    asked("NUL for a show", "/shows/%00", 404),
    asked("NUL for a show to watch", "/shows/%00/watch", 200, 404),
    asked("NUL for an order", "/orders/%00", 404),
    asked("NUL for a payment", "/sandbox/payments/%00", 404),
    asked("a surrogate for an id", "/products/%ed%a0%80", 404),
    asked("an overlong id", "/products/" + "x" * 5_000, 404),
    asked("SQL for an id", "/products/';DROP%20TABLE%20products;--", 404),
    asked("NUL in the query", "/stores?after=%00", 422),
    asked("a surrogate in the query", "/stores?after=%ed%a0%80", 200, 422),
    asked("a stage that is none", "/shows?stage=NaN", 422),
    asked("an unknown method", "/holds", 400, 405, method="BREW"),
    asked("a method of others", "/holds", 405, method="PUT"),
    asked("TRACE", "/", 405, method="TRACE"),
    asked("no such page", "/wp-admin.php", 404),
]

HEADERS: Final = [
    with_headers("nobody", {}, 401),
    with_headers("Basic", {"Authorization": "Basic a2tvdDprb3Q="}, 401),
    with_headers("Bearer nothing", {"Authorization": "Bearer "}, 401),
    with_headers("three dots", {"Authorization": "Bearer ..."}, 401),
    with_headers("an overlong token", {"Authorization": "Bearer " + "a" * 20_000}, 401, 431),
    with_headers("a cookie that is no token", {"Cookie": 'kkot_access=;=;kkot_access="x'}, 401),
    with_headers("an endless cookie", {"Cookie": "kkot_access=" + "a." * 9_000}, 401, 431),
]


def spoilt(shop: Shop, buyer: Person) -> list[Attempt]:
    """A sound hold by somebody signed in, but for one header."""
    signed = {"Authorization": f"Bearer {buyer.token}"}
    cookie = {"Cookie": f"kkot_access={buyer.token}"}
    return [
        with_headers("no key", {"Idempotency-Key": ""} | signed, 400),
        with_headers("an overlong key", {"Idempotency-Key": "k" * 65} | signed, 400),
        with_headers("a key with spaces", {"Idempotency-Key": "a b"} | signed, 400),
        with_headers("a form", {"Content-Type": "application/x-www-form-urlencoded"} | signed, 415),
        with_headers("text", {"Content-Type": "text/plain"} | signed, 415),
        with_headers("no type", {"Content-Type": ""} | signed, 415),
        with_headers("a foreign page", {"Origin": "https://evil.example"} | cookie, 403),
        with_headers("an opaque page", {"Origin": "null"} | cookie, 403),
        with_headers("no page", cookie, 403),
        with_headers(
            "a foreign page by fetch",
            {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"} | cookie,
            403,
        ),
        *(
            with_headers(f"forged: {name}", {"Authorization": f"Bearer {token}"}, 401)
            for name, token in forgeries(buyer).items()
        ),
    ]


def forgeries(victim: Person) -> dict[str, str]:
    """Tokens that claim to be somebody."""
    head, claims, signature = victim.token.split(".")
    now = int(time.time())
    forever = {"iss": "kkot", "sub": victim.id, "name": "x", "iat": now, "exp": now + 10**9}
    none = [_part({"alg": alg, "typ": "JWT"}) for alg in ("none", "None", "nOnE")]
    unsigned = f"{head}.{_part(forever)}"
    guessed = _text(hmac.digest(b"secret", unsigned.encode(), hashlib.sha256))
    return {
        "alg none": f"{none[0]}.{_part(forever)}.",
        "alg None": f"{none[1]}.{_part(forever)}.",
        "alg nOnE with the signature kept": f"{none[2]}.{claims}.{signature}",
        "other claims under the signature": f"{unsigned}.{signature}",
        "no signature": f"{head}.{claims}.",
        "a guessed secret": f"{unsigned}.{guessed}",
        "a public key's algorithm": f"{_part({'alg': 'RS256'})}.{claims}.{signature}",
        "a key of its own": f"{_part({'alg': 'HS256', 'jwk': {'k': 'AA'}})}.{claims}.{signature}",
        "a header that is a list": f"{_part([])}.{claims}.{signature}",
        "claims that nest deeply": f"{head}.{_text(b'[' * 900)}.{signature}",
    }


def _part(value: Any) -> str:
    return _text(json.dumps(value).encode())


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
