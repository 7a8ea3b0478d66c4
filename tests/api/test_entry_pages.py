"""Entry pages filled with data: results, a task and the landing page are in the HTML, also without JavaScript."""

import html
import json
import re
from pathlib import Path
from typing import Any, Final

import pytest
from flask.testing import FlaskClient

from backend.api import entry_texts, web_app
from tests.factories.tasks import make_task

CARD: Final = (
    '<li><a href="/app/tasks/{{id}}{{query}}">{{name}}</a> {{price}}, {{duration}}, {{offer}}, {{picture}}</li>'
)
PAGE: Final = (
    '<!doctype html><title>{{title}}</title><input value="{{q}}"><input value="{{place}}"><ul>{{rows}}</ul>{{near}}'
    '<script type="application/json" id="first-data">{{data}}</script>'
)
TEXTS: Final = {
    "titles": {"none": "All", "q": "“{{q}}”", "place": "Near {{place}}", "qplace": "“{{q}}” near {{place}}"},
    "professionals": ["nobody yet", "1 professional", "{{count}} professionals"],
    "count": ["nobody", "one", "{{count}}"],
    "narrow": ["Filter"] * 6,
    "everything": "Everything",
    "here": "here",
    "nearest": "{{km}} km away",
    "hours": [f"{hours} hr" for hours in range(25)],
    "minutes": [f"{minutes} min" for minutes in range(60)],
    "money": "₹{{amount}}",
    "pictures": {"home": "/home.svg", "plumbing": "/plumbing.svg"},
    "kinds": [["plumb|pipe", "plumbing"]],
}
TASK_PAGE: Final = (
    "<!--head--><title>{{name}}</title><!--/head-->"
    "<h1>{{name}}</h1>{{description}} {{price}} {{count}} {{query}} {{next}}<script>{{data}}</script>"
)


@pytest.fixture(autouse=True)
def dist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Create a build of the filled pages with small templates."""
    monkeypatch.setattr(web_app, "DIST", tmp_path)
    pages = tmp_path / "pages"
    pages.mkdir()
    names = ["empty.en", "landing.en", "search.en", "task.en"]
    (pages / "manifest.json").write_text(json.dumps({name: {"scripts": [], "styles": []} for name in names}))
    for name in names:
        (pages / f"{name}.html").write_text(f"<!--head--><title>{name} as built</title><!--/head-->")
    rows = {"rated": CARD, "unrated": CARD, "chip": '<a href="/app/search{{query}}">{{label}}</a>'}
    search = {"list": PAGE, "empty": f"none {PAGE}", "empty-place": f"none here {PAGE}", "empty-place-near": PAGE}
    write(pages / "search.en.json", {"pages": search, "rows": rows, "texts": TEXTS})
    landing = {"list": "<ul>{{rows}}</ul>{{data}}", "empty": "<p>Nothing</p>{{data}}"}
    write(pages / "landing.en.json", {"pages": landing, "rows": rows, "texts": TEXTS})
    write(pages / "task.en.json", {"pages": {"rated": TASK_PAGE, "unrated": TASK_PAGE}, "texts": TEXTS})
    return tmp_path


def write(path: Path, content: object) -> None:
    path.write_text(json.dumps(content))


def first_data(page: str) -> Any:
    (found,) = re.findall(r'id="first-data">(.*?)</script>', page)
    return json.loads(found)


def test_results_are_in_page_as_api_returns_them(client: FlaskClient) -> None:
    task = make_task(name="Tap repair", category="Plumbing", base_price="1234567.50")
    address = "/app/search?q=tap"
    page = client.get(address).text
    assert f'<a href="/app/tasks/{task.id}">Tap repair</a> ₹12,34,567.50, ' in page
    assert "nobody yet, /plumbing.svg" in page
    assert "<title>“tap”</title>" in page
    assert '<input value="tap">' in page
    assert first_data(page) == {"url": address, "body": client.get("/search?limit=20&q=tap").json}


def test_results_show_what_was_typed_as_text_only(client: FlaskClient) -> None:
    make_task(name='<b>{{q}}</b>"</script>', category="Repairs")
    page = client.get("/app/search", query_string={"q": '"><b>{{rows}}'}).text
    assert "<b>" not in page
    assert '<input value="&quot;&gt;&lt;b&gt;{{rows}}">' in page
    page = client.get("/app/search").text
    assert html.escape("<b>{{q}}</b>") in page
    assert page.count("</script>") == 1
    assert first_data(page)["body"]["items"][0]["name"] == '<b>{{q}}</b>"</script>'


def test_results_without_hits_say_so(client: FlaskClient) -> None:
    assert client.get("/app/search?q=unknown").text.startswith("none <!doctype")
    assert client.get("/app/search?q=unknown&location=Qzxqzx").text.startswith("none here")


def test_pincode_in_form_s_field_for_places_is_taken_as_pincode(client: FlaskClient) -> None:
    page = client.get("/app/search?q=tap&location=560001").text
    assert "<title>“tap” near 560001</title>" in page
    assert first_data(page)["body"] == client.get("/search?limit=20&pincode=560001&q=tap").json


@pytest.mark.parametrize("query", ["max_price=cheap", "sort=beauty", "radius_km=0"])
def test_page_for_filters_that_api_rejects_is_empty(client: FlaskClient, query: str) -> None:
    answer = client.get(f"/app/search?{query}")
    assert (answer.status_code, answer.text) == (200, "<!--head--><title>empty.en as built</title><!--/head-->")


def test_landing_page_shows_tasks_or_says_that_there_are_none(client: FlaskClient) -> None:
    empty = client.get("/app/").text
    assert empty.startswith("<p>Nothing</p>{")
    assert '"items":[]' in empty
    task = make_task()
    answer = client.get("/app/", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["Content-Encoding"] == "gzip"
    assert f"/app/tasks/{task.id}" in client.get("/app/").text
    assert f"/app/tasks/{task.id}" in client.get("/app/?from=mail").text
    again = client.get("/app/", headers={"Accept-Encoding": "gzip", "If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304


def test_task_page_shows_task_and_is_empty_for_unknown_task(client: FlaskClient) -> None:
    task = make_task(name="Tap <repair>", description="A & B")
    page = client.get(f"/app/tasks/{task.id}?pincode=560001").text
    assert "<h1>Tap &lt;repair&gt;</h1>A &amp; B" in page
    assert f"nobody ?pincode=560001 /tasks/{task.id}?pincode=560001" in page
    assert f'"url":"/app/tasks/{task.id}?pincode=560001"' in page
    unknown = client.get("/app/tasks/999999")
    assert (unknown.status_code, "<h1>" in unknown.text) == (404, False)
    assert "<h1>" not in client.get(f"/app/tasks/{task.id}?other=1").text


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        ("349.00", "INR", "₹349"),
        ("1499.50", "INR", "₹1,499.50"),
        ("100000.00", "INR", "₹1,00,000"),
        ("12345678.00", "INR", "₹1,23,45,678"),
        ("349.00", "EUR", "EUR 349.00"),
    ],
)
@pytest.mark.usefixtures("app")
def test_money_is_grouped_as_in_india(amount: str, currency: str, shown: str) -> None:
    assert entry_texts.money(TEXTS, amount, currency) == shown


@pytest.mark.parametrize(("minutes", "shown"), [(30, "30 min"), (60, "1 hr"), (95, "1 hr 35 min"), (1440, "24 hr")])
def test_duration_is_in_hours_and_minutes(minutes: int, shown: str) -> None:
    assert entry_texts.duration(TEXTS, minutes) == shown


@pytest.mark.parametrize(("value", "shown"), [(4, "4.0"), (4.25, "4.3"), (4.35, "4.4"), (4.949, "4.9"), (4.95, "5.0")])
def test_rating_is_rounded_half_up_as_the_application_rounds(value: float, shown: str) -> None:
    assert entry_texts.rounded(value) == shown
