"""A public profile as the application shows it, made of the API's answers and of templates.

The build writes the templates (frontend/scripts/profileTemplates.mjs).
"""

import html
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final, TypedDict

from backend.api import entry_texts
from backend.api.entry_texts import Texts, fill
from backend.core.config import current_settings

Rows = Mapping[str, str]
SHOWN_AT_ONCE: Final = 400  # characters of a review, in UTF-16 as browsers count (ReviewItem.vue)
UNFINISHED_WORD: Final = re.compile(r"\s+\S{0,40}\Z")
STARS: Final = (5, 4, 3, 2, 1)


class OfferedTask(TypedDict):
    """A task of the profile's answer."""

    id: int
    name: str
    base_price: str
    pricing: str


class Profile(TypedDict):
    """What the page shows of the profile's answer; times are ISO 8601."""

    id: int
    firstname: str
    compname: str
    exp: int
    about: str
    photo_url: str | None
    tasks: list[OfferedTask]
    rating: float | None
    rating_counts: dict[str, int]
    reviews: int
    tasks_done: int
    verified_until: str | None
    member_since: str
    response_time: str | None
    service_area: str


class Review(TypedDict):
    """A review of the list's answer."""

    rating: int
    comment: str | None
    created_at: str
    task_name: str
    reply: str | None


class Reviews(TypedDict):
    """The first page of the list's answer."""

    items: list[Review]
    next_cursor: str | None


def shown(
    rows: Rows, texts: Texts, profile: Profile, reviews: Reviews, *, pincode: str
) -> tuple[str, Mapping[str, str]]:
    """Return the name of the template and the values of its placeholders, escaped."""
    name = {"firstname": html.escape(profile["firstname"])}
    introduction = "introduction" if profile["about"] else "introduction_none"
    values = {
        **name,
        "compname": html.escape(profile["compname"]),
        "picture": _picture(rows, profile),
        "verified": html.escape(_verified(texts, profile["verified_until"])),
        "rating": entry_texts.rounded(profile["rating"] or 0),
        "reviews": str(profile["reviews"]),
        "count": html.escape(entry_texts.plural(texts["count"], profile["reviews"])),
        "facts": _facts(rows, texts, profile),
        "tasks": _tasks(rows, texts, profile, pincode),
        "bars": _bars(rows, texts, profile["rating_counts"]),
        "introduction": fill(rows[introduction], {**name, "about": html.escape(profile["about"])}),
        "list": _reviews(rows, texts, reviews, name),
    }
    return "rated" if profile["rating"] else "unrated", values


def _picture(rows: Rows, profile: Profile) -> str:
    name = html.escape(profile["firstname"])
    if profile["photo_url"]:
        return fill(rows["photo"], {"firstname": name, "photo": html.escape(profile["photo_url"])})
    return fill(rows["letter"], {"firstname": name, "letter": html.escape(profile["firstname"][:1])})


def _verified(texts: Texts, until: str | None) -> str:
    if until is None:
        return str(texts["verified"])
    return str(texts["verified_until"]).replace("{{date}}", _date(texts, until, "day_year"))


def _date(texts: Texts, at: str, style: str) -> str:
    """Return a time's day or month in the marketplace's time zone, as the application formats it."""
    there = datetime.fromisoformat(at).astimezone(current_settings().zone)
    dates = texts["dates"]
    weekday = dates["weekdays"][there.weekday()]
    return fill(dates[style][there.month - 1], {"weekday": weekday, "day": str(there.day), "year": str(there.year)})


def _facts(rows: Rows, texts: Texts, profile: Profile) -> str:
    band, area = profile["response_time"], profile["service_area"]
    facts = {
        "exp": entry_texts.plural(texts["exp"], profile["exp"]),
        "done": entry_texts.plural(texts["done"], profile["tasks_done"]),
        "response": texts["responses"][band] if band else "",
        "area": str(texts["area"]).replace("{{area}}", area) if area else "",
        "since": str(texts["since"]).replace("{{month}}", _date(texts, profile["member_since"], "month")),
    }
    return "".join(fill(rows[f"fact_{name}"], {"text": html.escape(text)}) for name, text in facts.items() if text)


def _tasks(rows: Rows, texts: Texts, profile: Profile, pincode: str) -> str:
    name = html.escape(profile["firstname"])
    if not profile["tasks"]:
        return fill(rows["tasks_none"], {"firstname": name})
    query = f"?pincode={pincode}" if pincode else ""
    ask = f"{query}&professional={profile['id']}" if query else f"?professional={profile['id']}"
    currency = current_settings().market_currency
    place = {"query": query, "ask": html.escape(ask), "firstname": name}
    return fill(
        rows["tasks"],
        {
            "rows": "".join(
                fill(
                    rows["task"],
                    {
                        **place,
                        "id": str(task["id"]),
                        "name": html.escape(task["name"]),
                        "price": html.escape(entry_texts.price(texts, task["base_price"], currency, task["pricing"])),
                    },
                )
                for task in profile["tasks"]
            )
        },
    )


def _bars(rows: Rows, texts: Texts, counts: Mapping[str, int]) -> str:
    """Return how often each rating was given, as shares of all reviews in percent."""
    total = max(1, sum(counts.values()))
    return "".join(
        fill(
            rows["bar"],
            {
                "stars": str(stars),
                "label": html.escape(str(texts["bars"][stars - 1]).replace("{{count}}", str(counts[str(stars)]))),
                "width": str(counts[str(stars)] / total * 100).removesuffix(".0"),
                "given": entry_texts.grouped(str(counts[str(stars)])),
            },
        )
        for stars in STARS
    )


def _reviews(rows: Rows, texts: Texts, reviews: Reviews, name: Mapping[str, str]) -> str:
    if not reviews["items"]:
        return rows["list_none"]
    listed = "".join(
        fill(
            rows["review"],
            {
                "rating": entry_texts.rounded(review["rating"]),
                "name": html.escape(review["task_name"]),
                "at": html.escape(review["created_at"]),
                "day": html.escape(_date(texts, review["created_at"], "day")),
                "comment": _long_text(rows, "comment", review["comment"], name),
                "reply": _long_text(rows, "reply", review["reply"], name),
            },
        )
        for review in reviews["items"]
    )
    return fill(rows["list_more" if reviews["next_cursor"] else "list"], {"rows": listed})


def _long_text(rows: Rows, field: str, text: str | None, name: Mapping[str, str]) -> str:
    """Return a comment or a reply; of a long one the beginning, cut at a word as in LongText.vue."""
    if not text:
        return rows[f"{field}_none"]
    encoded = text.encode("utf-16-le")
    if len(encoded) <= 2 * SHOWN_AT_ONCE:
        return fill(rows[field], {**name, "text": html.escape(text)})
    start = encoded[: 2 * SHOWN_AT_ONCE].decode("utf-16-le", errors="ignore")
    return fill(rows[f"{field}_long"], {**name, "text": html.escape(f"{UNFINISHED_WORD.sub('', start)} …")})
