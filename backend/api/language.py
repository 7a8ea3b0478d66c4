"""The language of a response: the one that the client asks for, else the account's."""

from flask import request

from backend.core.accept_language import preferred
from backend.core.security.authz import Actor
from backend.core.text_tables import DEFAULT, supported


def asked() -> str | None:
    """Return the best of our languages that Accept-Language names, or None."""
    return preferred(request.headers.get("Accept-Language", ""))


def of_reader(actor: Actor | None) -> str:
    """Return the language to write to the caller in."""
    return asked() or supported(actor.language if actor else DEFAULT)
