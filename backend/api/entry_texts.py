"""Texts of the filled entry pages, as the application formats them; the build provides the words of each language."""

import html
import re
from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final, NotRequired, TypedDict

from backend.core.config import current_settings

Texts = Mapping[str, Any]
PLACEHOLDER: Final = re.compile(r"\{\{([a-z_]+)\}\}")
MINUTES: Final = 60
NEARBY_KM: Final = 1
COARSE_KM: Final = 10


class Hit(TypedDict):
    """What a card shows of a task, from the public answers of search and task; prices are exact decimals as text."""

    id: int
    name: str
    category: str
    base_price: str
    pricing: str
    currency: str
    time_required: int
    professionals: int
    picture: str | None
    rating: float | None
    nearest_km: NotRequired[float | None]


def fill(template: str, values: Mapping[str, str]) -> str:
    """Replace each placeholder once; what a value contains is never taken for one."""
    return PLACEHOLDER.sub(lambda found: values[found.group(1)], template)


def task_values(texts: Texts, task: Hit) -> dict[str, str]:
    """Return the placeholders of a task: its own words, escaped, and its figures as they are shown."""
    values = {
        "id": str(task["id"]),
        "name": task["name"],
        "category": task["category"],
        "price": price(texts, task["base_price"], task["currency"], task["pricing"]),
        "duration": duration(texts, task["time_required"]),
        "offer": " · ".join(filter(None, (plural(texts["professionals"], task["professionals"]), _near(texts, task)))),
        "picture": picture(texts, task["picture"], task["category"]),
        "rating": rounded(task["rating"] or 0),
    }
    return {name: html.escape(value) for name, value in values.items()}


def price(texts: Texts, amount: str, currency: str, pricing: str) -> str:
    """Return what a task costs, or where offers for it usually begin."""
    shown = money(texts, amount, currency)
    return str(texts["by_quote"]).replace("{{price}}", shown) if pricing == "quote" else shown


def plural(forms: Sequence[str], count: int) -> str:
    """Return the form for no, one or many."""
    return forms[min(count, len(forms) - 1)].replace("{{count}}", str(count))


def title(texts: Texts, q: str, place: str) -> str:
    """Return the heading of the results, escaped."""
    form: str = texts["titles"][("q" if q else "") + ("place" if place else "") or "none"]
    return re.sub(
        r"\{\{(q|place)\}\}", lambda found: html.escape({"q": q, "place": place}[found.group(1)]), html.escape(form)
    )


def money(texts: Texts, amount: str, currency: str) -> str:
    """Return an amount as shown in India; elsewhere with its code, until the application formats it."""
    whole, _, decimals = amount.partition(".")
    if (currency, current_settings().market_country) != ("INR", "IN"):
        return f"{currency} {amount}"
    shown = grouped(whole) + ("" if decimals in ("", "00") else f".{decimals}")
    return str(texts["money"]).replace("{{amount}}", shown)


def grouped(whole: str) -> str:
    """Return a whole number as written in India: 12,34,567."""
    head, tail = whole[:-3], whole[-3:]
    groups = [head[max(0, end - 2) : end] for end in range(len(head), 0, -2)][::-1]
    return ",".join([*groups, tail])


def rounded(value: float) -> str:
    """Return a figure with one decimal, rounded half up as the application rounds."""
    return str(Decimal(str(value)).quantize(Decimal("0.1"), ROUND_HALF_UP))


def duration(texts: Texts, minutes: int) -> str:
    """Return "1 hr 30 min"."""
    hours, rest = divmod(minutes, MINUTES)
    parts = (texts["hours"][hours] if hours else "", texts["minutes"][rest] if rest or not hours else "")
    return " ".join(filter(None, parts))


def picture(texts: Texts, name: str | None, category: str) -> str:
    """Return the address of a task's picture, or that of its category."""
    addresses: Mapping[str, str] = texts["pictures"]
    kinds: Sequence[tuple[str, str]] = texts["kinds"]
    fallback = next((kind for pattern, kind in kinds if re.search(pattern, category, re.IGNORECASE)), "home")
    return addresses.get(name or "") or addresses[fallback]


def _near(texts: Texts, task: Hit) -> str:
    km = task.get("nearest_km")
    if km is None:
        return ""
    if km < NEARBY_KM:
        return str(texts["here"])
    shown = rounded(km).removesuffix(".0") if km < COARSE_KM else f"{int(km + 0.5):,}"
    return str(texts["nearest"]).replace("{{km}}", shown)
