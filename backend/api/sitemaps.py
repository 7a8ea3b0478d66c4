"""robots.txt and the sitemaps: the landing page, tasks, tasks in places that someone serves, and professionals."""

from collections.abc import Iterable
from typing import Final
from xml.sax.saxutils import escape

from flask import Flask, Response, abort, request

from backend.api import rate_limits
from backend.core import cache
from backend.core.cache import CATALOGUE, Rendered
from backend.core.config import current_settings
from backend.domain.profiles import queries as profiles
from backend.domain.search import places_served

MOST_URLS: Final = 50_000  # of the protocol (sitemaps.org), for one file and for the index
NAMESPACE: Final = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
PRIVATE_PAGES: Final = ("/app/admin", "/app/requests", "/app/profile", "/app/password", "/app/email")


def init_app(app: Flask) -> None:
    app.add_url_rule("/robots.txt", "robots", _robots)
    app.add_url_rule("/sitemap.xml", "sitemap", _index)
    app.add_url_rule("/sitemaps/pages.xml", "sitemap_of_pages", _pages)
    app.add_url_rule("/sitemaps/tasks-<id:task_id>.xml", "sitemap_of_task", _task)
    app.add_url_rule("/sitemaps/professionals-<int:part>.xml", "sitemap_of_professionals", _professionals)


def _robots() -> Response:
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in PRIVATE_PAGES), ""]
    text = "\n".join([*lines, f"Sitemap: {current_settings().public_url}/sitemap.xml", ""])
    response = Response(text, mimetype="text/plain")
    response.headers["Cache-Control"] = "public, max-age=3600"
    return response


def _index() -> Response:
    """One file for the landing page, one for each task with its places, one for each range of professionals' ids."""

    def render() -> Rendered:
        rate_limits.check("profile_rate_limit", None, by_account=False)
        parts = range(-(-profiles.last_id() // MOST_URLS))
        names = ["pages", *(f"professionals-{part}" for part in parts if _active(part))]
        names += [f"tasks-{task_id}" for task_id in places_served.offered_tasks()]
        entries = (f"<sitemap><loc>{_absolute(f'/sitemaps/{name}.xml')}</loc></sitemap>" for name in names[:MOST_URLS])
        return Rendered(_document("sitemapindex", entries))

    return _respond(cache.response_cache().get("sitemap", "index", render, versioned=CATALOGUE).body)


def _pages() -> Response:
    return _respond(_document("urlset", [_url("/app/")]))


def _task(task_id: int) -> Response:
    """The page of a task and those of its places. Not cached: a file has up to 20,000 addresses."""
    rate_limits.check("profile_rate_limit", None, by_account=False)
    pincodes = places_served.pincodes(task_id) if task_id in places_served.offered_tasks() else []
    if not pincodes:
        abort(404)
    page = f"/app/tasks/{task_id}"
    paths = [page, *(f"{page}?pincode={pincode}" for pincode in pincodes)]
    return _respond(_document("urlset", map(_url, paths[:MOST_URLS])))


def _professionals(part: int) -> Response:
    rate_limits.check("profile_rate_limit", None, by_account=False)
    found = _active(part)
    if not found:
        abort(404)
    return _respond(_document("urlset", (_url(f"/app/professionals/{one}") for one in found)))


def _active(part: int) -> list[int]:
    if part > profiles.last_id() // MOST_URLS:
        return []
    return profiles.active_ids(after=part * MOST_URLS, upto=(part + 1) * MOST_URLS)


def _url(path: str) -> str:
    return f"<url><loc>{_absolute(path)}</loc></url>"


def _absolute(path: str) -> str:
    return escape(current_settings().public_url + path)


def _document(root: str, entries: Iterable[str]) -> bytes:
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f"<{root} {NAMESPACE}>", *entries, f"</{root}>", ""]
    return "\n".join(lines).encode()


def _respond(body: bytes) -> Response:
    response = Response(body, mimetype="application/xml")
    response.headers["Cache-Control"] = "public, max-age=3600"
    response.add_etag()
    response.make_conditional(request)
    return response
