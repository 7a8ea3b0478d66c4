"""What people see when a line, a call or a part of the application fails: a word and a way on, never a dead page."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import OpenScreen
from tests.browser.screen import PATIENCE_MS, PHONE, Screen
from tests.browser.test_pages import sign_in
from tests.factories.files import picture
from tests.harness.caller import ADMIN_PASSWORD, PASSWORD
from tests.harness.market import RunningMarket

pytestmark = pytest.mark.browser
STARTED: Final = "#app[data-v-app] h1"


@pytest.fixture(scope="module")
def professional(market: RunningMarket) -> str:
    """The username of an approved professional with one open request in the inbox."""
    admin, customer = market.admin(), market.visitor().sign_up("customer")
    offered = {"category": "Repairs", "base_price": "349.00", "time_required": 30, "description": "By the hour"}
    task = admin.post("/tasks", {**offered, "name": "Lock repair"}, status=201)["id"]
    someone = market.visitor().sign_up("professional", task_ids=[task])
    someone.put("/me/document", files={"document": ("proof.png", picture(size=(300, 200)), "image/png")})
    admin.post(f"/professionals/{someone.account['id']}/approve")
    when = (datetime.now(UTC) + timedelta(days=2)).isoformat()
    customer.post("/requests", {"task_id": task, "date_of_request": when}, status=201)
    return str(someone.account["username"])


def phone_of(screen: OpenScreen, username: str, password: str = PASSWORD) -> Screen:
    window = screen(viewport=PHONE)
    sign_in(window, username, password)
    return window


def follow(page: Page, name: str) -> None:
    page.get_by_role("link", name=name).last.click()


def test_an_inbox_without_a_connection_says_so_and_recovers(screen: OpenScreen, professional: str) -> None:
    window = phone_of(screen, professional)
    window.go("/inbox").sees("Lock repair")
    window.goes_offline()
    window.sees("You are offline.").sees("Lock repair").sees("This may be out of date.")
    follow(window.page, "My work")
    window.stands_at("/inbox").sees("A part of this page could not be loaded.")
    window.page.context.set_offline(False)
    expect(window.page.get_by_text("You are offline.").first).to_be_hidden(timeout=PATIENCE_MS)
    window.press("Reload page").stands_at("/work").sees("No accepted requests yet")


def test_a_change_made_offline_fails_at_once_and_is_not_sent_later(
    screen: OpenScreen, professional: str, market: RunningMarket
) -> None:
    window = phone_of(screen, professional)
    window.go("/inbox").sees("Lock repair")
    window.goes_offline()
    window.press("Accept").sees("You are offline. Check your connection and try again.")
    sent: list[str] = []
    window.page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    with window.page.expect_response(re.compile("/requests")):
        window.page.context.set_offline(False)
    expect(window.page.get_by_text("This may be out of date.").first).to_be_hidden(timeout=PATIENCE_MS)
    assert not [url for url in sent if url.endswith("/accept")]


def test_more_rows_that_do_not_come_can_be_asked_for_again(screen: OpenScreen, market: RunningMarket) -> None:
    admin = market.admin()
    offered = {"category": "Many", "base_price": "10.00", "time_required": 30, "description": "One of many"}
    for number in range(21):
        admin.post("/tasks", {**offered, "name": f"Small task {number}"}, status=201)
    window = screen(viewport=PHONE)
    window.go("/search?category=Many").sees(re.compile("Small task"))
    window.page.route("**/search?*cursor=*", lambda route: route.fulfill(status=500, json={"code": "internal_error"}))
    window.press("Show more").sees("Something went wrong on our side. Try again.")
    expect(window.page.get_by_role("article")).to_have_count(20)
    window.page.unroute("**/search?*cursor=*")
    window.press("Try again")
    expect(window.page.get_by_role("article")).to_have_count(21, timeout=PATIENCE_MS)


def test_a_dialog_whose_part_fails_says_so(screen: OpenScreen) -> None:
    window = phone_of(screen, "admin", ADMIN_PASSWORD)
    window.go("/admin/jobs").sees("Housekeeping")
    window.page.route("**/app/assets/RunForm*.js", lambda route: route.abort())
    window.page.get_by_role("button", name="Run now: Housekeeping").click()
    window.sees("A part of this page could not be loaded.")
    window.page.unroute("**/app/assets/RunForm*.js")
    window.press("Reload page").sees("Housekeeping")
    window.page.get_by_role("button", name="Run now: Housekeeping").click()
    window.sees("Run “Housekeeping” now?")


def test_a_page_that_cannot_be_drawn_leaves_the_others_in_reach(screen: OpenScreen, professional: str) -> None:
    window = phone_of(screen, professional)

    def nonsense(route: Route) -> None:
        """An answer that breaks the contract."""
        route.fulfill(json={"items": [{"id": 1}], "unread_count": 0, "next_cursor": None})

    window.page.route(re.compile(r"/notifications(\?|$)"), nonsense)
    window.page.get_by_role("link", name=re.compile("notification", re.IGNORECASE)).first.click()
    window.sees("This page cannot be shown")
    expect(window.page.get_by_role("button", name="Reload page")).to_be_visible()
    follow(window.page, "Inbox")
    window.stands_at("/inbox")
    expect(window.page.locator(STARTED)).to_have_text("Inbox")


def test_an_impossible_day_shows_the_agenda_of_today(screen: OpenScreen, professional: str) -> None:
    window = phone_of(screen, professional)
    window.go("/agenda?day=2026-02-31&view=day").sees("No accepted requests on this day.")
    expect(window.page.get_by_role("status").filter(has_text=str(datetime.now(UTC).year))).to_be_visible()
    assert not window.complaints
