"""A page to read and try the API with; all of it comes from here, nothing from the net."""

from pathlib import Path
from typing import Final

from flask import Response

from backend.api.access import PROBES
from backend.api.base import Resource, endpoint
from backend.api.wire import tag_response
from backend.core.authz import Actor
from backend.core.errors import NotFound

FOLDER: Final = Path(__file__).resolve().parents[1] / "docs_page"
TYPES: Final = {"index.html": "text/html", "page.js": "text/javascript", "page.css": "text/css"}
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def _file(name: str) -> Response:
    data = (FOLDER / name).read_bytes()
    answer = Response(data, content_type=f"{TYPES[name]}; charset=utf-8")
    answer.headers["Cache-Control"] = "no-cache"
    answer.headers["Content-Security-Policy"] = POLICY
    tag_response(answer, data, None)
    return answer


class Docs(Resource):
    @endpoint(summary="A page to read and try the API with", who=PROBES, media_type="text/html")
    def get(self, _: Actor | None) -> Response:
        """Made from /openapi.json in the browser."""
        return _file("index.html")


class DocsPart(Resource):
    @endpoint(summary="The page's style and script", who=PROBES, media_type="text/css, text/javascript")
    def get(self, _: Actor | None, *, name: str) -> Response:
        """Two files that ship with the program."""
        if name not in TYPES:
            raise NotFound("No such file.")
        return _file(name)
