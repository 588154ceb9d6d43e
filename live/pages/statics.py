"""The files pages are made of: modules, style, pictures, and each language's strings as a module.

Their URLs carry a digest of all of them, so that a browser may keep a file for good and still
never mixes the modules of two releases. An address of another release is answered too, with the
files of this one, but is not to be kept: while nodes are being replaced both are in use.
"""

import hashlib
import json
import os
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from live.pages.language import STRINGS, as_language

FOLDER: Final = Path(__file__).parent / "static"

KEEP: Final = "public, max-age=31536000, immutable"
ASK_AGAIN: Final = "no-cache"


def _digest() -> str:
    digest = hashlib.sha256()
    for path in sorted(path for path in FOLDER.rglob("*") if path.is_file()):
        digest.update(path.relative_to(FOLDER).as_posix().encode() + b"\0" + path.read_bytes())
    for language, strings in STRINGS.items():
        digest.update(language.encode() + json.dumps(dict(strings)).encode())
    return digest.hexdigest()[:16]


RELEASE: Final = _digest()


def static_url(path: str) -> str:
    """The address of a file of the static folder, such as `js/watch.js`."""
    return f"/static/{RELEASE}/{path}"


def _cache_control(release: str) -> str:
    return KEEP if release == RELEASE else ASK_AGAIN


class _Files(StaticFiles):
    def file_response(
        self,
        full_path: str | os.PathLike[str],
        stat_result: os.stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers["Cache-Control"] = _cache_control(scope["path_params"]["release"])
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response


async def strings_module(request: Request) -> Response:
    """One language's strings as an ES module whose default export is the map of them."""
    language = as_language(request.path_params["language"])
    if language is None:
        return Response(status_code=404)
    text = json.dumps(dict(STRINGS[language]), ensure_ascii=False, separators=(",", ":"))
    return Response(
        f"export default {text};\n",
        media_type="text/javascript",
        headers={"Cache-Control": _cache_control(request.path_params["release"])},
    )


def static_routes() -> list[BaseRoute]:
    """Everything under `/static/`."""
    return [
        Route("/static/{release}/strings/{language}.js", strings_module),
        Mount("/static/{release}", _Files(directory=FOLDER)),
    ]
