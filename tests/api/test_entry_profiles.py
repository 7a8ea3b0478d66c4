"""A visitor's page of a profile: filled from templates of the build with what the API answers, and nothing else."""

import html
import json
import re
from pathlib import Path
from typing import Final

import pytest
from flask.testing import FlaskClient

from backend.api import entry_profiles, web_app
from backend.api.entry_profiles import Profile, Review, Reviews
from tests.factories.photos import show_photo
from tests.factories.queries import count_queries
from tests.factories.requests import RequestMarket, at, do
from tests.factories.users import User, Users

PAGE: Final = (
    "<!--head--><title>{{firstname}}</title><!--/head--><h1>{{firstname}}</h1>{{compname}} [{{picture}}] {{verified}} "
    "{{rating}} ({{reviews}}) {{count}} <ul>{{facts}}</ul>{{tasks}}<ol>{{bars}}</ol>{{introduction}}{{list}}"
    '<script type="application/json" id="first-data">{{data}}</script>'
)
LONG: Final = "{{text}}<button>more</button>"
ROWS: Final = {
    "photo": '<img src="{{photo}}" alt="{{firstname}}">',
    "letter": "{{letter}}",
    **{f"fact_{name}": f"<li>{name}: {{{{text}}}}</li>" for name in ("exp", "done", "response", "area", "since")},
    "tasks": "<ul>{{rows}}</ul>",
    "tasks_none": "{{firstname}} offers nothing",
    "task": (
        '<a href="/tasks/{{id}}{{query}}">{{name}}</a> {{price}} <a href="/tasks/{{id}}/ask{{ask}}">{{firstname}}</a>'
    ),
    "bar": "{{stars}} {{label}} {{width}} {{given}};",
    "introduction": "<p>{{firstname}}: {{about}}</p>",
    "introduction_none": "<!---->",
    "review": '<li>{{rating}} {{name}} <time datetime="{{at}}">{{day}}</time> {{comment}} {{reply}}</li>',
    "comment": "{{text}}",
    "comment_long": LONG,
    "comment_none": "<!---->",
    "reply": "{{firstname}}: {{text}}",
    "reply_long": f"{{{{firstname}}}}: {LONG}",
    "reply_none": "<!---->",
    "list": "<ul>{{rows}}</ul>",
    "list_more": "<ul>{{rows}}</ul><button>more</button>",
    "list_none": "no reviews",
}
MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sept", "Oct", "Nov", "Dec")
TEXTS: Final = {
    "verified": "Verified",
    "verified_until": "Verified until {{date}}",
    "exp": ["New", "1 year", "{{count}} years"],
    "done": ["None done", "1 done", "{{count}} done"],
    "count": ["No reviews yet", "1 review", "{{count}} reviews"],
    "responses": {"within_1_hour": "within an hour"},
    "area": "Serves {{area}}",
    "since": "Since {{month}}",
    "bars": [f"{stars} stars: {{{{count}}}}" for stars in range(1, 6)],
    "by_quote": "from {{price}}",
    "money": "₹{{amount}}",
    "dates": {
        "weekdays": ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"],
        "day": [f"{{{{weekday}}}}, {{{{day}}}} {month} {{{{year}}}}" for month in MONTHS],
        "day_year": [f"{{{{day}}}} {month} {{{{year}}}}" for month in MONTHS],
        "month": [f"{month} {{{{year}}}}" for month in MONTHS],
    },
}
PROFILE: Final[Profile] = {
    "id": 9,
    "firstname": "Ravi",
    "compname": "Rao & Sons",
    "exp": 7,
    "about": "Pipes",
    "photo_url": "/profiles/9/photo/ab12",
    "tasks": [{"id": 3, "name": "Taps", "base_price": "149900.00", "pricing": "fixed"}],
    "rating": 4.25,
    "rating_counts": {"1": 0, "2": 1000, "3": 0, "4": 0, "5": 3000},
    "reviews": 4000,
    "tasks_done": 1,
    "verified_until": "2027-03-12T10:00:00+05:30",
    "member_since": "2025-06-01T10:00:00+05:30",
    "response_time": "within_1_hour",
    "service_area": "Bengaluru, Karnataka",
}
REVIEW: Final[Review] = {
    "rating": 5,
    "comment": "Neat",
    "created_at": "2026-10-31T23:00:00+00:00",
    "task_name": "Taps",
    "reply": "Thanks",
}
HOSTILE: Final = "</script><script>alert(1)</script><!-- & 'x' {{rows}}"


@pytest.fixture
def dist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Create a build with small templates of a profile."""
    monkeypatch.setattr(web_app, "DIST", tmp_path)
    pages = tmp_path / "pages"
    pages.mkdir()
    (pages / "manifest.json").write_text(
        json.dumps({name: {"scripts": [], "styles": []} for name in ("empty.en", "profile.en")})
    )
    (pages / "empty.en.html").write_text('<!--head--><!--/head--><div id="app"></div>')
    templates = {"pages": {"rated": PAGE, "unrated": f"unrated {PAGE}"}, "rows": ROWS, "texts": TEXTS}
    (pages / "profile.en.json").write_text(json.dumps(templates))
    return tmp_path


@pytest.fixture
def market(users: Users) -> RequestMarket:
    return RequestMarket(users)


def review_of(market: RequestMarket, users: Users, ravi: User, comment: str) -> None:
    asha = users.customer()
    request = market.bring_to("closed", asha, ravi, date_of_request=at(days=2))
    do(asha, f"/requests/{request['id']}/review", {"rating": 4, "comment": comment})


def shown(pincode: str = "", reviews: Reviews | None = None, profile: Profile = PROFILE) -> dict[str, str]:
    listed: Reviews = reviews or {"items": [REVIEW], "next_cursor": None}
    return dict(entry_profiles.shown(ROWS, TEXTS, profile, listed, pincode=pincode)[1])


@pytest.mark.usefixtures("dist")
def test_profile_page_has_content_and_the_answers_it_is_made_of(
    market: RequestMarket, users: Users, client: FlaskClient
) -> None:
    ravi = market.professional(firstname="Ravi")
    photo = show_photo(ravi, users.admin())
    review_of(market, users, ravi, "Quick and clean")
    address = f"/app/professionals/{ravi.id}"
    page = client.get(f"{address}?pincode=560001").text
    assert "<h1>Ravi</h1>" in page
    assert f'<img src="{photo}" alt="Ravi">' in page
    assert f'href="/tasks/{market.task_id}/ask?pincode=560001&amp;professional={ravi.id}"' in page
    assert "Quick and clean" in page
    (sent,) = re.findall(r'id="first-data">(.*?)</script>', page)
    assert json.loads(sent) == {
        "url": f"{address}?pincode=560001",
        "body": {
            "profile": client.get(f"/profiles/{ravi.id}").json,
            "reviews": client.get(f"/profiles/{ravi.id}/reviews").json,
        },
    }
    with count_queries() as counted:
        client.get(f"{address}?pincode=560001")
    assert counted.number == 0
    assert "served" not in page
    client.set_cookie("csrf_refresh_token", "x")
    assert 'id="served"' in client.get(address).text, "not a visitor's page"


@pytest.mark.usefixtures("dist")
def test_profile_page_shows_what_was_typed_as_text_only(
    market: RequestMarket, users: Users, client: FlaskClient
) -> None:
    ravi = market.professional(firstname="<b>Ravi", compname="{{rows}}")
    ravi.patch("/me/profile", {"about": HOSTILE})
    review_of(market, users, ravi, HOSTILE)
    page = client.get(f"/app/professionals/{ravi.id}").text
    assert "<b>" not in page
    assert page.count("</script>") == 2, "structured data and the answers"
    assert page.count(html.escape(HOSTILE)) == 2


@pytest.mark.usefixtures("dist")
@pytest.mark.parametrize(("address", "status"), [("999999", 404), ("999999/", 200), ("9" * 30, 200)])
def test_profile_page_of_unknown_professional_is_empty(client: FlaskClient, address: str, status: int) -> None:
    answer = client.get(f"/app/professionals/{address}")
    assert (answer.status_code, "<h1>" in answer.text) == (status, False)
    assert '<div id="app"' in answer.text


@pytest.mark.usefixtures("app")
def test_profile_is_shown_in_the_words_and_figures_of_the_application() -> None:
    template, values = entry_profiles.shown(ROWS, TEXTS, PROFILE, {"items": [REVIEW], "next_cursor": "x"}, pincode="")
    assert template == "rated"
    assert values["compname"] == "Rao &amp; Sons"
    assert values["verified"] == "Verified until 12 Mar 2027"
    assert (values["rating"], values["count"]) == ("4.3", "4000 reviews")
    assert values["facts"] == (
        "<li>exp: 7 years</li><li>done: 1 done</li><li>response: within an hour</li>"
        "<li>area: Serves Bengaluru, Karnataka</li><li>since: Since Jun 2025</li>"
    )
    assert values["tasks"] == (
        '<ul><a href="/tasks/3">Taps</a> ₹1,49,900 <a href="/tasks/3/ask?professional=9">Ravi</a></ul>'
    )
    assert values["bars"].startswith("5 5 stars: 3000 75 3,000;4 4 stars: 0 0 0;")
    # A Sunday in India, where the marketplace is.
    assert values["list"] == (
        '<ul><li>5.0 Taps <time datetime="2026-10-31T23:00:00+00:00">Sun, 1 Nov 2026</time> Neat Ravi: Thanks</li></ul>'
        "<button>more</button>"
    )


@pytest.mark.usefixtures("app")
def test_profile_without_anything_yet_leaves_it_out_or_says_so() -> None:
    bare: Profile = {
        **PROFILE,
        "about": "",
        "photo_url": None,
        "tasks": [],
        "rating": None,
        "reviews": 0,
        "verified_until": None,
        "response_time": None,
        "service_area": "",
    }
    template, values = entry_profiles.shown(ROWS, TEXTS, bare, {"items": [], "next_cursor": None}, pincode="560001")
    assert template == "unrated"
    assert (values["picture"], values["verified"], values["introduction"]) == ("R", "Verified", "<!---->")
    assert (values["tasks"], values["list"], values["count"]) == (
        "Ravi offers nothing",
        "no reviews",
        "No reviews yet",
    )
    assert "response" not in values["facts"]
    assert "area" not in values["facts"]


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize(
    ("comment", "text"),
    [
        ("x" * 400, "x" * 400),
        ("word " * 90, f"{'word ' * 79}word …<button>more</button>"),
        ("x" * 401, f"{'x' * 400} …<button>more</button>"),
        ("😀" * 201, f"{'😀' * 200} …<button>more</button>"),
    ],
)
def test_long_review_is_cut_where_the_application_cuts_it(comment: str, text: str) -> None:
    listed = shown(reviews={"items": [{**REVIEW, "comment": comment, "reply": None}], "next_cursor": None})["list"]
    assert listed.endswith(f"</time> {text} <!----></li></ul>")
