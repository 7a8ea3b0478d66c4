"""Details and field errors of problems in the reader's language, and the code and parameters of each.

The source raises English sentences, which read well where they are raised; ``errors.toml`` has their translations.
"""

from collections.abc import Mapping, Sequence

from backend.api.responses import JsonObject
from backend.core.sentences import Identified, identify, translated


def detail(text: str, errors: Mapping[str, Sequence[str]] | None, language: str) -> str:
    """Return the detail of a problem, which for an invalid field is its name and its text."""
    for field, messages in (errors or {}).items():
        if messages and text == f"{field}: {messages[0]}":
            return f"{field}: {translated(messages[0], language)}"
    return translated(text, language)


def field_codes(errors: Mapping[str, Sequence[str]]) -> JsonObject:
    """Return code and parameters of each message of each field; ``invalid`` for one that has no code of its own."""
    unknown = Identified("invalid", {})
    return {field: [(identify(text) or unknown)._asdict() for text in texts] for field, texts in errors.items()}
