"""Texts of errors in the reader's language, and the code and parameters of each.

The source raises English sentences, which read well where they are raised. ``errors.toml`` gives each a code and its
translations, as gettext does with its messages; ``{placeholders}`` stand for what the source fills in. A sentence that
is not in it is shown in English.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Final, NamedTuple

from backend.api.responses import JsonObject
from backend.core import translations
from backend.core.translations import DEFAULT

PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")
LONGEST: Final = 2000  # of a text that is compared with patterns


class Identified(NamedTuple):
    """An error by its code, and what is filled into its text."""

    code: str
    params: dict[str, str | int]


def identify(text: str) -> Identified | None:
    """Return the code and parameters of an English text, or None if it has no translation."""
    plain, patterns = _known()
    if text in plain:
        return Identified(plain[text], {})
    if len(text) > LONGEST:
        return None
    for code, pattern in patterns:
        if found := pattern.fullmatch(text):
            return Identified(code, {name: _value(part) for name, part in found.groupdict().items()})
    return None


def translated(text: str, language: str) -> str:
    """Return an English text in another language, or as it is if it has no translation."""
    if language == DEFAULT or (found := identify(text)) is None:
        return text
    return translations.say(language, f"errors.{found.code}", **found.params)


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


@cache
def _known() -> tuple[dict[str, str], tuple[tuple[str, re.Pattern[str]], ...]]:
    texts = {code: str(text) for code, text in translations.table(DEFAULT, "errors").items()}
    plain = {text: code for code, text in texts.items() if not PLACEHOLDER.search(text)}
    patterns = {code: text for code, text in texts.items() if PLACEHOLDER.search(text)}
    # The one with the most fixed text first: it says most exactly what happened.
    by_length = sorted(patterns, key=lambda code: len(PLACEHOLDER.sub("", patterns[code])), reverse=True)
    return plain, tuple((code, re.compile("".join(_parts(patterns[code])), re.DOTALL)) for code in by_length)


def _parts(text: str) -> Iterator[str]:
    end = 0
    for found in PLACEHOLDER.finditer(text):
        yield re.escape(text[end : found.start()]) + f"(?P<{found[1]}>.+?)"
        end = found.end()
    yield re.escape(text[end:])


def _value(part: str) -> str | int:
    return int(part) if part.isascii() and part.isdigit() and len(part) < 19 else part
