"""Normalisation and checks of user input."""

import unicodedata

KEPT_CONTROLS = "\n\t"
BIDI_OVERRIDES = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


def key(value: str) -> str:
    """Return the text for comparison (usernames, emails): NFKC, case-folded, trimmed."""
    folded = unicodedata.normalize("NFKC", value).casefold()
    return unicodedata.normalize("NFKC", folded).strip()


def composed(value: str) -> str:
    """Return the text in NFC, so that equal texts compare as equal and lengths match what users see."""
    return unicodedata.normalize("NFC", value)


def is_visible(value: str) -> bool:
    """Return whether the text has a visible character, other than spaces and zero-width characters."""
    return any(unicodedata.category(char)[0] not in "CZ" for char in value)


def has_control_characters(value: str, *, multiline: bool = False) -> bool:
    """Return whether the text has control characters: C0, C1, lone surrogates, bidi overrides.

    For single-line texts also line and paragraph separators (U+2028, U+2029).
    """
    for char in value:
        if multiline and char in KEPT_CONTROLS:
            continue
        category = unicodedata.category(char)
        if category in ("Cc", "Cs") or char in BIDI_OVERRIDES or (category in ("Zl", "Zp") and not multiline):
            return True
    return False
