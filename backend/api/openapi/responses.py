"""Responses in the OpenAPI document: the declared one, and the errors that a declaration implies."""

from collections import defaultdict
from collections.abc import Iterable
from http import HTTPStatus
from typing import Final

from backend.api.endpoint import Endpoint
from backend.core import errors

Json = dict[str, object]  # an object of the document
TEXT: Final[Json] = {"type": "string"}
SCHEMAS: Final[dict[str, Json]] = {
    "Problem": {
        "type": "object",
        "description": "RFC 9457 problem details. `code` is stable and meant for programs, `detail` for people.",
        "properties": {
            "type": {
                "type": "string",
                "format": "uri-reference",
                "description": "Link to the documentation of the code.",
            },
            "title": TEXT,
            "status": {"type": "integer"},
            "detail": TEXT,
            "code": {"type": "string", "pattern": "^[a-z][a-z0-9_]*$"},
            "errors": {
                "type": "object",
                "description": "Messages for each invalid field.",
                "additionalProperties": {"type": "array", "items": TEXT},
            },
            "error_codes": {
                "type": "object",
                "description": "The code of each message in `errors`, in the same order, and what is filled into it.",
                "additionalProperties": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {
                            "code": {"type": "string", "pattern": "^[a-z][a-z0-9_]*$"},
                            "params": {"type": "object", "additionalProperties": {"type": ["string", "integer"]}},
                        },
                        "required": ["code", "params"],
                    },
                },
            },
        },
        "required": ["type", "title", "status", "detail", "code"],
    },
}
HEADERS: Final[dict[str, Json]] = {
    "ETag": {"description": "Send it as If-None-Match when reading or If-Match when updating.", "schema": TEXT},
    "Link": {"description": 'RFC 8288: `<...>; rel="next"` if there is a next page.', "schema": TEXT},
    "Location": {"description": "URL of the result.", "schema": {"type": "string", "format": "uri-reference"}},
    "Retry-After": {
        "description": "Seconds to wait before the next attempt.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "WWW-Authenticate": {"description": "The authentication scheme.", "schema": TEXT},
    "RateLimit-Policy": {"description": 'The limit, e.g. `"signup";q=2000;w=3600`.', "schema": TEXT},
    "RateLimit": {"description": 'The remaining quota, e.g. `"signup";r=1999;t=3599`.', "schema": TEXT},
    "Idempotent-Replayed": {"description": "`true` if the response is a replay.", "schema": TEXT},
    "Content-Disposition": {"description": "The file name (RFC 6266).", "schema": TEXT},
}
ABOUT: Final = {
    304: "Not modified",
    400: "Malformed request",
    401: "The token is missing, malformed, expired, revoked or of the wrong type",
    403: "Not permitted",
    404: "Not found, or not visible to the caller",
    409: "Conflict with the current state",
    410: "No longer available",
    412: "Changed since it was loaded",
    413: "Content too large",
    415: "Unsupported media type",
    422: "Validation failed",
    429: "Rate limit exceeded",
    503: "Temporarily unavailable",
}
BAD_TOKENS: Final = ("unauthenticated", "invalid_token", "session_ended")
KEY_ABOUT: Final = (
    "Repeating a request with the same key and body within 24 hours returns the first response without "
    "running it again."
)


def responses(method: str, path: str, spec: Endpoint, content: Json) -> Json:
    """Return all responses of one call by status."""
    by_status: Json = {str(spec.status): _success(spec, content)}
    if _is_conditional(method, spec):
        by_status["304"] = {"description": ABOUT[304], "headers": _headers(["ETag"])}
    for status in spec.also:
        by_status[str(status)] = {
            "description": ABOUT[status],
            "headers": _headers(["Retry-After"]),
            "content": content,
        }
    for status, codes in sorted(_errors(method, path, spec).items()):
        by_status[str(status)] = _problem(status, codes)
    return by_status


def request_headers(method: str, spec: Endpoint) -> list[tuple[str, str, Json]]:
    """Return the request headers that a call uses: name, description, and constraints of the value."""
    headers: list[tuple[str, str, Json]] = []
    if spec.idempotent:
        headers.append(("Idempotency-Key", KEY_ABOUT, {"minLength": 1, "maxLength": 255}))
    if _is_edit(method, spec):
        headers.append(("If-Match", "The ETag of the version being changed; 412 if it is out of date.", {}))
    if _is_conditional(method, spec):
        headers.append(("If-None-Match", "The ETag of the cached version; 304 if it is still current.", {}))
    if spec.media_type == "text/event-stream":
        headers.append(("Last-Event-ID", "The id of the last event that was received.", {}))
    return headers


def page(row: Json) -> Json:
    """Return the schema of a page of items."""
    return {
        "type": "object",
        "properties": {
            "items": {"type": "array", "items": row},
            "next_cursor": {"type": ["string", "null"], "description": "null on the last page"},
        },
        "required": ["items", "next_cursor"],
    }


def body_of(media_type: str) -> Json:
    """Return the schema of a response that is not described by a marshmallow schema."""
    # A CSV file is saved, not read: clients handle it as a file like any other.
    if media_type.startswith("text/") and media_type != "text/csv":
        return {"type": "string"}
    if media_type.endswith("json"):
        return {"type": "object"}
    return {"type": "string", "format": "binary"}


def _success(spec: Endpoint, content: Json) -> Json:
    names = list(spec.headers)
    if spec.response is not None and spec.status < 300:
        names.append("ETag")
    if spec.paged:
        names.append("Link")
    if spec.status == 202 and spec.idempotent:
        names += ["Location", "Retry-After"]
    if spec.idempotent:
        names.append("Idempotent-Replayed")
    if spec.rate_limit:
        names += ["RateLimit-Policy", "RateLimit"]
    response: Json = {"description": HTTPStatus(spec.status).phrase}
    if headers := _headers(dict.fromkeys(names)):
        response["headers"] = headers
    if content:
        response["content"] = content
    return response


def _headers(names: Iterable[str]) -> Json:
    return {name: {"$ref": f"#/components/headers/{name}"} if name in HEADERS else {"schema": TEXT} for name in names}


def _is_conditional(method: str, spec: Endpoint) -> bool:
    return method == "GET" and spec.response is not None and spec.status == 200


def _is_edit(method: str, spec: Endpoint) -> bool:
    return method == "PATCH" or any(issubclass(error, errors.Stale) for error in spec.errors)


def _errors(method: str, path: str, spec: Endpoint) -> dict[int, set[str]]:
    """Return the codes of the declared errors, and of those that the declaration implies, by status."""
    by_status: dict[int, set[str]] = defaultdict(set, {422: {"invalid_fields"}})
    for error in spec.errors:
        by_status[error.status].add(error.code)
    implied = (
        (403, spec.who.reads_token, ["account_blocked"]),
        (503, spec.who.reads_token, ["unavailable", "busy", "timeout"]),
        (503, spec.who.reads_token and method != "GET", ["outcome_unknown"]),
        (401, spec.who.reads_token and not spec.who.forgives_bad_token, [*BAD_TOKENS]),
        (403, spec.who.needs_token, ["role_not_allowed"]),
        (403, spec.who.needs_token and spec.who.needs_active, ["not_active"]),
        (403, spec.who.needs_token and spec.who.needs_own_password, ["password_change_needed"]),
        (404, "{" in path, ["not_found"]),
        (400, spec.body is not None, ["not_json", "malformed"]),
        (400, spec.form is not None, ["malformed"]),
        (413, spec.body is not None or spec.form is not None, ["too_large"]),
        (415, spec.body is not None or spec.form is not None, ["unsupported_type"]),
        (409, spec.idempotent, ["still_running"]),
        (422, spec.idempotent, ["idempotency_key_reused"]),
        (412, _is_edit(method, spec), ["stale"]),
        (429, spec.rate_limit is not None, ["too_many_requests"]),
    )
    for status, applies, codes in implied:
        if applies:
            by_status[status].update(codes)
    return by_status


def _problem(status: int, codes: set[str]) -> Json:
    names = {401: ["WWW-Authenticate"], 429: ["Retry-After"], 503: ["Retry-After"]}.get(status, [])
    listed = ", ".join(f"`{code}`" for code in sorted(codes))
    response: Json = {"description": f"{ABOUT.get(status, HTTPStatus(status).phrase)}: {listed}"}
    response["x-codes"] = sorted(codes)
    if names:
        response["headers"] = _headers(names)
    response["content"] = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return response
