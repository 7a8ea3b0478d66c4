"""Pages that search engines read: head, structured data and content of the built page, filled in by the server."""

import html
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from flask import Flask
from flask.testing import FlaskClient

from backend.api import sitemaps, web_app
from tests.factories.photos import show_photo
from tests.factories.queries import count_queries
from tests.factories.requests import RequestMarket, at, do
from tests.factories.users import User, Users

SCRIPT = "document.documentElement.classList.add('light')"
BUILT = f"""<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <!--head-->
    <meta
      name="description"
      content="Find verified professionals near you."
    />
    <title>Doorstep</title>
    <!--/head-->
    <script>{SCRIPT}</script>
  </head>
  <body>
    <div id="app" class="isolate"></div>
    <script type="module" src="/app/assets/main.js"></script>
  </body>
</html>
"""
TASK_PAGE = "<!--head--><title>{{name}}</title><!--/head--><h1>{{name}}</h1><script>{{data}}</script>"
TEXTS = {
    "professionals": ["nobody", "one", "{{count}}"],
    "count": ["nobody", "one", "{{count}}"],
    "hours": [f"{hours} hr" for hours in range(25)],
    "minutes": [f"{minutes} min" for minutes in range(60)],
    "money": "₹{{amount}}",
    "pictures": {"home": "/home.svg"},
    "kinds": [],
}
PLACE_NAMESPACE = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
HOSTILE = "</script><script>alert(1)</script><!-- & 'x' \u2028"


@pytest.fixture(autouse=True)
def dist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(web_app, "DIST", tmp_path)
    (tmp_path / "pages").mkdir()
    for language in ("en", "hi"):
        page = BUILT.replace('lang="en"', f'lang="{language}"')
        (tmp_path / f"pages/empty.{language}.html").write_text(page, encoding="utf-8")
    list_pages(tmp_path, "empty.en", "empty.hi")
    return tmp_path


def list_pages(dist: Path, *names: str) -> None:
    hashes = {"scripts": ["sha256-abc="], "styles": []}
    (dist / "pages/manifest.json").write_text(json.dumps(dict.fromkeys(names, hashes)))


@pytest.fixture
def market(users: Users) -> RequestMarket:
    return RequestMarket(users)


class Head(HTMLParser):
    """The title, links, descriptions and structured data of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.meta: dict[str, str] = {}
        self.links: list[dict[str, str | None]] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.tags: list[str] = []
        self.title = ""
        self._inside = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.tags.append(tag)
        self._inside = tag if tag in ("title", "script") else self._inside
        if tag == "meta":
            self.meta[str(values.get("name") or values.get("property"))] = str(values.get("content"))
        if tag == "link":
            self.links.append(values)
        if tag == "script":
            self.scripts.append((values, ""))

    def handle_endtag(self, tag: str) -> None:
        self._inside = "" if tag == self._inside else self._inside

    def handle_data(self, data: str) -> None:
        if self._inside == "title":
            self.title += data
        if self._inside == "script":
            attributes, said = self.scripts[-1]
            self.scripts[-1] = (attributes, said + data)

    @property
    def data(self) -> dict[str, Any]:
        (found,) = [said for attributes, said in self.scripts if attributes.get("type") == "application/ld+json"]
        return dict(json.loads(found))

    def link(self, rel: str, language: str | None = None) -> str | None:
        found = [one["href"] for one in self.links if one.get("rel") == rel and one.get("hreflang") == language]
        return found[0] if found else None


def get(users: Users, path: str, status: int = 200) -> tuple[str, Head]:
    answer = users.visitor().get(path)
    assert answer.status_code == status, answer.get_data(as_text=True)[:500]
    page = answer.get_data(as_text=True)
    return page, Head(page)


def reviewed(market: RequestMarket, users: Users, ravi: User, comment: str = "Quick and clean") -> None:
    asha = users.customer()
    request = market.bring_to("closed", asha, ravi, date_of_request=at(days=2))
    do(asha, f"/requests/{request['id']}/review", {"rating": 4, "comment": comment})
    do(ravi, f"/requests/{request['id']}/review/reply", {"reply": "Thank you, Asha"})


@pytest.mark.parametrize("language", ["en", "hi"])
def test_landing_page_describes_the_marketplace_in_its_head(
    users: Users, client: FlaskClient, dist: Path, language: str
) -> None:
    entry = BUILT.replace('<div id="app" class="isolate"></div>', '<div id="app"><h1>As built</h1></div>')
    (dist / f"pages/landing.{language}.html").write_text(entry, encoding="utf-8")
    list_pages(dist, f"empty.{language}", f"landing.{language}")
    address = {"en": "/app/", "hi": "/app/?lang=hi"}
    page, head = get(users, address[language])
    home = "http://127.0.0.1:5000"
    title = {"en": "Verified professionals for your home", "hi": "आपके घर के लिए वेरिफ़ाइड प्रोफ़ेशनल"}[language]
    assert head.title == head.meta["og:title"] == f"{title} | Doorstep"
    assert head.meta["description"] == head.meta["og:description"]
    assert ("Find verified" in head.meta["description"]) == (language == "en")
    assert head.link("canonical") == head.meta["og:url"] == home + address[language]
    assert [head.link("alternate", one) for one in ("x-default", "hi")] == [home + one for one in address.values()]
    assert head.meta["og:image"] == f"{home}/app/icons/icon-512.png"
    assert (head.data["@type"], head.data["name"], head.data["url"]) == ("WebSite", "Doorstep", f"{home}/app/")
    assert head.data["potentialAction"]["target"]["urlTemplate"] == f"{home}/app/search?q={{search_term_string}}"
    assert "<h1>As built</h1>" in page, "it stands without data"
    assert page.count("<title>") == 1
    client.set_cookie("csrf_refresh_token", "x")
    assert "As built" not in client.get(address[language]).get_data(as_text=True), "not a visitor's page"


def test_profile_page_describes_the_professional_in_its_head(market: RequestMarket, users: Users) -> None:
    ravi = market.professional(firstname="Ravi", compname="Rao & Sons")
    reviewed(market, users, ravi)
    photo = show_photo(ravi, users.admin())
    ravi.patch("/me/profile", {"about": "Pipes and taps."})
    _, head = get(users, f"/app/professionals/{ravi.id}")
    home = "http://127.0.0.1:5000"
    assert head.title == "Ravi, Rao & Sons | Doorstep"
    assert head.meta["description"] == "Rao & Sons: Plumbing. Rated 4.0 out of 5 in 1 review. Pipes and taps."
    assert head.link("canonical") == f"{home}/app/professionals/{ravi.id}"
    assert head.link("alternate", "hi") == f"{home}/app/professionals/{ravi.id}?lang=hi"
    assert head.link("alternate", "x-default") == head.link("canonical")
    assert (head.meta["og:type"], head.meta["og:image"]) == ("profile", home + photo)
    assert head.meta["og:title"] == head.title
    data = head.data
    assert (data["@type"], data["name"], data["image"]) == ("ProfessionalService", "Rao & Sons", home + photo)
    assert data["aggregateRating"]["ratingValue"] == "4.00"
    assert data["aggregateRating"]["reviewCount"] == 1
    (offer,) = data["makesOffer"]
    assert (offer["price"], offer["priceCurrency"], offer["itemOffered"]["name"]) == ("499.00", "INR", "Plumbing")


def test_profile_page_reads_without_javascript(market: RequestMarket, users: Users) -> None:
    ravi = market.professional(firstname="Ravi", lastname="Unsaid", phone="+919876543201")
    reviewed(market, users, ravi)
    ravi.patch("/me/profile", {"about": "Pipes and taps."})
    page, head = get(users, f"/app/professionals/{ravi.id}")
    said = html.unescape(re.sub(r"<[^>]+>", " ", page))
    for text in ("Ravi", "Rao and Sons", "Plumbing", "₹499", "Pipes and taps.", "Quick and clean", "Thank you, Asha"):
        assert text in said
    assert head.tags.count("h1") == 1
    assert f'href="/app/tasks/{market.task_id}/ask?professional={ravi.id}"' in page
    account = ravi.get("/me").json
    assert not [account[name] for name in ("email", "phone", "address", "pincode", "lastname") if account[name] in page]


def test_public_page_keeps_the_built_page_and_its_policy(market: RequestMarket, users: Users) -> None:
    ravi = market.professional()
    answer = users.visitor().get(f"/app/professionals/{ravi.id}")
    page = answer.get_data(as_text=True)
    assert '<div id="app" class="isolate"></div>' in page
    assert 'src="/app/assets/main.js"' in page
    assert "Find verified professionals near you." not in page
    assert "script-src 'self' 'sha256-abc=';" in answer.headers["Content-Security-Policy"]
    assert {"Accept-Language", "Cookie"} <= set(answer.vary)
    assert answer.headers["Cache-Control"] == "no-cache"
    again = users.visitor().get(f"/app/professionals/{ravi.id}", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304


@pytest.mark.parametrize("by", ["link", "cookie", "browser"])
def test_public_page_is_in_the_language_of_link_cookie_or_browser(
    market: RequestMarket, users: Users, client: FlaskClient, by: str
) -> None:
    if by == "cookie":
        client.set_cookie("doorstep-language", "hi")
    headers = {"Accept-Language": "hi-IN"} if by == "browser" else {}
    address = f"/app/tasks/{market.task_id}"
    page = client.get(address + ("?lang=hi" if by == "link" else ""), headers=headers).get_data(as_text=True)
    head = Head(page)
    assert "<!--head-->" not in page
    assert '<html lang="hi">' in page
    assert head.meta["og:locale"] == "hi_IN"
    assert head.link("canonical") == f"http://127.0.0.1:5000{address}?lang=hi"
    assert Head(client.get(f"{address}?lang=en").get_data(as_text=True)).meta["og:locale"] == "en_IN"


@pytest.mark.parametrize("query", ["", "?pincode=560001", "?lang=en"])
def test_task_page_is_the_entry_page_with_another_head(
    market: RequestMarket, client: FlaskClient, dist: Path, query: str
) -> None:
    pages = {"rated": TASK_PAGE, "unrated": TASK_PAGE}
    (dist / "pages/task.en.json").write_text(json.dumps({"pages": pages, "texts": TEXTS}))
    list_pages(dist, "empty.en", "task.en")
    page = client.get(f"/app/tasks/{market.task_id}{query}").get_data(as_text=True)
    assert "<h1>Plumbing</h1>" in page
    assert Head(page).title.startswith("Plumbing")
    assert Head(page).meta["og:type"] == "website"
    assert page.count("<title>") == 1
    assert "served" not in page
    client.set_cookie("csrf_refresh_token", "x")
    assert 'id="served"' in client.get(f"/app/tasks/{market.task_id}").get_data(as_text=True), "not a visitor's page"


def test_public_page_escapes_what_people_typed(market: RequestMarket, users: Users) -> None:
    ravi = market.professional(firstname="<b>Ravi", compname='"Rao" </title>')
    ravi.patch("/me/profile", {"about": HOSTILE})
    reviewed(market, users, ravi, comment=HOSTILE)
    page, head = get(users, f"/app/professionals/{ravi.id}")
    assert "<script>alert" not in page
    assert "<b>" not in page
    assert [said.strip() for attributes, said in head.scripts if not attributes] == [SCRIPT]
    assert head.data["description"] == HOSTILE.strip()
    assert head.title.startswith('<b>Ravi, "Rao" </title>')


@pytest.mark.parametrize("kind", ["professionals", "tasks"])
def test_page_that_is_not_public_is_404_and_not_indexed(users: Users, market: RequestMarket, kind: str) -> None:
    pending = users.professional(approved=False, has_document=True)
    off = market.task("Tiling", isactive=False)
    for number in (pending.id if kind == "professionals" else off, 99999):
        page, head = get(users, f"/app/{kind}/{number}", status=404)
        assert head.meta["robots"] == "noindex"
        assert '<div id="app"' in page, "the application says what is missing"
        assert "served" not in page


def test_profile_page_of_professional_blocked_meanwhile_is_404(market: RequestMarket, users: Users) -> None:
    ravi, admin = market.professional(), users.admin()
    get(users, f"/app/professionals/{ravi.id}")
    do(admin, f"/users/{ravi.id}/block", {"reason": "other"})
    get(users, f"/app/professionals/{ravi.id}", status=404)


def test_task_page_has_price_rating_and_offer(market: RequestMarket, users: Users) -> None:
    reviewed(market, users, market.professional())
    page, head = get(users, f"/app/tasks/{market.task_id}")
    assert head.title == "Plumbing: ₹499 | Doorstep"
    assert (head.data["@type"], head.data["offers"]["price"]) == ("Service", "499.00")
    assert head.data["aggregateRating"]["reviewCount"] == 1
    assert "4.00 out of 5, 1 review" in page
    assert head.link("canonical") == f"http://127.0.0.1:5000/app/tasks/{market.task_id}"


def test_task_page_in_a_served_place_is_a_page_of_its_own(market: RequestMarket, users: Users) -> None:
    market.professional(pincode="560001")
    _, head = get(users, f"/app/tasks/{market.task_id}?pincode=560001")
    assert "560001" in head.title
    assert head.meta["description"].startswith("1 verified professional for Plumbing in ")
    assert head.link("canonical") == f"http://127.0.0.1:5000/app/tasks/{market.task_id}?pincode=560001"
    assert head.link("alternate", "hi") == f"http://127.0.0.1:5000/app/tasks/{market.task_id}?pincode=560001&lang=hi"
    assert "560001" in head.data["areaServed"]


@pytest.mark.parametrize("pincode", ["110001", "999999", "x", "5600010", "'"])
def test_task_page_in_a_place_nobody_serves_is_the_task_page(market: RequestMarket, users: Users, pincode: str) -> None:
    market.professional(pincode="560001")
    _, head = get(users, f"/app/tasks/{market.task_id}?pincode={pincode}")
    assert head.link("canonical") == f"http://127.0.0.1:5000/app/tasks/{market.task_id}"


def test_public_pages_are_cached_until_the_catalogue_changes(market: RequestMarket, users: Users) -> None:
    ravi = market.professional()
    path = f"/app/professionals/{ravi.id}"
    get(users, path)
    with count_queries() as counted:
        get(users, path)
    assert counted.number == 0
    ravi.patch("/me", {"compname": "Renamed Works"})
    _, head = get(users, path)
    assert head.title.startswith(f"{ravi.get('/me').json['firstname']}, Renamed Works")


def locations(users: Users, path: str) -> list[str]:
    answer = users.visitor().get(path)
    assert (answer.status_code, answer.mimetype) == (200, "application/xml")
    root = ET.fromstring(answer.data)
    return [str(found.text) for found in root.iter(f"{PLACE_NAMESPACE}loc")]


def test_sitemap_lists_only_what_is_public(market: RequestMarket, users: Users, app: Flask) -> None:
    home = app.extensions["settings"].public_url
    ravi = market.professional(pincode="560001", radius_km=1)
    blocked = market.professional()
    users.professional(approved=False)
    do(users.admin(), f"/users/{blocked.id}/block", {"reason": "other"})
    unserved = market.task("Tiling")
    index = locations(users, "/sitemap.xml")
    names = ["pages", "professionals-0", f"tasks-{market.task_id}"]
    assert index == [f"{home}/sitemaps/{name}.xml" for name in names]
    assert locations(users, "/sitemaps/pages.xml") == [f"{home}/app/"]
    assert locations(users, "/sitemaps/professionals-0.xml") == [f"{home}/app/professionals/{ravi.id}"]
    tasks = locations(users, f"/sitemaps/tasks-{market.task_id}.xml")
    assert tasks[0] == f"{home}/app/tasks/{market.task_id}"
    assert f"{home}/app/tasks/{market.task_id}?pincode=560001" in tasks
    assert not [one for one in tasks if "110001" in one]
    for path in (f"/sitemaps/tasks-{unserved}.xml", "/sitemaps/professionals-7.xml", "/sitemaps/tasks-999999.xml"):
        assert users.visitor().get(path).status_code == 404
    for one in tasks[:2]:
        assert Head(users.visitor().get(one.removeprefix(home)).get_data(as_text=True)).link("canonical") == one


def test_sitemaps_are_cut_at_the_most_addresses_of_a_file(
    market: RequestMarket, users: Users, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sitemaps, "MOST_URLS", 2)
    everyone = [market.professional() for _ in range(5)]
    listed = [one for part in range(4) for one in locations_or_none(users, f"/sitemaps/professionals-{part}.xml")]
    assert len(listed) == len(everyone)
    assert max(len(locations_or_none(users, f"/sitemaps/professionals-{part}.xml")) for part in range(4)) <= 2


def locations_or_none(users: Users, path: str) -> list[str]:
    return locations(users, path) if users.visitor().get(path).status_code == 200 else []


def test_robots_txt_names_the_sitemap_and_private_pages(users: Users, app: Flask) -> None:
    answer = users.visitor().get("/robots.txt")
    lines = answer.get_data(as_text=True).splitlines()
    assert answer.mimetype == "text/plain"
    assert f"Sitemap: {app.extensions['settings'].public_url}/sitemap.xml" in lines
    disallowed = [line.removeprefix("Disallow: ") for line in lines if line.startswith("Disallow: ")]
    for public in ("/app/", "/app/professionals/7", "/app/tasks/3", "/app/search", "/profiles/7/photo/ab"):
        assert not [prefix for prefix in disallowed if public.startswith(prefix)], public
    assert "/app/admin" in disallowed


def test_public_page_without_a_build_says_so(users: Users, market: RequestMarket, dist: Path) -> None:
    (dist / "pages/manifest.json").unlink()
    assert users.visitor().get(f"/app/tasks/{market.task_id}").status_code == 503
