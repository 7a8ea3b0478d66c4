"""The language that a client asks for."""

from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

from backend.core.text_tables import languages


def preferred(accepted: str) -> str | None:
    """Return the best of our languages that a value of Accept-Language names, or None. A wildcard alone names none.

    A language of a region counts as the language (RFC 4647, 3.4): Werkzeug's own match would prefer a later exact one.
    """
    for code, quality in parse_accept_header(accepted, LanguageAccept):
        language = code.partition("-")[0].lower()
        if quality > 0 and language in languages():
            return language
    return None
