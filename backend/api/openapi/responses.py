"""What answers look like in the OpenAPI document: the declared one, and the errors that follow from a declaration."""

from collections import defaultdict
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any, Final

from backend.api.endpoint import Endpoint
from backend.core import errors

Json = dict[str, Any]
TEXT: Final[Json] = {"type": "string"}
SCHEMAS: Final[dict[str, Json]] = {
    "Problem": {
        "type": "object",
        "description": "RFC 9457. `code` is a stable word for programs, `detail` a sentence for people.",
        "properties": {
            "type": {"type": "string", "format": "uri-reference", "description": "Where the code is explained."},
            "title": TEXT,
            "status": {"type": "integer"},
            "detail": TEXT,
            "code": {"type": "string", "pattern": "^[a-z][a-z0-9_]*$"},
            "errors": {
                "type": "object",
                "description": "Each wrong field with its messages.",
                "additionalProperties": {"type": "array", "items": TEXT},
            },
        },
        "required": ["type", "title", "status", "detail", "code"],
    },
}
HEADERS: Final[dict[str, Json]] = {
    "ETag": {"description": "Send it back as If-None-Match (reads) or If-Match (edits).", "schema": TEXT},
    "Link": {"description": 'RFC 8288: `<...>; rel="next"` while there is a next page.', "schema": TEXT},
    "Location": {"description": "Where the result stands.", "schema": {"type": "string", "format": "uri-reference"}},
    "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 0}},
    "WWW-Authenticate": {"description": "How to sign in.", "schema": TEXT},
    "RateLimit-Policy": {"description": 'The limit, e.g. `"signup";q=2000;w=3600`.', "schema": TEXT},
    "RateLimit": {"description": 'What is left of it, e.g. `"signup";r=1999;t=3599`.', "schema": TEXT},
    "Idempotent-Replayed": {"description": "`true` on an answer that was given before.", "schema": TEXT},
    "Content-Disposition": {"description": "The file's name (RFC 6266).", "schema": TEXT},
}
ABOUT: Final = {
    304: "The caller has it already",
    400: "Not JSON, or not HTTP",
    401: "The token is missing, malformed, expired, revoked or of the wrong kind",
    403: "Not allowed",
    404: "Not there, or not the caller's to see",
    409: "In conflict with the present state",
    410: "No longer available",
    412: "Changed since it was read",
    413: "Too large",
    415: "Not a type that this call takes",
    422: "Some fields are not right",
    429: "Too often",
    503: "A part of Doorstep is away",
}
BAD_TOKENS: Final = ("unauthenticated", "invalid_token", "session_ended")
KEY_ABOUT: Final = "The same key and body within 24 hours gives the same answer and makes nothing twice."


def responses(method: str, path: str, spec: Endpoint, content: Json) -> Json:
    """All answers of one call by status."""
    answers: Json = {str(spec.status): _success(spec, content)}
    if _is_conditional(method, spec):
        answers["304"] = {"description": ABOUT[304], "headers": _headers(["ETag"])}
    for status in spec.also:
        answers[str(status)] = {
            "description": ABOUT[status],
            "headers": _headers(["Retry-After"]),
            "content": content,
        }
    for status, codes in sorted(_errors(method, path, spec).items()):
        answers[str(status)] = _problem(status, codes)
    return answers


def request_headers(method: str, spec: Endpoint) -> list[tuple[str, str, Json]]:
    """Headers that the call heeds: name, what for, and limits of its value."""
    wanted: list[tuple[str, str, Json]] = []
    if spec.idempotent:
        wanted.append(("Idempotency-Key", KEY_ABOUT, {"minLength": 1, "maxLength": 255}))
    if _is_edit(method, spec):
        wanted.append(("If-Match", "The ETag that was read; 412 when it is stale.", {}))
    if _is_conditional(method, spec):
        wanted.append(("If-None-Match", "The ETag that the caller has; 304 while it is current.", {}))
    return wanted


def page(row: Json) -> Json:
    """The wrapper of a list."""
    return {
        "type": "object",
        "properties": {
            "items": {"type": "array", "items": row},
            "next_cursor": {"type": ["string", "null"], "description": "null on the last page"},
        },
        "required": ["items", "next_cursor"],
    }


def body_of(media_type: str) -> Json:
    """What stands in an answer that is not JSON of ours."""
    if media_type.startswith("text/"):
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
    answer: Json = {"description": HTTPStatus(spec.status).phrase}
    if headers := _headers(dict.fromkeys(names)):
        answer["headers"] = headers
    if content:
        answer["content"] = content
    return answer


def _headers(names: Iterable[str]) -> Json:
    return {name: {"$ref": f"#/components/headers/{name}"} if name in HEADERS else {"schema": TEXT} for name in names}


def _is_conditional(method: str, spec: Endpoint) -> bool:
    return method == "GET" and spec.response is not None and spec.status == 200


def _is_edit(method: str, spec: Endpoint) -> bool:
    return method == "PATCH" or any(issubclass(error, errors.Stale) for error in spec.errors)


def _errors(method: str, path: str, spec: Endpoint) -> dict[int, set[str]]:
    """The declared errors, and those that follow from who may call and what is read."""
    found: dict[int, set[str]] = defaultdict(set, {422: {"invalid_fields"}})
    for error in spec.errors:
        found[error.status].add(error.code)
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
            found[status].update(codes)
    return found


def _problem(status: int, codes: set[str]) -> Json:
    names = {401: ["WWW-Authenticate"], 429: ["Retry-After"], 503: ["Retry-After"]}.get(status, [])
    words = ", ".join(f"`{code}`" for code in sorted(codes))
    answer: Json = {"description": f"{ABOUT.get(status, HTTPStatus(status).phrase)}: {words}"}
    answer["x-codes"] = sorted(codes)
    if names:
        answer["headers"] = _headers(names)
    answer["content"] = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return answer
