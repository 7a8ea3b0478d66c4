"""The prerendered entry pages: which one a visitor gets, and what is filled into it.

The build writes them (frontend/scripts/pages.mjs): for each page and language an HTML file, and for pages with data a
file of templates, which the application's own components rendered around placeholders. The data are the API's public
answers.
"""

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final, NotRequired, TypedDict
from urllib.parse import quote, urlencode

import orjson
from flask import current_app, request
from werkzeug.test import EnvironBuilder, run_wsgi_app

from backend.api import entry_profiles, entry_texts
from backend.api import language as languages
from backend.api.entry_texts import Hit, Texts, fill
from backend.core import text_tables

LANGUAGE_COOKIE: Final = "doorstep-language"
SESSION_COOKIE: Final = "csrf_refresh_token"  # readable half of the refresh token's pair: there is a session to restore
VARIES: Final = ("Accept-Encoding", "Accept-Language", "Cookie")
TASK: Final = re.compile(r"tasks/([1-9][0-9]{0,8})")
PROFILE: Final = re.compile(r"professionals/([1-9][0-9]*)")
PINCODE: Final = re.compile(r"[1-9][0-9]{5}")
MOST_CATEGORIES_WITHOUT_TABS: Final = 1
NEAR: Final = 5
FILTERS: Final = ("q", "pincode", "location", "category", "max_price", "min_rating", "radius_km", "sort")
NARROWING: Final = ("min_rating", "max_price", "sort")


class Templates(TypedDict):
    """What the build wrote for one page: its forms, the rows that repeat, and texts that depend on the data."""

    pages: dict[str, str]
    rows: dict[str, str]
    texts: Texts


class Category(TypedDict):
    """A category of the search's answer, with its number of tasks."""

    category: str
    tasks: int


class Near(TypedDict):
    """A place of the search's answer at which tasks are offered."""

    pincode: str
    district: str
    locality: NotRequired[str | None]
    name: NotRequired[str | None]
    task_name: NotRequired[str | None]


class Found(TypedDict):
    """What pages show of the search's answer."""

    items: list[Hit]
    categories: list[Category]
    near: list[Near]
    next_cursor: str | None


class Task(Hit):
    """What a task's page shows of its answer."""

    description: str
    isactive: bool


@dataclass(frozen=True, slots=True)
class Filled:
    """What a page is filled with: the template's name, its placeholders' values, and the answer for the application."""

    template: str
    values: Mapping[str, str]
    answer: bytes


def language() -> str:
    """Return the language of the link, which search engines lead to, else the one chosen before, else the browser's."""
    for chosen in (request.args.get("lang"), request.cookies.get(LANGUAGE_COOKIE)):
        if chosen in text_tables.languages():
            return str(chosen)
    return languages.asked() or text_tables.DEFAULT


def name_of(path: str) -> str:
    """Return the name of the entry page at a path of the application, or "empty"."""
    if SESSION_COOKIE in request.cookies:  # a visitor's page would show for a moment
        return "empty"
    if TASK.fullmatch(path.strip("/")):
        return "task"
    if PROFILE.fullmatch(path.strip("/")):
        return "profile"
    name = path.strip("/") or "landing"
    return name if re.fullmatch(r"[a-z-]+", name) else "empty"


def filled(templates: Path, path: str) -> bytes | None:
    """Return the page filled with its data, or None where it has none or they cannot be read."""
    if not templates.is_file():
        return None
    known = _templates(templates, templates.stat().st_mtime_ns)
    page = templates.name.partition(".")[0]
    found = FILLERS[page](known, path.strip("/"))
    if found is None or found.template not in known["pages"]:
        return None
    first = {"url": _address(), "body": orjson.Fragment(found.answer)}
    # In a script, "<" could end it; everywhere in JSON it may be written like this.
    data = orjson.dumps(first).replace(b"<", b"\\u003c")
    values = {**found.values, "data": data.decode()}
    return fill(known["pages"][found.template], values).encode()


@lru_cache(maxsize=16)
def _templates(path: Path, _changed: int) -> Templates:
    loaded: Templates = orjson.loads(path.read_bytes())
    return loaded


def _address() -> str:
    query = request.query_string.decode("latin-1")
    return request.path + (f"?{query}" if query else "")


def _ask(path: str, query: Mapping[str, object]) -> bytes | None:
    """Return the API's public answer to a call, through its cache; None for anything but 200."""
    builder = EnvironBuilder(
        path=path,
        query_string=urlencode(sorted(query.items())),
        base_url=request.host_url,
        environ_base={"REMOTE_ADDR": request.remote_addr},
    )
    body, status, _ = run_wsgi_app(current_app.wsgi_app, builder.get_environ())
    if not status.startswith("200"):
        return None
    return b"".join(body)


def _card(known: Templates, hit: Hit, query: str) -> str:
    texts = known["texts"]
    name = "rated" if hit["rating"] else "unrated"
    return fill(known["rows"][name], {**entry_texts.task_values(texts, hit), "query": html.escape(query)})


def _landing(known: Templates, _path: str) -> Filled | None:
    answer = _ask("/search", {"limit": 6})
    if answer is None:
        return None
    found: Found = orjson.loads(answer)
    cards = "".join(_card(known, hit, "") for hit in found["items"])
    return Filled("list" if found["items"] else "empty", {"rows": cards}, answer)


def _search(known: Templates, _path: str) -> Filled | None:
    asked = {name: value.strip() for name, value in request.args.items() if name in FILTERS and value.strip()}
    if PINCODE.fullmatch(asked.get("location", "")):  # the form has one field for both kinds of place
        asked["pincode"] = asked.pop("location")
    place = asked.get("pincode", asked.get("location", ""))
    if asked.get("sort") == "distance" and not place:
        del asked["sort"]
    answer = _ask("/search", {**asked, "limit": 20})
    if answer is None:
        return None
    data: Found = orjson.loads(answer)
    texts = known["texts"]
    query = f"?{urlencode({'pincode': asked['pincode']})}" if "pincode" in asked else ""
    near = [one for one in data["near"] if one["pincode"]][:NEAR]
    narrowed = sum(name in asked for name in NARROWING) + ("pincode" in asked and "radius_km" in asked)
    flags = {
        "tabs": len(data["categories"]) > MOST_CATEGORIES_WITHOUT_TABS,
        "more": bool(data["items"] and data["next_cursor"]),
        "place": bool(not data["items"] and place),
        "near": bool(not data["items"] and near),
    }
    values = {
        "rows": "".join(_card(known, hit, query) for hit in data["items"]),
        "tabs": _tabs(known, data["categories"], asked.get("category", "")) if flags["tabs"] else "",
        "near": "".join(_chip(known, one, asked.get("q", "")) for one in near),
        "anywhere": html.escape("?" + urlencode({"q": asked["q"]}) if "q" in asked else ""),
        "narrow": html.escape(texts["narrow"][narrowed]),
        "place": html.escape(place),
        "q": html.escape(asked.get("q", "")),
        "title": entry_texts.title(texts, asked.get("q", ""), place),
    }
    template = "-".join(["list" if data["items"] else "empty", *(name for name, is_set in flags.items() if is_set)])
    return Filled(template, values, answer)


def _tabs(known: Templates, categories: list[Category], chosen: str) -> str:
    rows = known["rows"]
    everything = fill(rows["all_active" if not chosen else "all"], {"label": html.escape(known["texts"]["everything"])})
    return everything + "".join(
        fill(
            rows["tab_active" if one["category"] == chosen else "tab"],
            {"label": html.escape(one["category"]), "count": str(one["tasks"])},
        )
        for one in categories
    )


def _chip(known: Templates, near: Near, q: str) -> str:
    query = urlencode({**({"q": q} if q else {}), "pincode": near["pincode"]})
    where = near.get("locality") or near["district"]
    label = f"{near.get('task_name') or near.get('name')} · {where} {near['pincode']}"
    return fill(known["rows"]["chip"], {"query": html.escape(f"?{query}"), "label": html.escape(label)})


def _task(known: Templates, path: str) -> Filled | None:
    found = TASK.fullmatch(path)
    pincode = request.args.get("pincode", "")
    if found is None or set(request.args) - {"pincode", "lang"}:
        return None
    answer = _ask(f"/tasks/{found.group(1)}", {})
    if answer is None:
        return None
    task: Task = orjson.loads(answer)
    if not task["isactive"]:
        return None
    texts = known["texts"]
    values = {
        **entry_texts.task_values(texts, task),
        "description": html.escape(task["description"]),
        "count": html.escape(entry_texts.plural(texts["count"], task["professionals"])),
        "query": html.escape(f"?pincode={pincode}") if PINCODE.fullmatch(pincode) else "",
        # As the application's router writes it: slashes stand in a query as they are.
        "next": html.escape(quote(f"/{path}" + (f"?pincode={pincode}" if pincode else ""), safe="/?=")),
    }
    return Filled("rated" if task["rating"] else "unrated", values, answer)


def _profile(known: Templates, path: str) -> Filled | None:
    found = PROFILE.fullmatch(path)
    if found is None:
        return None
    profile = _ask(f"/profiles/{found.group(1)}", {})
    reviews = _ask(f"/profiles/{found.group(1)}/reviews", {})
    if profile is None or reviews is None:
        return None
    pincode = request.args.get("pincode", "")
    template, values = entry_profiles.shown(
        known["rows"],
        known["texts"],
        orjson.loads(profile),
        orjson.loads(reviews),
        pincode=pincode if PINCODE.fullmatch(pincode) else "",
    )
    return Filled(template, values, b'{"profile":' + profile + b',"reviews":' + reviews + b"}")


FILLERS: Final = {"landing": _landing, "search": _search, "task": _task, "profile": _profile}
