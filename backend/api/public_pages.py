"""Pages for search engines and link previews, which run no JavaScript: the built page with head and content filled in.

Visitors get an entry page with its content, of which only the head is replaced. For signed-in users the content stands
beside the empty application, which takes its place when it starts; the stylesheet then hides it (``#served``).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import Final
from urllib.parse import urlencode

import orjson
from flask import Flask, render_template, request
from markupsafe import escape
from werkzeug.wrappers import Response as BaseResponse

from backend.api import entry_pages, rate_limits, web_app
from backend.api.resources.profiles import photo_path
from backend.core import cache, text_tables, translations
from backend.core.cache import CATALOGUE, Rendered
from backend.core.config import current_settings
from backend.core.db.pagination import Window
from backend.core.errors import NotFound
from backend.domain.profiles import queries as profiles
from backend.domain.profiles.queries import OfferedTask, PublicProfile
from backend.domain.search import places_served
from backend.domain.search.places_served import ServedPlace
from backend.domain.tasks import queries as tasks
from backend.domain.tasks.queries import TaskRow

DESCRIPTION_LENGTH: Final = 160
SCHEMA: Final = "https://schema.org"
HEAD_BLOCK: Final = re.compile(r"<!--head-->.*?<!--/head-->", re.DOTALL)
EMPTY_APP: Final = re.compile(r'<div id="app"[^>]*></div>')
ICON: Final = "/app/icons/icon-512.png"
NO_INDEX: Final = '<title>{}</title>\n<meta name="robots" content="noindex">'


@dataclass(frozen=True, slots=True)
class Page:
    """What the head says, and the template of the content with its values."""

    title: str
    description: str
    path: str
    kind: str
    data: Mapping[str, object]
    language: str
    template: str = ""
    values: Mapping[str, object] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    photo: str | None = None

    @property
    def image(self) -> str:
        """Return what previews of links show: a photo, or the application's icon."""
        return current_settings().public_url + (self.photo or ICON)

    @property
    def market(self) -> str:
        return current_settings().market_name

    @property
    def locale(self) -> str:
        return str(translations.locale(self.language))

    @property
    def canonical(self) -> str:
        return address(self.path, self.query, self.language)

    @property
    def alternates(self) -> dict[str, str]:
        """Return the page's addresses by language; the one without a language is for all others."""
        return {language: address(self.path, self.query, language) for language in text_tables.languages()} | {
            "x-default": address(self.path, self.query, "en")
        }


def init_app(app: Flask) -> None:
    app.add_url_rule("/app/", "web_app_home", _landing)
    app.add_url_rule("/app/professionals/<id:professional_id>", "public_profile", _professional)
    app.add_url_rule("/app/tasks/<id:task_id>", "public_task", _task)


def _say(language: str, key: str, **values: object) -> str:
    return translations.say(language, f"pages.{key}", **values)


def address(path: str, query: Mapping[str, str], language: str) -> str:
    """Return the absolute address of a page in a language; English is the one without a parameter."""
    parameters = {**query, **({} if language == "en" else {"lang": language})}
    return f"{current_settings().public_url}{path}" + (f"?{urlencode(parameters)}" if parameters else "")


def _landing() -> BaseResponse:
    """Return the landing page. Its head needs no data, so the page stands without a database as it was built."""
    language = entry_pages.language()
    head = _head(landing_page(language))
    return web_app.page_with(lambda built: filled(built, head, ""), path="", language=language, is_filled=True)


def _professional(professional_id: int) -> BaseResponse:
    return _respond(f"professionals/{professional_id}", lambda language: profile_page(professional_id, language))


def _task(task_id: int) -> BaseResponse:
    pincode = request.args.get("pincode", "")
    return _respond(f"tasks/{task_id}", lambda language: task_page(task_id, pincode, language))


def landing_page(language: str) -> Page:
    """Return the head of the landing page, which names the marketplace and its search."""
    return Page(
        title=_say(language, "landing_title", market=_market()),
        description=_say(language, "landing_about"),
        path="/app/",
        kind="website",
        data=_market_data(),
        language=language,
    )


def profile_page(professional_id: int, language: str) -> Page:
    """Return the page of an active professional. Raises NotFound."""
    profile = profiles.public_profile(professional_id)
    reviews = profiles.reviews(professional_id, window=Window()).items if profile.reviews else []
    photo = photo_path(profile.id, profile.photo)
    rated = _say(language, "rated", rating=profile.rating, n=profile.reviews) if profile.rating else ""
    offered = ", ".join(task.name for task in profile.tasks[:5])
    path = f"/app/professionals/{profile.id}"
    return Page(
        title=_say(language, "profile_title", name=profile.firstname, company=profile.compname, market=_market()),
        description=_shortened(
            _say(language, "profile_about", company=profile.compname, tasks=offered, rating=rated, about=profile.about)
        ),
        path=path,
        kind="profile",
        photo=photo,
        data=_profile_data(profile, path=path, photo=photo),
        template="public/profile.html",
        values={"profile": profile, "reviews": reviews, "photo_url": photo},
        language=language,
    )


def task_page(task_id: int, pincode: str, language: str) -> Page:
    """Return the page of an active task, at a place if someone serves it there. Raises NotFound."""
    task = tasks.one(None, task_id=task_id)
    place = places_served.served_place(task_id, pincode=pincode) if re.fullmatch(r"[1-9][0-9]{5}", pincode) else None
    values = {
        "task": task.name,
        "price": _price_of(task, language),
        "market": _market(),
        "minutes": task.time_required,
        "n": place.professionals if place else task.professionals,
        "description": task.description,
        "place": _place_name(place) if place else "",
    }
    kind = "task_at" if place else "task"
    path = f"/app/tasks/{task.id}"
    return Page(
        title=_say(language, f"{kind}_title", **values),
        description=_shortened(_say(language, f"{kind}_about", **values)),
        path=path,
        query={"pincode": place.pincode} if place else {},
        kind="website",
        data=_task_data(task, place, path=path),
        template="public/task.html",
        values={"task": task, "place": place, "place_name": values["place"]},
        language=language,
    )


def _market_data() -> dict[str, object]:
    home = current_settings().public_url
    search = {"@type": "EntryPoint", "urlTemplate": f"{home}/app/search?q={{search_term_string}}"}
    return {
        "@context": SCHEMA,
        "@type": "WebSite",
        "@id": f"{home}/app/",
        "url": f"{home}/app/",
        "name": _market(),
        "inLanguage": list(text_tables.languages()),
        "publisher": {"@type": "Organization", "name": _market(), "url": f"{home}/app/", "logo": home + ICON},
        "potentialAction": {
            "@type": "SearchAction",
            "target": search,
            "query-input": "required name=search_term_string",
        },
    }


def _profile_data(profile: PublicProfile, *, path: str, photo: str | None) -> dict[str, object]:
    home = current_settings().public_url
    data: dict[str, object] = {
        "@context": SCHEMA,
        "@type": "ProfessionalService",
        "@id": home + path,
        "url": home + path,
        "name": profile.compname,
        "employee": {"@type": "Person", "name": profile.firstname},
        "makesOffer": [_offer(task, itemOffered={"@type": "Service", "name": task.name}) for task in profile.tasks],
        **_rating(profile.rating, profile.reviews),
    }
    if profile.about:
        data["description"] = profile.about
    if profile.service_area:
        data["areaServed"] = profile.service_area.split("; ")
    if photo:
        data["image"] = home + photo
    return data


def _task_data(task: TaskRow, place: ServedPlace | None, *, path: str) -> dict[str, object]:
    home = current_settings().public_url
    return {
        "@context": SCHEMA,
        "@type": "Service",
        "@id": home + path,
        "url": home + path,
        "name": task.name,
        "description": task.description,
        "serviceType": task.category,
        "provider": {"@type": "Organization", "name": _market(), "url": f"{home}/app/"},
        "offers": _offer(task),
        **({"areaServed": _place_name(place)} if place else {}),
        **_rating(task.rating, task.reviews),
    }


def _offer(task: TaskRow | OfferedTask, **more: object) -> dict[str, object]:
    """Return the offer of a task. A price by quote has no price, only where it usually begins."""
    currency = current_settings().market_currency
    if task.pricing == "quote":
        begins = {"@type": "PriceSpecification", "minPrice": f"{task.base_price:.2f}", "priceCurrency": currency}
        return {"@type": "Offer", "priceSpecification": begins, **more}
    return {"@type": "Offer", "price": f"{task.base_price:.2f}", "priceCurrency": currency, **more}


def _rating(rating: float | Decimal | None, reviews: int) -> dict[str, object]:
    if not rating or not reviews:
        return {}
    value = {"ratingValue": f"{rating:.2f}", "reviewCount": reviews, "bestRating": 5, "worstRating": 1}
    return {"aggregateRating": {"@type": "AggregateRating", **value}}


def _respond(path: str, make: Callable[[str], Page]) -> BaseResponse:
    """Return the page, its words cached until the catalogue changes; the empty page with 404 if it is not public."""
    language = entry_pages.language()

    def render() -> Rendered:
        rate_limits.check("profile_rate_limit", None, by_account=False)
        page = make(language)
        return Rendered(orjson.dumps([_head(page), _content(page)]))

    key = f"{request.path}?{request.args.get('pincode', '')} {language}"
    try:
        words = cache.response_cache().get("public_page", key, render, versioned=CATALOGUE)
    except NotFound:
        missing = NO_INDEX.format(escape(_market()))
        return web_app.page_with(
            lambda built: HEAD_BLOCK.sub(lambda _: missing, built, count=1),
            path=path,
            language=language,
            is_filled=False,
            status=404,
        )
    head, content = orjson.loads(words.body)
    return web_app.page_with(lambda built: filled(built, head, content), path=path, language=language, is_filled=True)


def filled(built: str, head: str, content: str) -> str:
    """Return the built page with a head, and with the content where the build has none."""
    html = HEAD_BLOCK.sub(lambda _: head, built, count=1)
    return EMPTY_APP.sub(lambda found: f"{found[0]}\n{content}", html, count=1)


def _head(page: Page) -> str:
    return render_template("public/head.html", page=page)


def _content(page: Page) -> str:
    language = page.language
    return render_template(
        "public/content.html",
        page=page,
        language=language,
        say=partial(_say, language),
        price=partial(_price_of, language=language),
        day=partial(translations.format_day, language=language),
        **page.values,
    )


def _market() -> str:
    return current_settings().market_name


def _place_name(place: ServedPlace) -> str:
    return f"{place.locality}, {place.district} ({place.pincode})"


def _price(amount: Decimal, language: str) -> str:
    return translations.format_price(amount, current_settings().market_currency, language)


def _price_of(task: TaskRow | OfferedTask, language: str) -> str:
    price = _price(task.base_price, language)
    return _say(language, "by_quote", price=price) if task.pricing == "quote" else price


def _shortened(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= DESCRIPTION_LENGTH else flat[: DESCRIPTION_LENGTH - 1].rsplit(" ", 1)[0] + "…"
