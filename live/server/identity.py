"""Who makes a request: a Bearer token, or a cookie that only our own pages may use to act.

A cookie counts on GET and HEAD; on any other method only when the request comes from our own
origin, told by Sec-Fetch-Site or Origin. A Bearer token always counts, and alone when it is there.
"""

from collections.abc import Callable, Iterable
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from live.accounts.ports import ACCESS_COOKIE
from live.server.errors import ForeignOriginError

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class Origins:
    """Which web origins are ours: the public one, the configured ones, and the host addressed."""

    def __init__(self, allowed: Iterable[str]) -> None:
        self._allowed = frozenset(origin.rstrip("/").lower() for origin in allowed if origin)

    def allowed(self, origin: str | None, host: str | None) -> bool:
        """Whether a page of `origin` may talk to us, addressed as `host`.

        No Origin header means no browser page made the request.
        """
        if origin is None:
            return True
        addressed = {f"http://{host.lower()}", f"https://{host.lower()}"} if host else set()
        return origin.lower() in self._allowed | addressed

    def made_by_our_page(self, request: Request) -> bool:
        """Whether the headers only a browser can set say that our own page made the request."""
        site = request.headers.get("sec-fetch-site")
        if site is not None:
            return site == "same-origin" or self._named(request)
        return self._named(request)

    def _named(self, request: Request) -> bool:
        origin = request.headers.get("origin")
        return origin is not None and self.allowed(origin, request.headers.get("host"))


class RequestCookies:
    """The cookies of one request, as packages see them."""

    def __init__(self, request: Request, origins: Origins, *, secure: bool) -> None:
        self._request = request
        self._origins = origins
        self._secure = secure
        self._kept: dict[tuple[str, str], tuple[str, int]] = {}

    def read(self, name: str) -> str | None:
        """A cookie's value. Raises `ForeignOriginError` where a foreign page may have sent it."""
        value = self._request.cookies.get(name)
        if value is None:
            return None
        if self._request.method not in SAFE_METHODS:
            _demand_our_page(self._request, self._origins)
        return value

    def keep(self, name: str, value: str, *, path: str, max_age_s: int) -> None:
        """Set a cookie with the answer: HttpOnly, SameSite=Lax, Secure over HTTPS."""
        self._kept[name, path] = (value, max_age_s)

    def drop(self, name: str, *, path: str) -> None:
        """Take a cookie away with the answer."""
        self._kept[name, path] = ("", 0)

    def write(self, response: Response) -> None:
        """Put what was kept and dropped into the answer."""
        for (name, path), (value, max_age_s) in self._kept.items():
            response.set_cookie(
                *(name, value, max_age_s),
                path=path,
                secure=self._secure,
                httponly=True,
                samesite="lax",
            )


def _demand_our_page(request: Request, origins: Origins) -> None:
    if not origins.made_by_our_page(request):
        raise ForeignOriginError("A cookie needs a same-origin Origin; or use a Bearer token.")


class Visitors:
    """Finds the account behind a request.

    `account_of`: the account an access token names, None when it is stale or false.
    `secure`: whether the outside reaches us by HTTPS whatever the request's own scheme says.
    """

    def __init__(
        self, account_of: Callable[[str], str | None], origins: Origins, *, secure: bool
    ) -> None:
        self._account_of = account_of
        self._origins = origins
        self._secure = secure

    def person(self, request: Request) -> str | None:
        """The signed-in account, if any. Raises `ForeignOriginError`."""
        authorization = request.headers.get("authorization")
        if authorization is not None:
            scheme, _, token = authorization.partition(" ")
            return self._account_of(token.strip()) if scheme.lower() == "bearer" else None
        token = request.cookies.get(ACCESS_COOKIE, "")
        account = self._account_of(token) if token else None
        if account is not None and request.method not in SAFE_METHODS:
            _demand_our_page(request, self._origins)
        return account

    def jar(self, request: Request) -> RequestCookies:
        """The request's cookies. Raises `ForeignOriginError` for another site's page, which could
        otherwise sign its visitor in as somebody else."""
        headers = request.headers
        if not self._origins.allowed(headers.get("origin"), headers.get("host")):
            raise ForeignOriginError("Only our own pages use our cookies.")
        secure = self._secure or request.url.scheme == "https"
        return RequestCookies(request, self._origins, secure=secure)
