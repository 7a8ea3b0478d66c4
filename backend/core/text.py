"""What people type, made comparable and safe to keep."""

import unicodedata

KEPT_CONTROLS = "\n\t"
BIDI_OVERRIDES = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


def key(value: str) -> str:
    """The form under which two spellings are the same: NFKC, case folded, trimmed (for unique names and mails)."""
    folded = unicodedata.normalize("NFKC", value).casefold()
    return unicodedata.normalize("NFKC", folded).strip()


def composed(value: str) -> str:
    """The same text with its letters composed (NFC), so that equal texts are equal and lengths are what people see."""
    return unicodedata.normalize("NFC", value)


def is_visible(value: str) -> bool:
    """Whether anything in the text can be seen: zero-width characters and blanks alone are no name."""
    return any(unicodedata.category(char)[0] not in "CZ" for char in value)


def has_control_characters(value: str, *, multiline: bool = False) -> bool:
    """Whether the text holds what PostgreSQL, mails or screens choke on: C0, C1, lone surrogates, bidi overrides.

    In one line also what breaks it: U+2028, U+2029.
    """
    for char in value:
        if multiline and char in KEPT_CONTROLS:
            continue
        category = unicodedata.category(char)
        if category in ("Cc", "Cs") or char in BIDI_OVERRIDES or (category in ("Zl", "Zp") and not multiline):
            return True
    return False
