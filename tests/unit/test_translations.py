"""Every language has the same texts as English, with the same placeholders and a text for each plural form."""

import tomllib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from string import Formatter

import pytest
from babel import Locale
from flask import Flask

from backend.core.text_tables import FOLDER, languages
from backend.core.translations import format_day, format_price
from backend.domain.notifications.messages import KINDS, QUOTED
from tests.architecture.source import ROOT

WEB = ROOT / "frontend/src/locales"
OTHERS = [language for language in languages() if language != "en"]
FORMS = {"zero", "one", "two", "few", "many", "other"}
Texts = dict[str, str]


def texts(language: str) -> Texts:
    """Return all texts of a language by file and key, plural forms and lists by their places."""
    found: Texts = {}
    for path in sorted((FOLDER / language).glob("*.toml")):
        found |= dict(_flat(tomllib.loads(path.read_text(encoding="utf-8")), path.stem))
    return found


def _flat(value: object, prefix: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flat(inner, f"{prefix}.{key}")
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _flat(inner, f"{prefix}.{place}")
    else:
        yield prefix, str(value)


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def keys(found: Texts) -> set[str]:
    """Return the keys without plural forms, whose number differs by language."""
    return {key.rpartition(".")[0] if is_plural(key, found) else key for key in found}


def is_plural(key: str, found: Texts) -> bool:
    start, _, last = key.rpartition(".")
    return last in FORMS and "{n}" in found.get(f"{start}.other", "")


@pytest.mark.parametrize("language", OTHERS)
def test_language_has_same_texts_and_placeholders_as_english(language: str) -> None:
    english, other = texts("en"), texts(language)
    assert keys(other) == keys(english)
    for key, text in other.items():
        assert text.strip(), key
        model = english.get(key) or english[f"{key.rpartition('.')[0]}.other"]
        if key.startswith("errors."):  # what is filled in may be an English word
            assert placeholders(text) <= placeholders(model), key
        else:
            assert placeholders(text) == placeholders(model), key


@pytest.mark.parametrize("language", languages())
def test_language_has_every_plural_form(language: str) -> None:
    found = texts(language)
    forms = set(Locale.parse(language).plural_form.tags) | {"other"}
    starts = {key.rpartition(".")[0] for key in found if is_plural(key, found)}
    assert starts
    for start in starts:
        assert {key.rpartition(".")[2] for key in found if key.rpartition(".")[0] == start} == forms, start


@pytest.mark.parametrize("language", OTHERS)
def test_quoted_user_text_ends_its_sentence_in_every_language(language: str) -> None:
    """Emails quote it below the sentence."""
    english, other = texts("en"), texts(language)
    for key, text in english.items():
        for name in QUOTED:
            if key.startswith("messages.") and text.endswith(f"{{{name}}}"):
                assert other[key].endswith(f"{{{name}}}"), key


@pytest.mark.parametrize("language", languages())
def test_every_kind_of_message_has_texts(language: str) -> None:
    path = FOLDER / language / "messages.toml"
    assert set(tomllib.loads(path.read_text(encoding="utf-8"))) == set(KINDS)


def test_web_application_has_the_same_languages() -> None:
    assert {path.name for path in WEB.iterdir() if path.is_dir()} == set(languages())


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [
        ("499.00", "INR", "₹499"),
        ("499.50", "INR", "₹499.50"),
        ("125000.00", "INR", "₹1,25,000"),
        ("80.00", "USD", "$80"),
    ],
)
def test_price_without_decimal_part_is_written_without_it(
    app: Flask, amount: str, currency: str, expected: str
) -> None:
    assert format_price(Decimal(amount), currency) == expected


def test_day_is_that_of_marketplace_in_language(app: Flask) -> None:
    late = datetime(2026, 11, 30, 20, 0, tzinfo=UTC)  # already the next day in India
    assert [format_day(late, language) for language in ("en", "hi")] == ["1 Dec 2026", "1 दिसंबर 2026"]
