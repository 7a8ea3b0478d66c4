"""The languages of the marketplace, and the tables of their texts.

A language is a folder under backend/texts; each file in it is a table of texts. Adding a folder adds the language.
The process of live updates imports this without Babel and Flask, which :mod:`backend.core.translations` needs.
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).resolve().parent.parent / "texts"
DEFAULT: Final = "en"
Table = Mapping[str, object]


@cache
def languages() -> tuple[str, ...]:
    """Return the codes of all languages, the default first."""
    found = {path.name for path in FOLDER.iterdir() if path.is_dir()}
    return (DEFAULT, *sorted(found - {DEFAULT}))


def supported(code: str | None) -> str:
    """Return the language, or the default if there are no texts in it (any more)."""
    return code if code in languages() else DEFAULT


@cache
def table(language: str, name: str) -> Table:
    """Return the texts of a file such as ``messages.toml``."""
    return tomllib.loads((FOLDER / language / f"{name}.toml").read_text(encoding="utf-8"))


def lookup(language: str, key: str) -> object:
    """Return what a table has under a key such as ``mail.greeting``: a text, or its plural forms.

    Raises:
        KeyError: There is no such text, which is a programming error.
    """
    name, *parts = key.split(".")
    found: object = table(language, name)
    for part in parts:
        if not isinstance(found, Mapping):
            raise KeyError(key)
        found = found[part]
    return found
