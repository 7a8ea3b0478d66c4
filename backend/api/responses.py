"""Responses: JSON by orjson, entity tags, conditional requests, links."""

import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from urllib.parse import quote

import orjson
from flask import Response, request

from backend.core.cache import entity_tag
from backend.core.db.pagination import Page
from backend.core.errors import Stale

JsonObject = dict[str, object]
JSON = "application/json"
PRIVATE = "private, no-cache"
# For personal data: a cached copy on disk could be read by the next user of the device.
NO_STORE = "private, no-store"
VERSIONED_TAG = re.compile(r'"v([0-9]{1,18})-[0-9a-f]+"')


@dataclass(slots=True)
class ApiResponse:
    """A handler's response when the body alone is not enough. ``version`` becomes an ETag for If-Match."""

    body: object = None
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    version: int | None = None
    cache_control: str = NO_STORE


def to_json(body: object) -> bytes:
    """Return JSON: amounts as strings with two decimals, times as ISO 8601 with an offset."""
    return orjson.dumps(body, default=_default, option=orjson.OPT_NON_STR_KEYS)


@lru_cache(maxsize=4096)  # a page has a hundred amounts, most of them the prices of the catalogue
def _default(value: object) -> str:
    if isinstance(value, Decimal):
        return f"{value:.2f}"
    raise TypeError(f"{type(value).__name__} is not JSON serializable")


def money(value: Decimal) -> str:
    """Return an amount as a string with two decimals, such as "499.00"."""
    return f"{value:.2f}"


def render(result: ApiResponse, *, status: int) -> Response:
    """Return the Flask response, with an ETag if it is successful; 304 if the client already has it."""
    response = Response(status=result.status or status, headers=result.headers)
    if result.body is None:
        response.headers.pop("Content-Type", None)
    else:
        if isinstance(result.body, Page):
            response.headers.update(next_link(result.body.next_cursor))
            data = to_json({"items": result.body.items, "next_cursor": result.body.next_cursor})
        else:
            data = to_json(result.body)
        response.data = data
        response.mimetype = JSON
        tag_response(response, entity_tag(data, result.version))
    response.headers.setdefault("Cache-Control", result.cache_control)
    return response


def tag_response(response: Response, tag: str) -> None:
    """Set the ETag of a successful response; 304 if the client already has it."""
    if response.status_code >= 300:
        return
    response.set_etag(tag)
    if request.method in ("GET", "HEAD") and request.if_none_match.contains_weak(tag):
        response.status_code = 304
        response.data = b""


def next_link(next_cursor: str | None) -> dict[str, str]:
    """Return the Link header of the next page (RFC 8288), or nothing on the last page."""
    if not next_cursor:
        return {}
    # Edited as text: parsing and encoding the parameters takes ten times as long.
    sent = quote(request.query_string, safe="=&%+:,")
    parts = [part for part in sent.split("&") if part and not part.startswith("cursor=")]
    query = "&".join([*parts, f"cursor={next_cursor}"])
    return {"Link": f'<{request.path}?{query}>; rel="next"'}


def expected_version() -> int | None:
    """Return the version in If-Match: None without the header, -1 (never current) for an ETag of another form."""
    header = request.headers.get("If-Match")
    if header is None or header.strip() == "*":
        return None
    match = VERSIONED_TAG.search(header)  # Werkzeug's parser returns nothing for some malformed tags
    return int(match[1]) if match else -1


def versioned_by_content(body: object) -> ApiResponse:
    """Return a response whose version is a checksum of its body, for resources without a version column."""
    content = orjson.dumps(body, default=_default, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_SORT_KEYS)
    return ApiResponse(body, version=zlib.crc32(content))


def lock_and_check(read: Callable[[], object], *, lock: Callable[[], object]) -> None:
    """Lock a resource that is about to be replaced, then compare If-Match with its current content.

    ``lock`` locks the owning row until the transaction ends, so that all other writers wait.

    Raises:
        Stale: The resource has changed since the client loaded it.
    """
    lock()
    expected = expected_version()
    if expected is not None and expected != versioned_by_content(read()).version:
        raise Stale("This has changed since you loaded it. Load it again, then repeat your change.")
