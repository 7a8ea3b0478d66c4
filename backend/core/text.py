"""What people type, made comparable and safe to keep."""

import unicodedata

KEPT_CONTROLS = "\n\t"


def key(value: str) -> str:
    """The form under which two spellings are the same: NFKC, case folded, trimmed (for unique names and mails)."""
    folded = unicodedata.normalize("NFKC", value).casefold()
    return unicodedata.normalize("NFKC", folded).strip()


def has_control_characters(value: str, *, multiline: bool = False) -> bool:
    """Whether the text holds characters that PostgreSQL, mails or screens choke on (C0, C1, lone surrogates, bidi overrides)."""
    for char in value:
        if multiline and char in KEPT_CONTROLS:
            continue
        category = unicodedata.category(char)
        if category in ("Cc", "Cs") or char in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069":
            return True
    return False
