"""The language of a response: the one that the client asks for, else the account's."""

from flask import request

from backend.core.security.authz import Actor
from backend.core.translations import DEFAULT, languages, supported


def asked() -> str | None:
    """Return the best of our languages that Accept-Language names, or None. A wildcard alone names none.

    A language of a region counts as the language (RFC 4647, 3.4): Werkzeug's own match would prefer a later exact one.
    """
    for code, quality in request.accept_languages:
        language = code.partition("-")[0].lower()
        if quality > 0 and language in languages():
            return language
    return None


def of_reader(actor: Actor | None) -> str:
    """Return the language to write to the caller in."""
    return asked() or supported(actor.language if actor else DEFAULT)
