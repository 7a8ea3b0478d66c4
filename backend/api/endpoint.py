"""The `@endpoint` declaration: access, rate limit, input, output and errors of a call, in one place."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import wraps
from typing import Final

import orjson
import psycopg
import structlog
from flask import Response, current_app, request
from flask_restful import Resource
from marshmallow import Schema
from sqlalchemy.exc import DBAPIError

from backend.api import auth, rate_limits, request_body
from backend.api.auth import Access
from backend.api.errors import loggable_path
from backend.api.responses import JSON, ApiResponse, render, to_json
from backend.core import idempotency
from backend.core.db import errors as db_errors
from backend.core.db import replica
from backend.core.db.pagination import Page
from backend.core.db.session import db, transaction
from backend.core.errors import DomainError, Invalid, Unauthenticated
from backend.core.failpoints import failpoint
from backend.core.security.authz import Actor
from backend.domain.accounts import sessions

__all__ = ["Endpoint", "Resource", "endpoint"]

log = structlog.get_logger(__name__)
MAX_KEY_LENGTH: Final = 255
CHUNK_BYTES: Final = 256 << 10
STORED_HEADERS: Final = ("Content-Type", "Location", "ETag", "Retry-After", "Cache-Control")
Handler = Callable[..., object]  # of the resource, the actor, path arguments and input
Prepare = Callable[[Actor, dict[str, object]], AbstractContextManager[Mapping[str, object]]]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The declaration of a call; :func:`endpoint` describes each field."""

    summary: str
    who: Access
    body: Schema | None = None
    body_required: bool = True
    form: Schema | None = None
    query: Schema | None = None
    response: Schema | None = None
    paged: bool = False
    status: int = 200
    also: tuple[int, ...] = ()  # further statuses whose body is the response's
    errors: tuple[type[DomainError], ...] = ()
    media_type: str | None = None
    headers: tuple[str, ...] = ()
    idempotent: bool = False
    prepare: Prepare | None = None
    rate_limit: str | None = None


ATTRIBUTE: Final = "__endpoint__"


def endpoint(
    *,
    summary: str,
    who: Access,
    body: Schema | None = None,
    body_required: bool = True,
    form: Schema | None = None,
    query: Schema | None = None,
    response: Schema | None = None,
    paged: bool = False,
    status: int = 200,
    also: tuple[int, ...] = (),
    errors: tuple[type[DomainError], ...] = (),
    media_type: str | None = None,
    headers: tuple[str, ...] = (),
    idempotent: bool = False,
    prepare: Prepare | None = None,
    rate_limit: str | None = None,
) -> Callable[[Handler], Callable[..., Response]]:
    """Declare a Resource's method as an API call.

    The method receives the actor (or None) and the path arguments, and ``body``, ``form`` and ``query`` if they are
    declared. It returns plain data, a Page, an ApiResponse or a Response. Everything from the access check to the
    rendered response happens in one transaction, committed here.

    Args:
        summary: The call in the OpenAPI document, in the imperative.
        who: Who may make the call.
        body: Schema of the JSON body; ``body_required=False`` accepts a call without one.
        form: Schema of a form or multipart body; beside ``body`` the content type decides.
        query: Schema of the query string. Without one, every parameter is rejected.
        response: Schema of the response, or of each item when ``paged``. Tests validate every response against it.
        paged: The response is a page of items with ``next_cursor``.
        status: Status of success; ``also`` lists further ones with the same body.
        errors: Errors beyond those that access, body and rate limit imply.
        media_type: Content type of a response that is not JSON.
        headers: Response headers to document.
        idempotent: An Idempotency-Key makes repeating the call safe.
        prepare: Slow work that must be done before the transaction begins: a context manager that gets the actor and
            the arguments, and yields further ones. It is skipped when a stored response is returned.
        rate_limit: Name of the setting that limits the call.
    """
    spec = Endpoint(
        summary=summary, who=who, body=body, body_required=body_required, form=form, query=query, response=response,
        paged=paged, status=status, also=also, errors=errors, media_type=media_type, headers=headers,
        idempotent=idempotent, prepare=prepare, rate_limit=rate_limit,
    )  # fmt: skip

    def decorate(handler: Handler) -> Callable[..., Response]:
        @wraps(handler)
        def call(self: Resource, **path: object) -> Response:
            rate_limits.check(spec.rate_limit, None, by_account=False)
            response = _retry_on_conflict(lambda: in_one_transaction(self, path))
            _failpoint_of_change("call.after_commit")
            return response

        @transaction()
        def in_one_transaction(resource: Resource, path: dict[str, object]) -> Response:
            actor = _admit(spec.who)
            replica.begin_call(actor, only_reads=request.method in ("GET", "HEAD"))
            rate_limits.check(spec.rate_limit, actor, by_account=True)
            arguments = {**path, **_read_arguments(spec)}

            def respond() -> Response:
                return _to_response(spec, handler(resource, actor, **arguments))

            if spec.prepare is None or actor is None:
                response = _once(actor, respond) if spec.idempotent and actor else respond()
            else:
                response = _prepared(spec.prepare, actor, arguments, respond)
            if actor and actor.visit_is_due:
                sessions.note_visit(actor)
            _failpoint_of_change("call.before_commit")
            return response

        setattr(call, ATTRIBUTE, spec)
        return call

    return decorate


def _failpoint_of_change(name: str) -> None:
    """Reads change nothing, so that a crash in one would show nothing."""
    if request.method not in ("GET", "HEAD"):
        failpoint(name)


def _retry_on_conflict(work: Callable[[], Response]) -> Response:
    """Run the work, and retry it once in a new session after a deadlock or serialization failure.

    One call is one transaction, so the first attempt was rolled back. Multipart bodies cannot be read twice.
    """
    try:
        return work()
    except (DBAPIError, psycopg.Error) as error:
        if not db_errors.is_conflict(error) or request.mimetype == "multipart/form-data":
            raise
        log.info("database.conflict_retried", sqlstate=db_errors.sqlstate(error), path=loggable_path())
    db.session.remove()
    return work()


def _admit(who: Access) -> Actor | None:
    """Return the actor if the access rule permits the call. Nothing else of the request is read before."""
    try:
        actor = auth.actor() if who.reads_token else None
    except Unauthenticated:
        if not who.forgives_bad_token:
            raise
        actor = None
    who.check(actor)
    return actor


def _read_arguments(spec: Endpoint) -> dict[str, object]:
    arguments: dict[str, object] = {}
    if spec.query is not None:
        arguments["query"] = request_body.read_query(spec.query)
    elif request.args:
        request_body.read_query(Schema())
    is_form = spec.form is not None and (spec.body is None or request.mimetype == "multipart/form-data")
    if is_form and spec.form is not None:
        key = "form" if spec.body is None else "body"
        arguments[key] = request_body.read_form(spec.form)
    elif spec.body is not None:
        arguments["body"] = request_body.read_json(spec.body, required=spec.body_required)
    elif spec.form is None and request.method not in ("GET", "HEAD"):
        request_body.refuse_json()
    return arguments


def _prepared(prepare: Prepare, actor: Actor, arguments: dict[str, object], work: Callable[[], Response]) -> Response:
    """Do an idempotent call whose work starts before its transaction, unless its response is stored."""
    key, fingerprint = _idempotency_key(), None
    if key is not None and request.mimetype == "multipart/form-data":
        fingerprint = _fingerprint()  # before the work has read the files
        stored = idempotency.stored(actor.account_id, key, fingerprint)
        if stored is not None:
            return _replayed(stored)
    with prepare(actor, arguments) as further:
        arguments |= further
        return _once(actor, work, fingerprint=fingerprint)


def _idempotency_key() -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key is not None and not (1 <= len(key) <= MAX_KEY_LENGTH and key.isprintable()):
        raise Invalid.field("Idempotency-Key", f"Must be 1 to {MAX_KEY_LENGTH} printable characters.")
    return key


def _fingerprint() -> str:
    """Return a digest of the call. The boundary of a multipart body differs each time, so its parts are taken."""
    digest = hashlib.sha256(f"{request.method} {request.path}\n".encode())
    if request.mimetype != "multipart/form-data":
        digest.update(request.get_data(cache=True))
        return digest.hexdigest()
    parts = [(name, value.encode("utf-8", "replace")) for name, value in request.form.items(multi=True)]
    for name, file in request.files.items(multi=True):
        content = hashlib.sha256()
        while chunk := file.stream.read(CHUNK_BYTES):
            content.update(chunk)
        file.stream.seek(0)
        parts.append((name, content.digest()))
    for name, value in sorted(parts):
        digest.update(f"{name} {len(value)}\n".encode("utf-8", "replace") + value)
    return digest.hexdigest()


def _replayed(stored: idempotency.StoredResponse) -> Response:
    return Response(stored.body, status=stored.status, headers={**stored.headers, "Idempotent-Replayed": "true"})


def _once(actor: Actor, work: Callable[[], Response], *, fingerprint: str | None = None) -> Response:
    """Do the work, or return the stored response of the first request with this Idempotency-Key."""
    key = _idempotency_key()
    if key is None:
        return work()
    stored = idempotency.begin(actor.account_id, key, fingerprint or _fingerprint())
    if stored is not None:
        return _replayed(stored)
    response = work()
    if response.status_code >= 400:
        # A refusal that was raised has rolled the claim back; this one is committed.
        idempotency.release(actor.account_id, key)
        return response
    headers = {name: response.headers[name] for name in STORED_HEADERS if name in response.headers}
    to_store = idempotency.StoredResponse(status=response.status_code, headers=headers, body=response.get_data())
    idempotency.keep(actor.account_id, key, to_store)
    return response


def _to_response(spec: Endpoint, result: object) -> Response:
    if isinstance(result, Response):
        if current_app.testing and spec.response is not None and result.mimetype == JSON and result.data:
            document = orjson.loads(result.data)
            _check_against_schema(spec, document["items"] if spec.paged else [document])
        return result
    response = result if isinstance(result, ApiResponse) else ApiResponse(result)
    if current_app.testing and spec.response is not None and response.body is not None:
        _check_against_schema(spec, response.body.items if isinstance(response.body, Page) else [response.body])
    return render(response, status=spec.status)


def _check_against_schema(spec: Endpoint, rows: Sequence[object]) -> None:
    """Check a response against its declared schema, in tests only: marshmallow does not serialize responses."""
    for row in rows:
        if problems := differences(spec.response, row):
            raise AssertionError(f"{request.method} {request.path} does not match its declared schema: {problems}")


def differences(schema: Schema | None, row: object) -> list[str]:
    """Return how a response body differs from its schema: undeclared, missing and invalid fields."""
    if schema is None:
        return []
    body = orjson.loads(to_json(row))
    if not isinstance(body, dict):
        return [f"an object is declared, {type(body).__name__} was returned"]
    declared = {field.data_key or name: field for name, field in schema.fields.items() if not field.load_only}
    problems = [f"{name} is not declared" for name in body if name not in declared]
    problems += [f"{name} is missing" for name, field in declared.items() if name not in body and field.required]
    problems += [f"{name}: {message}" for name, message in schema.validate(body).items()] if not problems else []
    return problems
