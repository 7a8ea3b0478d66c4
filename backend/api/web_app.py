"""Serves the built web application at /app/, and redirects / to it."""

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
# The address of a shared visit is its secret: it is kept out of referrers and search engines.
SHARED_VISIT: Final = "visit/"
SECRET_ADDRESS: Final = {"Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex, nofollow"}
INLINE: Final = re.compile(rb"<script>(.*?)</script>", re.DOTALL)
PACKED: Final = (("br", ".br"), ("gzip", ".gz"))
IMMUTABLE: Final = "public, max-age=31536000, immutable"
KEPT: Final = {"service-worker.js": "no-cache"}  # an old one would show messages in an old way


def init_app(app: Flask) -> None:
    app.add_url_rule("/", "home", lambda: redirect("/app/", code=302))
    app.add_url_rule("/app", "web_app_bare", lambda: redirect("/app/", code=308))
    app.add_url_rule("/app/", "web_app_home", _page, defaults={"path": ""})
    app.add_url_rule("/app/market.json", "web_app_market", _market)
    app.add_url_rule("/app/<path:path>", "web_app", _page)


def _market() -> Response:
    """Return the marketplace's name and formats, which the application needs before sign-in."""
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
    """Return a built file, or for other paths the page whose router resolves them."""
    if path and not path.endswith(".html") and _is_built(path):
        response = _file(path)
        hashed = path.startswith("assets/")
        response.headers["Cache-Control"] = IMMUTABLE if hashed else KEPT.get(path, "public, max-age=3600")
        return response
    if path.startswith("assets/"):
        raise NotFound("File not found.")
    name = _prerendered(path)
    if not _is_built(name):
        return not_built()
    encoding, packed = _packed(name)
    # Read into memory, so that no file stays open if the client stops reading.
    response = Response((DIST / packed).read_bytes(), mimetype="text/html")
    if encoding:
        response.headers["Content-Encoding"] = encoding
    response.add_etag()
    response.headers["Cache-Control"] = "no-cache"
    response.headers["Content-Security-Policy"] = policy((DIST / name).read_bytes())
    if path.startswith(SHARED_VISIT):
        response.headers.update(SECRET_ADDRESS)
    return response.make_conditional(request)


def not_built() -> Response:
    """Return the response for pages while there is no build."""
    return Response("The web application has not been built. Run make frontend.\n", status=503, mimetype="text/plain")


def built_page(language: str) -> bytes | None:
    """Return the built page without content, in a language if there is one of its own; None without a build."""
    names = (f"pages/empty.{language}.html", "index.html")
    name = next((one for one in names if _is_built(one)), None)
    return None if name is None else (DIST / name).read_bytes()


def _prerendered(path: str) -> str:
    """Return the name of the prerendered page (frontend/scripts/pages.mjs), or of the empty one."""
    name = f"pages/{path.strip('/') or 'landing'}.html"
    return name if re.fullmatch(r"pages/[a-z-]+\.html", name) and _is_built(name) else "index.html"


def policy(page: bytes) -> str:
    """Return a policy that allows scripts of this origin, and the page's inline script by its hash."""
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
    """Return the encoding and name of the compressed copy if the client accepts one, else the file's name."""
    for encoding, ending in PACKED:
        if request.accept_encodings[encoding] > 0 and _is_built(f"{path}{ending}"):
            return encoding, f"{path}{ending}"
    return None, path


def _is_built(name: str) -> bool:
    """Return whether the build contains this file.

    Paths outside the build are never looked up, because the response would reveal which files exist.
    """
    path = safe_join(str(DIST), name)
    try:
        return path is not None and Path(path).is_file()
    except OSError:  # a name that is too long for any file
        return False
