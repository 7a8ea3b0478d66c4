"""Texts by language with their values filled in, and dates and amounts as a language writes them."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import cache

from babel import Locale, UnknownLocaleError, dates, numbers

from backend.core.config import current_settings
from backend.core.text_tables import DEFAULT, lookup, supported


def say(language: str, key: str, **values: object) -> str:
    """Return a text such as ``mail.greeting`` with its values filled in.

    A table of plural forms is chosen from by ``n``, according to the language's rules (CLDR).

    Raises:
        KeyError: There is no such text, which is a programming error.
    """
    text = lookup(supported(language), key)
    number = values.get("n")
    if isinstance(number, int):
        values["n"] = numbers.format_decimal(number, locale=locale(language))
    if isinstance(text, Mapping):
        form = locale(language).plural_form(number if isinstance(number, int) else 0)
        text = text.get(form, text["other"])
    return str(text).format_map(values)


@cache
def locale(language: str) -> Locale:
    """Return the locale of a language in the marketplace's country, such as hi_IN."""
    try:
        return Locale.parse(f"{supported(language)}_{current_settings().market_country}")
    except UnknownLocaleError:
        return Locale.parse(supported(language))


def format_time(value: datetime, language: str = DEFAULT) -> str:
    """Return a time in the marketplace's time zone for display: "Tue 1 Dec 2026, 10:00 am"."""
    there = value.astimezone(current_settings().zone)
    pattern = say(language, "formats.time", clock=_clock(there, language, "short"))
    return dates.format_datetime(there, pattern, locale=locale(language))


def format_exact_time(value: datetime, language: str = DEFAULT) -> str:
    """Return a time in the marketplace's time zone to the second: "1 Dec 2026, 10:00:07 am"."""
    there = value.astimezone(current_settings().zone)
    pattern = say(language, "formats.exact_time", clock=_clock(there, language, "medium"))
    return dates.format_datetime(there, pattern, locale=locale(language))


def _clock(there: datetime, language: str, length: str) -> str:
    """Return the time of day, quoted for a pattern, in 12 or 24 hours as in the marketplace's country.

    As browsers write it in India: "am" in small letters, where Babel's data for en_IN have capitals, and after a plain
    space. With the narrow one of CLDR, which GSM 03.38 lacks, an SMS would hold less than half.
    """
    return "'{}'".format(dates.format_time(there, length, locale=locale(language)).replace("\u202f", " ").lower())


def format_day(value: datetime, language: str = DEFAULT) -> str:
    """Return the day of a time in the marketplace's time zone for display: "1 Dec 2026"."""
    there = value.astimezone(current_settings().zone)
    return dates.format_date(there, say(language, "formats.day"), locale=locale(language))


def format_month(first_day: date, language: str = DEFAULT) -> str:
    """Return a month for display: "October 2026"."""
    return dates.format_date(first_day, say(language, "formats.month"), locale=locale(language))


def format_money(amount: Decimal, currency: str, language: str = DEFAULT) -> str:
    """Return an amount for display."""
    return numbers.format_currency(amount, currency, locale=locale(language))


def format_price(amount: Decimal, currency: str, language: str = DEFAULT) -> str:
    """Return a price for display, without decimal places that are all zero: "₹499"."""
    pattern = locale(language).currency_formats["standard"].pattern
    if amount == amount.to_integral_value():
        pattern = pattern.replace(".00", "")
    return numbers.format_currency(amount, currency, pattern, locale=locale(language), currency_digits=False)
