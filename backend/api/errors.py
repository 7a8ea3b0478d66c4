"""Render all errors, the framework's and the database's included, as RFC 9457 problems."""

from collections.abc import Callable
from typing import Final

import psycopg
import structlog
from flask import Flask, Response, request
from flask_restful import Api
from sqlalchemy.exc import DataError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from werkzeug.exceptions import HTTPException, MethodNotAllowed, RequestedRangeNotSatisfiable

from backend.api import error_texts, language, rate_limits
from backend.api.responses import JsonObject, to_json
from backend.core.db import errors as db_errors
from backend.core.errors import Busy, DomainError, PeerLost
from backend.core.observability import security_log
from backend.core.observability.security_log import Event
from backend.core.sentences import translated
from backend.core.text_tables import DEFAULT
from backend.domain.accounts.sign_in import FRESH_LIFETIME, FreshSignInNeeded

log = structlog.get_logger(__name__)
PROBLEM_JSON = "application/problem+json"
CHALLENGE: Final = 'Bearer realm="doorstep"'
CHALLENGES: Final = {  # RFC 9470: the token is valid, but a more recent sign-in is required
    FreshSignInNeeded.code: f'{CHALLENGE}, error="insufficient_user_authentication", max_age={FRESH_LIFETIME.seconds}'
}
CALLER: Final = "doorstep.caller"  # WSGI environment key of the account and session of the token
SECURITY_EVENTS: Final = {
    "invalid_credentials": Event.SIGN_IN_FAILED,
    "wrong_password": Event.PASSWORD_WRONG,
    "too_many_tries": Event.THROTTLED,
    "too_many_requests": Event.THROTTLED,
    "invalid_token": Event.TOKEN_REFUSED,
    "role_not_allowed": Event.ROLE_REFUSED,
    "account_blocked": Event.BLOCKED_REFUSED,
    "document_refused": Event.DOCUMENT_REFUSED,
}
HTTP_CODES = {
    400: "malformed",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    408: "request_timeout",
    413: "too_large",
    414: "uri_too_long",
    415: "unsupported_type",
    416: "range_not_satisfiable",
    421: "misdirected",
    429: "too_many_requests",
    431: "headers_too_large",
}


class ProblemApi(Api):
    """Flask-RESTful without its own error handling, which would return 500 for JWT and domain errors in production."""

    def error_router(self, original_handler: Callable[[Exception], Response], error: Exception) -> Response:
        return original_handler(error)


def init_app(app: Flask) -> None:
    app.register_error_handler(DomainError, domain_problem)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(DBAPIError, _database_error)
    app.register_error_handler(psycopg.Error, _driver_error)
    app.register_error_handler(PoolTimeoutError, _pool_exhausted)
    app.register_error_handler(Exception, _unexpected)


def problem(
    status: int,
    code: str,
    title: str,
    detail: str,
    *,
    errors: dict[str, list[str]] | None = None,
    retry_after: int | None = None,
    more: JsonObject | None = None,
) -> Response:
    """Return an ``application/problem+json`` response; ``more`` holds extension members (RFC 9457, 3.2).

    Its texts are in the language of Accept-Language. Only problems vary by it: other public responses do not, and are
    cached once for all languages.
    """
    reader = language.asked() or DEFAULT
    body: JsonObject = {
        "type": f"/docs#{code}",
        "title": translated(title, reader),
        "status": status,
        "detail": error_texts.detail(detail, errors, reader),
        "code": code,
    }
    body.update(more or {})
    if errors:
        body["errors"] = {field: [translated(text, reader) for text in texts] for field, texts in errors.items()}
        body["error_codes"] = error_texts.field_codes(errors)
    response = Response(to_json(body), status=status, mimetype=PROBLEM_JSON)
    response.headers["Content-Language"] = reader
    response.vary.add("Accept-Language")
    response.headers["Cache-Control"] = "no-store"
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    if status == 401:
        response.headers["WWW-Authenticate"] = CHALLENGES.get(code, CHALLENGE)
    return response


def domain_problem(error: DomainError) -> Response:
    """Return the problem for a domain error, and log it if it is a security event."""
    _note_security_event(error)
    if isinstance(error, PeerLost):
        rate_limits.give_back()
    retry_after = error.retry_after
    if retry_after is None and error.status in (429, 503):
        retry_after = 5
    return problem(error.status, error.code, error.title, error.detail, errors=error.errors, retry_after=retry_after)


def _note_security_event(error: DomainError) -> None:
    event = getattr(error, "security_event", None) or SECURITY_EVENTS.get(error.code)
    if event is None:
        return
    caller = request.environ.get(CALLER, {})
    route = request.url_rule.rule if request.url_rule else "-"
    security_log.note(
        event,
        account_id=caller.get("account_id"),
        session_id=caller.get("session_id"),
        address=request.remote_addr,
        route=route,
        code=error.code,
    )


def _http_error(error: HTTPException) -> Response:
    if error.code is not None and error.code < 400:
        return Response(error.get_response().get_data(), status=error.code, headers=dict(error.get_headers()))
    status = error.code or 500
    if status >= 500:
        return _unexpected(error)
    code = HTTP_CODES.get(status, error.name.lower().replace(" ", "_"))
    response = problem(status, code, error.name, error.description or error.name)
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        response.headers["Allow"] = ", ".join(sorted(error.valid_methods))
    if isinstance(error, RequestedRangeNotSatisfiable) and error.length is not None:
        response.headers["Content-Range"] = f"{error.units} */{error.length}"  # RFC 9110, 15.5.17
    return response


def _database_error(error: DBAPIError) -> Response:
    """Return 422 for a value that PostgreSQL cannot store, 503 if the database is down or overloaded."""
    if isinstance(error, DataError):
        return _value_rejected(error.orig)
    if isinstance(error, (OperationalError, InterfaceError)) or error.connection_invalidated:
        return domain_problem(db_errors.unavailable(error))
    return _unexpected(error)


def _driver_error(error: psycopg.Error) -> Response:
    """Return the same for a statement that went to the driver past SQLAlchemy (``session.execute_together``)."""
    if isinstance(error, psycopg.DataError):
        return _value_rejected(error)
    if isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError)):
        return domain_problem(db_errors.unavailable(error))
    return _unexpected(error)


def _value_rejected(error: BaseException | None) -> Response:
    log.info("database.value_rejected", error=repr(error))
    return problem(422, "invalid_fields", "Validation failed", "A value is out of range.")


def _pool_exhausted(error: PoolTimeoutError) -> Response:
    log.warning("database.pool_exhausted", error=repr(error))
    return domain_problem(
        Busy(
            "The server is handling too many requests. No changes were saved. Try again in a few seconds.",
            retry_after=3,
        )
    )


def loggable_path() -> str:
    """Return the path of the request without a token in it, which would let readers of the log use it."""
    token = (request.view_args or {}).get("token")
    return request.path.replace(str(token), "[token]") if token else request.path


def _unexpected(error: Exception) -> Response:
    log.error("request.failed", method=request.method, path=loggable_path(), exc_info=error)
    return problem(500, "internal_error", "Internal server error", "An unexpected error occurred. It has been logged.")
