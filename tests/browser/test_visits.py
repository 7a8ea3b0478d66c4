"""A visit between two people in two browsers, and the link by which others follow it."""

import itertools
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import psycopg
import pytest
from playwright.sync_api import Locator, Route, expect

from tests.browser.conftest import OpenScreen
from tests.browser.screen import DESK, PHONE, Screen
from tests.browser.test_offline import wait_for_kept
from tests.browser.test_pages import sign_in
from tests.browser.texts import text
from tests.factories.files import picture
from tests.harness.caller import PASSWORD, Caller
from tests.harness.market import RunningMarket

pytestmark = pytest.mark.browser
NUMBERS = itertools.count(1)
DAYS = itertools.count(3)


class Visit(NamedTuple):
    """An accepted request with its two users."""

    id: int
    customer: Caller
    professional: Caller


@pytest.fixture
def accepted(market: RunningMarket) -> Callable[..., Visit]:
    """Return a function that makes an accepted request; ``policy`` is of the start code, ``points`` are a checklist."""

    def make(policy: str, *points: str) -> Visit:
        admin, customer = market.admin(), market.visitor().sign_up()
        professional = market.visitor().sign_up("professional")
        proof = picture(size=(300, 200))
        professional.put("/me/document", files={"document": ("proof.png", proof, "image/png")})
        admin.post(f"/professionals/{professional.account['id']}/approve")
        offered = {"category": "Repairs", "base_price": "349.00", "time_required": 60, "description": "By the hour"}
        task = admin.post("/tasks", {**offered, "name": f"Visited repair {next(NUMBERS)}"}, status=201)["id"]
        admin.put(f"/tasks/{task}/policy", {"start_code": policy})
        if points:
            checklist = {"points": [{"text": point, "photo": False} for point in points], "required": True}
            admin.put(f"/tasks/{task}/checklist", checklist)
        professional.patch("/me", {"task_ids": [task]})
        when = (datetime.now(UTC) + timedelta(days=next(DAYS))).isoformat()
        request: dict[str, Any] = customer.post("/requests", {"task_id": task, "date_of_request": when}, status=201)
        professional.post(f"/requests/{request['id']}/accept")
        return Visit(request["id"], customer, professional)

    return make


def opened(window: Screen, caller: Caller, visit: Visit) -> Screen:
    """Sign in and open the request."""
    sign_in(window, caller.account["username"], PASSWORD)
    return window.go(f"/requests/{visit.id}").expect_text("Visit")


def step(window: Screen, name: str) -> Locator:
    """Return the current step of the visit with this name."""
    return window.page.locator("li[aria-current=step]").get_by_text(name, exact=True)


def test_visit_from_setting_off_to_completion_in_two_browsers(
    screen: OpenScreen, market: RunningMarket, accepted: Callable[..., Visit]
) -> None:
    visit = accepted("required")
    with psycopg.connect(market.environment["DATABASE_URL"]) as connection:
        connection.execute("UPDATE task_requests SET reminded_at = now() WHERE id = %s", [visit.id])
    theirs = opened(screen(viewport=DESK), visit.customer, visit)
    mine = opened(screen(viewport=PHONE), visit.professional, visit)
    code = theirs.page.locator("[data-start-code] [aria-hidden]").inner_text()
    assert re.fullmatch(r"\d{4}", code)
    assert code not in mine.page.locator("main").inner_text()
    assert mine.button("Mark as completed").count() == 0
    mine.inspect("visit before, professional")
    theirs.inspect("visit before, customer")

    mine.go(f"/requests/{visit.id}?action=on_time").expect_path(f"/requests/{visit.id}")
    expect(mine.button("On time")).to_be_focused()
    expect(theirs.page.get_by_text("Confirmed as on time")).to_have_count(0)
    mine.page.keyboard.press("Enter")
    theirs.expect_text("Confirmed as on time").inspect("visit on time, customer")
    expect(mine.button("On time")).to_have_count(0)

    mine.page.get_by_label("Arrival in (optional)").click()
    mine.page.get_by_role("option", name=re.compile("^20 min")).click()
    mine.press("I am on my way")
    expect(step(theirs, "On the way")).to_be_visible()
    theirs.expect_text("Expected arrival:")
    mine.press("Running late").press("Send new time")
    expect(mine.button("Send new time")).to_have_count(0)
    mine.press("I have arrived")
    expect(step(theirs, "Arrived")).to_be_visible()
    mine.press("Undo last step")
    expect(step(theirs, "On the way")).to_be_visible()
    mine.inspect("visit on the way, professional")
    theirs.inspect("visit on the way, customer")

    mine.press("I have arrived")
    expect(step(theirs, "Arrived")).to_be_visible()
    field = mine.page.get_by_label("Start code")
    expect(field).to_have_attribute("inputmode", "numeric")
    expect(field).to_have_attribute("autocomplete", "one-time-code")
    field.fill(f"{(int(code) + 1) % 10_000:04}")
    mine.press("Start work")
    expect(mine.page.get_by_role("alert").get_by_text("The code is wrong.")).to_be_attached()
    expect(field).to_be_focused()
    mine.inspect("visit wrong code, professional")
    field.fill(code)
    mine.press("Start work")
    expect(step(theirs, "Started")).to_be_visible()
    expect(theirs.page.locator("[data-start-code]")).to_have_count(0)
    mine.press("Mark as completed")
    theirs.expect_text("The work is completed.").inspect("visit completed, customer")
    mine.inspect("visit completed, professional")


def test_visit_done_without_connection_is_sent_once_with_its_times(
    screen: OpenScreen, accepted: Callable[..., Visit]
) -> None:
    visit = accepted("required", "Water is off", "Joint is dry")
    path = f"/requests/{visit.id}"
    code = visit.customer.get(path)["start_code"]
    first = opened(screen(viewport=PHONE), visit.professional, visit)
    lose_answers_of(first, "**/arrive")
    first.press("I have arrived").expect_text("Not sent yet")
    first.page.unroute("**/arrive")
    expect(first.page.get_by_text("Not sent yet")).to_have_count(0)
    assert taken(visit) == ["arrive"]
    first.close()

    mine = opened(screen(viewport=PHONE, keeps_application=True), visit.professional, visit)
    mine.go("/agenda")
    wait_for_kept(mine.page, at_least=2)
    mine.go(path).expect_text("Start code").expect_text("0 of 2 done")
    wait_for_kept(mine.page, at_least=3)
    mine.go_offline()
    mine.page.get_by_label("Start code").fill(f"{(int(code) + 1) % 10_000:04}")
    mine.press("Start work").expect_text("This is saved on your device")
    for point in ("Water is off", "Joint is dry"):
        mine.page.get_by_role("checkbox", name=point).click()
    mine.expect_text("2 of 2 done").expect_text("Point 2 of the checklist ticked")
    mine.press("Mark as completed").expect_text("4 actions not sent yet.")
    expect(mine.button("Mark as completed")).to_have_count(0)
    mine.inspect("visit not sent yet, professional")
    mine.page.reload()
    mine.expect_text("Work completed").expect_text("2 of 2 done")
    mine.page.get_by_role("button", name=text("nav.account")).first.click()
    mine.page.get_by_role("menuitem", name="Sign out").click()
    mine.expect_text(re.compile("Work started at .*Work completed at .*")).press("Stay signed in")
    done_at = datetime.now(UTC)

    other = mine.page.context.new_page()
    other.goto(f"{mine.base}/app{path}")
    expect(other.get_by_text("4 actions not sent yet.")).to_be_visible()
    sent: list[str] = []
    changes = ("POST", "PUT")
    mine.page.context.on("request", lambda one: sent.append(one.url.split("/")[-1]) if one.method in changes else None)
    mine.page.context.set_offline(False)
    mine.expect_text("The code is wrong.").expect_text("was not accepted").inspect("visit refused, professional")
    mine.page.get_by_label("Start code").fill(code)
    mine.press("Start work")
    for page in (mine.page, other):
        expect(page.get_by_text("The work is completed.").first).to_be_visible()
        expect(page.get_by_text(re.compile("not sent yet|was not accepted"))).to_have_count(0)
    expected = ["start", "start", "1", "2", "complete"]
    assert [name for name in sent if name in expected] == expected
    assert taken(visit) == ["arrive", "start", "complete"]
    seen = visit.customer.get(path)
    claimed = [datetime.fromisoformat(seen[name]) for name in ("arrived_at", "started_at", "completed_at")]
    claimed[2:2] = [
        datetime.fromisoformat(point["done_at"]) for point in visit.customer.get(f"{path}/checklist")["items"]
    ]
    assert claimed == sorted(claimed)
    assert claimed[-1] <= done_at
    received = [datetime.fromisoformat(one["at"]) for one in seen["history"] if one["action"] in ("start", "complete")]
    assert min(received) > done_at


def lose_answers_of(window: Screen, address: str) -> None:
    """Let these calls reach the server, and keep its answers from the page."""

    def lose(route: Route) -> None:
        route.fetch()
        route.abort()

    window.page.route(address, lose)


def taken(visit: Visit) -> list[str]:
    """Return the actions of the visit that the history has."""
    entries = visit.customer.get(f"/requests/{visit.id}")["history"]
    return [entry["action"] for entry in entries if entry["action"] not in ("create", "accept")]


def test_customer_confirms_that_professional_is_there(screen: OpenScreen, accepted: Callable[..., Visit]) -> None:
    visit = accepted("offered")
    theirs = opened(screen(viewport=PHONE, dark=True), visit.customer, visit)
    theirs.inspect("visit dark, customer")
    theirs.press("They are here")
    expect(step(theirs, "Started")).to_be_visible()
    theirs.press("Undo last step")
    expect(theirs.button("They are here")).to_be_visible()
    mine = opened(screen(viewport=DESK, dark=True), visit.professional, visit)
    mine.inspect("visit dark, professional")


def test_shared_visit_is_followed_without_account_until_link_ends(
    screen: OpenScreen, accepted: Callable[..., Visit]
) -> None:
    visit = accepted("off")
    theirs = opened(screen(viewport=PHONE), visit.customer, visit)
    theirs.press("Create link")
    link = theirs.page.get_by_label("Link", exact=True).input_value()
    theirs.inspect("visit shared, customer")
    visit.professional.post(f"/requests/{visit.id}/on_the_way", {"eta_minutes": 20})
    for viewport, dark in ((PHONE, False), (DESK, True)):
        friend = screen(viewport=viewport, dark=dark)
        friend.page.goto(link)
        friend.expect_text("Ravi").expect_text("Expected arrival:")
        expect(step(friend, "On the way")).to_be_visible()
        assert "12 MG Road" not in friend.page.locator("main").inner_text()
        friend.inspect(f"shared visit {'dark' if dark else 'light'}")
    theirs.press("End link").expect_text("Link ended.")
    friend.page.reload()
    friend.expect_text("This link has ended").inspect("shared visit ended")


def test_visit_in_hindi(screen: OpenScreen, accepted: Callable[..., Visit]) -> None:
    visit = accepted("required")
    for caller, name in ((visit.customer, "customer"), (visit.professional, "professional")):
        caller.patch("/me", {"language": "hi"})
        window = screen(viewport=PHONE)
        sign_in(window, caller.account["username"], PASSWORD)
        window.go(f"/requests/{visit.id}").expect_text("विज़िट").expect_text("स्वीकार हुई").inspect(f"visit hindi, {name}")
