"""Serves the built web application under /app/, and redirects / to it. Pages with their own head: public_pages.py."""

import gzip
import mimetypes
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final

import orjson
from flask import Flask, Response, jsonify, redirect, request, send_from_directory
from werkzeug.exceptions import NotFound
from werkzeug.security import safe_join
from werkzeug.wrappers import Response as BaseResponse

from backend.api import entry_pages
from backend.core import web_assets
from backend.core.config import current_settings

DIST: Final = Path(__file__).resolve().parents[2] / "frontend" / "dist"
POLICY: Final = (
    "default-src 'none'; script-src {scripts}; style-src {styles}; img-src 'self' data: blob:; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
# The address of a shared visit is its secret: it is kept out of referrers and search engines.
SHARED_VISIT: Final = "visit/"
SECRET_ADDRESS: Final = {"Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex, nofollow"}
GROUND: Final = "#fbfaf8"  # the page's own colour, as in index.html
ICONS: Final = (("icon-192", 192, "any"), ("icon-512", 512, "any"), ("icon-maskable-512", 512, "maskable"))
WORKER: Final = "service-worker.js"
# A worker is held to the policy of its own script. It fetches the application's files.
WORKER_POLICY: Final = "default-src 'none'; script-src 'self'; connect-src 'self'"
PACKED: Final = (("br", ".br"), ("gzip", ".gz"))
IMMUTABLE: Final = "public, max-age=31536000, immutable"
ASSETS: Final = "assets/"
MANIFEST: Final = "pages/manifest.json"
GZIP_LEVEL: Final = 5  # higher levels take more time than they save on a page of 20 kB


def init_app(app: Flask) -> None:
    app.add_url_rule("/", "home", lambda: redirect("/app/", code=302))
    app.add_url_rule("/app", "web_app_bare", lambda: redirect("/app/", code=308))
    app.add_url_rule("/app/market.json", "web_app_market", _market)
    app.add_url_rule("/app/manifest.webmanifest", "web_app_manifest", _manifest)
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


def _manifest() -> Response:
    """Return what a device needs to install the application (W3C, Web Application Manifest)."""
    response = jsonify(
        id="/app/",
        name=current_settings().market_name,
        short_name=current_settings().market_name,
        start_url="/app/",
        scope="/app/",
        display="standalone",
        background_color=GROUND,
        theme_color=GROUND,
        icons=[
            {"src": f"/app/icons/{name}.png", "sizes": f"{size}x{size}", "type": "image/png", "purpose": purpose}
            for name, size, purpose in ICONS
        ],
    )
    response.mimetype = "application/manifest+json"
    response.headers["Cache-Control"] = "public, max-age=3600"
    return response


def _page(path: str) -> BaseResponse:
    """Return a built file, or for other paths the page whose router resolves them."""
    if path and not path.startswith("pages/") and not path.endswith(".html") and _is_built(path):
        response = _file(path)
        hashed = path.startswith(ASSETS)
        response.headers["Cache-Control"] = IMMUTABLE if hashed else "public, max-age=3600"
        if path == WORKER:
            response.headers["Cache-Control"] = "no-cache"  # browsers look there for the next version
            response.headers["Content-Security-Policy"] = WORKER_POLICY
        return response
    if path.startswith(ASSETS):
        return _kept_asset(path.removeprefix(ASSETS))
    policies = _policies()
    if policies is None:
        return not_built()
    language = entry_pages.language()
    name = f"{entry_pages.name_of(path)}.{language}"
    if name not in policies:
        name = f"empty.{language}"
    page = entry_pages.filled(DIST / "pages" / f"{name}.json", path)
    is_search = name.startswith("search.") and request.query_string != b""
    if page is None and (is_search or not _is_built(f"pages/{name}.html")):
        # As built, a search shows all tasks, not those that were asked for, and a profile is never built without data.
        name = f"empty.{language}"
    response = _built(name) if page is None else _compressed(page)
    if path.startswith(SHARED_VISIT):
        response.headers.update(SECRET_ADDRESS)
    return _finished(response, language, policies[name])


def _kept_asset(name: str) -> BaseResponse:
    """Return a file of another build than this machine's. Raises NotFound."""
    content = web_assets.find(name)
    if content is None:
        raise NotFound("File not found.")
    response = Response(content, mimetype=mimetypes.guess_type(name)[0])
    if request.accept_encodings["gzip"] > 0:
        response.headers["Content-Encoding"] = "gzip"
    else:
        response.data = gzip.decompress(content)
    response.headers["Cache-Control"] = IMMUTABLE
    response.add_etag()
    return response.make_conditional(request)


def not_built() -> Response:
    """Return the response for pages while there is no build."""
    return Response("The web application has not been built. Run make frontend.\n", status=503, mimetype="text/plain")


def page_with(
    change: Callable[[str], str], *, path: str, language: str, is_filled: bool, status: int = 200
) -> BaseResponse:
    """Return the changed page of a path: the one filled with data if wanted and there is one, else an empty one."""
    policies = _policies()
    if policies is None:
        return not_built()
    name = f"{entry_pages.name_of(path)}.{language}"
    page = entry_pages.filled(DIST / "pages" / f"{name}.json", path) if is_filled else None
    # The landing page needs no data; other pages say nothing without.
    if page is None and not (is_filled and name.startswith("landing.") and name in policies):
        name = f"empty.{language}"
    if name not in policies:
        return not_built()
    html = (page or (DIST / "pages" / f"{name}.html").read_bytes()).decode()
    response = _compressed(change(html).encode())
    response.status_code = status
    return _finished(response, language, policies[name])


def _finished(response: Response, language: str, policy: str) -> BaseResponse:
    response.vary.update(entry_pages.VARIES)
    response.headers["Cache-Control"] = "no-cache"
    response.headers["Content-Language"] = language
    response.headers["Content-Security-Policy"] = policy
    response.add_etag()
    return response.make_conditional(request)


def _compressed(page: bytes) -> Response:
    response = Response(page, mimetype="text/html")
    if request.accept_encodings["gzip"] > 0:
        response.data = gzip.compress(page, GZIP_LEVEL, mtime=0)
        response.headers["Content-Encoding"] = "gzip"
    return response


def _built(name: str) -> Response:
    """Return an entry page as it was built, compressed if the client accepts it."""
    encoding, packed = _packed(f"pages/{name}.html")
    # Read into memory, so that no file stays open if the client stops reading.
    response = Response((DIST / packed).read_bytes(), mimetype="text/html")
    if encoding:
        response.headers["Content-Encoding"] = encoding
    return response


def _policies() -> Mapping[str, str] | None:
    """Return the content security policy of each built page; None if there is no build."""
    path = DIST / MANIFEST
    try:
        return _read_policies(path, path.stat().st_mtime_ns)
    except FileNotFoundError:
        return None


@lru_cache(maxsize=2)
def _read_policies(path: Path, _changed: int) -> Mapping[str, str]:
    """Return a policy for each page: scripts and styles of this origin, and the page's inline ones by their hashes."""
    built: dict[str, dict[str, list[str]]] = orjson.loads(path.read_bytes())
    return {
        name: POLICY.format(scripts=_sources(page["scripts"]), styles=_sources(page["styles"]))
        for name, page in built.items()
    }


def _sources(hashes: Sequence[str]) -> str:
    return " ".join(["'self'", *(f"'{one}'" for one in hashes)])


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
