"""Idempotency-Key: a repeated request returns the first response and changes nothing."""

import hashlib
from collections.abc import Callable

from flask import Response, request

from backend.core import idempotency
from backend.core.errors import Invalid
from backend.core.security.authz import Actor

MAX_KEY_LENGTH = 255
KEPT_HEADERS = ("Content-Type", "Location", "ETag", "Retry-After", "Cache-Control")


def once(actor: Actor, work: Callable[[], Response]) -> Response:
    """Do the work, or return the stored response of the first request with this key."""
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return work()
    if not 1 <= len(key) <= MAX_KEY_LENGTH or not key.isprintable():
        raise Invalid.field("Idempotency-Key", f"Must be 1 to {MAX_KEY_LENGTH} printable characters.")
    content = f"{request.method} {request.path}\n".encode() + request.get_data(cache=True)
    stored = idempotency.begin(actor.account_id, key, hashlib.sha256(content).hexdigest())
    if stored is not None:
        return Response(stored.body, status=stored.status, headers={**stored.headers, "Idempotent-Replayed": "true"})
    response = work()
    headers = {name: response.headers[name] for name in KEPT_HEADERS if name in response.headers}
    to_store = idempotency.StoredResponse(status=response.status_code, headers=headers, body=response.get_data())
    idempotency.keep(actor.account_id, key, to_store)
    return response
