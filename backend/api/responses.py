"""Answers on the wire: plain rows to bytes by orjson, entity tags, links."""

import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import orjson
from flask import Response, request

from backend.core.cache import digest
from backend.core.db.pagination import Page
from backend.core.errors import Stale

JSON = "application/json"
PRIVATE = "private, no-cache"
# What is about people: browsers would otherwise keep it on disk, where the next person at the device finds it.
NO_STORE = "private, no-store"
OUR_TAG = re.compile(r'"v([0-9]{1,18})-[0-9a-f]+"')


@dataclass(slots=True)
class ApiResponse:
    """What a handler answers when a body alone does not say it. ``version`` makes an ETag that If-Match can name."""

    body: Any = None
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    version: int | None = None
    cache_control: str = NO_STORE


def to_json(body: Any) -> bytes:
    """JSON bytes: money with two decimals as strings, times as ISO 8601 with an offset."""
    return orjson.dumps(body, default=_default, option=orjson.OPT_NON_STR_KEYS)


def _default(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{value:.2f}"
    raise TypeError(f"{type(value).__name__} is not JSON serializable")


def money(value: Decimal) -> str:
    """Money as the contract has it: "499.00"."""
    return f"{value:.2f}"


def render(reply: ApiResponse, *, status: int) -> Response:
    """The response, with an ETag for a successful read; 304 when the caller has it already."""
    response = Response(status=reply.status or status, headers=reply.headers)
    if reply.body is None:
        response.headers.pop("Content-Type", None)
    else:
        if isinstance(reply.body, Page):
            link_next(response, reply.body)
            data = to_json({"items": reply.body.items, "next_cursor": reply.body.next_cursor})
        else:
            data = to_json(reply.body)
        response.data = data
        response.mimetype = JSON
        tag_response(response, data, reply.version)
    response.headers.setdefault("Cache-Control", reply.cache_control)
    return response


def tag_response(response: Response, data: bytes, version: int | None) -> None:
    """ETag (RFC 9110): the version, which If-Match is held against, and a digest, which If-None-Match is."""
    if response.status_code >= 300:
        return
    tag = digest(data) if version is None else f"v{version}-{digest(data)}"
    response.set_etag(tag)
    if request.method in ("GET", "HEAD") and request.if_none_match.contains_weak(tag):
        response.status_code = 304
        response.data = b""


def next_link(page: Page[Any]) -> dict[str, str]:
    """The RFC 8288 Link header of the next page; nothing on the last."""
    if not page.next_cursor:
        return {}
    asked = quote(
        request.query_string, safe="=&%+:,"
    )  # as it was sent: parsing it and writing it anew costs ten times that
    kept = [part for part in asked.split("&") if part and not part.startswith("cursor=")]
    query = "&".join([*kept, f"cursor={page.next_cursor}"])
    return {"Link": f'<{request.path}?{query}>; rel="next"'}


def link_next(response: Response, page: Page[Any]) -> None:
    """Put the Link header of the next page on an answer."""
    response.headers.update(next_link(page))


def expected_version() -> int | None:
    """The version that an edit's If-Match names; None without the header; -1 (never current) for a tag not ours."""
    header = request.headers.get("If-Match")
    if header is None or header.strip() == "*":
        return None
    ours = OUR_TAG.search(header)  # by hand: Werkzeug's parser gives None for some malformed tags
    return int(ours[1]) if ours else -1


def whole(body: Any) -> ApiResponse:
    """What is replaced as a whole and counts no versions: its content is its version."""
    content = orjson.dumps(body, default=_default, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_SORT_KEYS)
    return ApiResponse(body, version=zlib.crc32(content))


def replacing(read: Callable[[], Any], *, hold: Callable[[], None]) -> None:
    """Hold the row that owns what is about to be replaced, then compare If-Match with what is there.

    ``hold`` locks that row until the transaction ends, so that a writer by any other way has to wait, too.

    Raises:
        Stale: Someone else changed it since it was read.
    """
    hold()
    expected = expected_version()
    if expected is not None and expected != whole(read()).version:
        raise Stale("This has changed since you loaded it. Load it again, then repeat your change.")
