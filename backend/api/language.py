"""The language of a response: the one that the client asks for, else the account's."""

from flask import request
from werkzeug.datastructures import LanguageAccept

from backend.core.security.authz import Actor
from backend.core.translations import DEFAULT, languages, supported


def asked() -> str | None:
    """Return the best of our languages that Accept-Language names, or None. A wildcard alone names none."""
    accepted = request.accept_languages
    if not accepted:
        return None
    named = LanguageAccept([(code, quality) for code, quality in accepted if code != "*"])
    return named.best_match(languages())


def of_reader(actor: Actor | None) -> str:
    """Return the language to write to the caller in."""
    return asked() or supported(actor.language if actor else DEFAULT)
