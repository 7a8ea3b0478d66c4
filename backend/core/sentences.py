"""Finished English sentences in the reader's language.

Where a sentence is raised or kept as finished text, a table gives it a code and its translations, as gettext does with
its messages; ``{placeholders}`` stand for what the source fills in. A sentence that no table has is shown in English.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Final, NamedTuple

from backend.core import text_tables
from backend.core.text_tables import DEFAULT

ERRORS: Final = "errors"
LOG: Final = "log"  # of deliveries, and what jobs do
PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")
LONGEST: Final = 2000  # of a text that is compared with patterns


class Identified(NamedTuple):
    """A sentence by its code, and what is filled into it."""

    code: str
    params: dict[str, str | int]


def identify(text: str, table: str = ERRORS) -> Identified | None:
    """Return the code and parameters of an English text, or None if it has no translation."""
    plain, patterns = _known(table)
    if text in plain:
        return Identified(plain[text], {})
    if len(text) > LONGEST:
        return None
    for code, pattern in patterns:
        if found := pattern.fullmatch(text):
            return Identified(code, {name: _value(part) for name, part in found.groupdict().items()})
    return None


def translated(text: str, language: str, table: str = ERRORS) -> str:
    """Return an English text in another language, or as it is if it has no translation."""
    if language == DEFAULT or (found := identify(text, table)) is None:
        return text
    from backend.core.translations import say

    return say(language, f"{table}.{found.code}", **found.params)


@cache
def _known(table: str) -> tuple[dict[str, str], tuple[tuple[str, re.Pattern[str]], ...]]:
    texts = {code: str(text) for code, text in text_tables.table(DEFAULT, table).items()}
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
