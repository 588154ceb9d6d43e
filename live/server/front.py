"""The router: Starlette's, which tries one route after another, with a short way to the operations.

Most requests go to URLs without parameters; these are looked up.
"""

from collections.abc import Sequence

from starlette.routing import BaseRoute, Route, Router
from starlette.types import Receive, Scope, Send


class Front(Router):
    """Finds what answers a request.

    `plain`: routes whose URL is theirs alone, of which those without parameters are looked up.
    """

    def __init__(self, routes: Sequence[BaseRoute], plain: Sequence[Route]) -> None:
        super().__init__(routes, redirect_slashes=False)
        self._plain = {route.path: route for route in plain if "{" not in route.path}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand one request or websocket to its route."""
        scope["app"] = self  # what Starlette's routes take for leave to raise their refusals
        route = self._plain.get(scope["path"]) if scope["type"] == "http" else None
        if route is None:
            await super().__call__(scope, receive, send)
            return
        scope["route"] = route
        scope["path_params"] = {}
        await route.handle(scope, receive, send)
