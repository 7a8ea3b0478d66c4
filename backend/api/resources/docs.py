"""The OpenAPI document, and the page that renders it."""

from pathlib import Path
from typing import Final

from flask import Response, current_app

from backend.api.auth import PROBES
from backend.api.endpoint import Resource, endpoint
from backend.api.openapi import document
from backend.api.responses import tag_response
from backend.core.cache import entity_tag
from backend.core.errors import NotFound
from backend.core.security.authz import Actor

FOLDER: Final = Path(__file__).resolve().parents[1] / "docs_page"
TYPES: Final = {"index.html": "text/html", "page.js": "text/javascript", "page.css": "text/css"}
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def _file(name: str) -> Response:
    data = (FOLDER / name).read_bytes()
    response = Response(data, content_type=f"{TYPES[name]}; charset=utf-8")
    response.headers["Cache-Control"] = "no-cache"
    response.headers["Content-Security-Policy"] = POLICY
    tag_response(response, entity_tag(data))
    return response


class Docs(Resource):
    @endpoint(summary="Show the interactive documentation", who=PROBES, media_type="text/html")
    def get(self, _: Actor | None) -> Response:
        """Rendered in the browser from /openapi.json."""
        return _file("index.html")


class DocsPart(Resource):
    @endpoint(summary="Get an asset of the documentation page", who=PROBES, media_type="text/css, text/javascript")
    def get(self, _: Actor | None, *, name: str) -> Response:
        """The stylesheet and the script of the page."""
        if name not in TYPES:
            raise NotFound("File not found.")
        return _file(name)


class OpenApi(Resource):
    @endpoint(summary="Get the OpenAPI document", who=PROBES, media_type="application/json")
    def get(self, _: Actor | None) -> Response:
        """OpenAPI 3.1, generated from the code."""
        data = current_app.extensions.get("openapi")
        if data is None:
            data = current_app.extensions["openapi"] = document.render(current_app)
        response = Response(data, mimetype="application/json")
        response.headers["Cache-Control"] = "public, max-age=60"
        tag_response(response, entity_tag(data))
        return response
