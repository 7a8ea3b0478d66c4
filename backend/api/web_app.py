"""Serves the built web application at /app/ and leads / there."""

import hashlib
import mimetypes
import re
from base64 import b64encode
from pathlib import Path
from typing import Final

from flask import Flask, Response, jsonify, redirect, request, send_from_directory
from werkzeug.exceptions import NotFound
from werkzeug.security import safe_join
from werkzeug.wrappers import Response as BaseResponse

from backend.core.config import current_settings

DIST: Final = Path(__file__).resolve().parents[2] / "frontend" / "dist"
POLICY: Final = (
    "default-src 'none'; script-src {scripts}; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
INLINE: Final = re.compile(rb"<script>(.*?)</script>", re.DOTALL)
PACKED: Final = (("br", ".br"), ("gzip", ".gz"))
FOREVER: Final = "public, max-age=31536000, immutable"


def init_app(app: Flask) -> None:
    app.add_url_rule("/", "home", lambda: redirect("/app/", code=302))
    app.add_url_rule("/app", "web_app_bare", lambda: redirect("/app/", code=308))
    app.add_url_rule("/app/", "web_app_home", _page, defaults={"path": ""})
    app.add_url_rule("/app/market.json", "web_app_market", _market)
    app.add_url_rule("/app/<path:path>", "web_app", _page)


def _market() -> Response:
    """What the application has to know of this market before anyone signs in."""
    settings = current_settings()
    response = jsonify(
        name=settings.market_name,
        timezone=settings.market_timezone,
        currency=settings.market_currency,
        country=settings.market_country,
    )
    response.headers["Cache-Control"] = "public, max-age=300"
    return response


def _page(path: str) -> BaseResponse:
    """A built file by its name, or the application's page for every address that its own router knows."""
    if path and not path.endswith(".html") and _is_built(path):
        response = _file(path)
        hashed = path.startswith("assets/")
        response.headers["Cache-Control"] = FOREVER if hashed else "public, max-age=3600"
        return response
    if path.startswith("assets/"):
        raise NotFound("File not found.")
    name = _drawn_ahead(path)
    if not _is_built(name):
        return Response(
            "The web application has not been built. Run make frontend.\n", status=503, mimetype="text/plain"
        )
    encoding, packed = _packed(name)
    # Read whole: no file stays open behind an answer that nobody reads to its end.
    response = Response((DIST / packed).read_bytes(), mimetype="text/html")
    if encoding:
        response.headers["Content-Encoding"] = encoding
    response.add_etag()
    response.headers["Cache-Control"] = "no-cache"
    response.headers["Content-Security-Policy"] = _policy((DIST / name).read_bytes())
    return response.make_conditional(request)


def _drawn_ahead(path: str) -> str:
    """The page to begin with: where people come in it is built with a first view in it (frontend/scripts/pages.mjs)."""
    name = f"pages/{path.strip('/') or 'landing'}.html"
    return name if re.fullmatch(r"pages/[a-z-]+\.html", name) and _is_built(name) else "index.html"


def _policy(page: bytes) -> str:
    """Scripts from here only, and the page's own inline one by the hash of what is sent."""
    hashes = [b64encode(hashlib.sha256(script).digest()).decode() for script in INLINE.findall(page)]
    return POLICY.format(scripts=" ".join(["'self'", *(f"'sha256-{one}'" for one in hashes)]))


def _file(path: str) -> BaseResponse:
    encoding, packed = _packed(path)
    kind = mimetypes.guess_type(path)[0]
    response = send_from_directory(DIST, packed, mimetype=kind, download_name=Path(path).name)
    if encoding:
        response.headers["Content-Encoding"] = encoding
    return response


def _packed(path: str) -> tuple[str | None, str]:
    """The copy that was packed when the application was built, for clients that can unpack it; else the file itself."""
    for encoding, ending in PACKED:
        if request.accept_encodings[encoding] > 0 and _is_built(f"{path}{ending}"):
            return encoding, f"{path}{ending}"
    return None, path


def _is_built(name: str) -> bool:
    """Return whether the build holds such a file.

    A name that leads out of the build is never looked up: the answer would tell which files the machine has.
    """
    path = safe_join(str(DIST), name)
    try:
        return path is not None and Path(path).is_file()
    except OSError:  # a name that is too long for any file
        return False
