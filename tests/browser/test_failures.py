"""Pages when the connection, a call or a part of the application fails: an error and a way to continue."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.chromium import script_of
from tests.browser.conftest import OpenScreen
from tests.browser.screen import PHONE, TIMEOUT_MS, Screen
from tests.browser.test_pages import sign_in
from tests.factories.files import picture
from tests.harness.caller import ADMIN_PASSWORD, PASSWORD
from tests.harness.market import RunningMarket

pytestmark = pytest.mark.browser
STARTED: Final = "#app[data-v-app] h1"


@pytest.fixture(scope="module")
def professional(market: RunningMarket) -> str:
    """Return the username of an approved professional with one open request in the inbox."""
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


def test_inbox_offline_shows_notice_and_recovers(screen: OpenScreen, professional: str) -> None:
    window = phone_of(screen, professional)
    window.go("/inbox").expect_text("Lock repair")
    window.go_offline()
    window.expect_text("You are offline. This page may be out of date").expect_text("Lock repair")
    follow(window.page, "My work")
    window.expect_path("/inbox").expect_text("A part of this page could not be loaded.")
    window.page.context.set_offline(False)
    expect(window.page.get_by_text("You are offline.").first).to_be_hidden(timeout=TIMEOUT_MS)
    window.press("Reload page").expect_path("/work").expect_text("No accepted requests yet")


def test_action_offline_fails_at_once_and_is_not_sent_later(
    screen: OpenScreen, professional: str, market: RunningMarket
) -> None:
    window = phone_of(screen, professional)
    window.go("/inbox").expect_text("Lock repair")
    window.go_offline()
    window.press("Accept").expect_text("You are offline. Check your connection and try again.")
    with window.page.expect_response(re.compile("/requests")):
        window.page.context.set_offline(False)
    expect(window.page.get_by_text("This may be out of date.").first).to_be_hidden(timeout=TIMEOUT_MS)
    window.wait_until_idle()
    [request] = [one for one in market.admin().get("/requests?limit=100")["items"] if one["task_name"] == "Lock repair"]
    assert request["status"] == "requested"


def test_next_page_that_fails_to_load_can_be_retried(screen: OpenScreen, market: RunningMarket) -> None:
    admin = market.admin()
    offered = {"category": "Many", "base_price": "10.00", "time_required": 30, "description": "One of many"}
    for number in range(21):
        admin.post("/tasks", {**offered, "name": f"Small task {number}"}, status=201)
    window = screen(viewport=PHONE)
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    window.page.route("**/*.js", hold)
    window.page.goto(f"{window.base}/app/search?category=Many", wait_until="commit")
    window.page.route("**/search?*cursor=*", lambda route: route.fulfill(status=500, json={"code": "internal_error"}))
    window.press("Show more")  # long before the application runs: it does so once it does
    window.page.unroute("**/*.js")
    for script in held:
        script.continue_()
    window.expect_text("Something went wrong on our side. Try again.")
    expect(window.page.get_by_role("article")).to_have_count(20)
    window.page.unroute("**/search?*cursor=*")
    window.press("Try again")
    expect(window.page.get_by_role("article")).to_have_count(21, timeout=TIMEOUT_MS)


def test_dialog_that_fails_to_load_shows_error_and_recovers(screen: OpenScreen) -> None:
    window = phone_of(screen, "admin", ADMIN_PASSWORD)
    window.go("/admin/jobs").expect_text("Housekeeping")
    form = f"**{script_of('features/jobs/components/RunForm.vue')}"
    window.page.route(form, lambda route: route.abort())
    window.page.get_by_role("button", name="Run now: Housekeeping").click()
    window.expect_text("A part of this page could not be loaded.")
    window.page.unroute(form)
    window.press("Reload page").expect_text("Housekeeping")
    window.page.get_by_role("button", name="Run now: Housekeeping").click()
    window.expect_text("Run “Housekeeping” now?")


def test_page_that_fails_to_render_keeps_navigation_usable(screen: OpenScreen, professional: str) -> None:
    window = phone_of(screen, professional)

    def malformed(route: Route) -> None:
        """Return a response that does not match the schema."""
        route.fulfill(json={"items": [{"id": 1}], "unread_count": 0, "next_cursor": None})

    window.page.route(re.compile(r"/notifications(\?|$)"), malformed)
    window.page.get_by_role("link", name=re.compile("notification", re.IGNORECASE)).first.click()
    window.expect_text("This page cannot be shown")
    expect(window.page.get_by_role("button", name="Reload page")).to_be_visible()
    follow(window.page, "Inbox")
    window.expect_path("/inbox")
    expect(window.page.locator(STARTED)).to_have_text("Inbox")


def test_agenda_with_invalid_date_shows_today(screen: OpenScreen, professional: str) -> None:
    window = phone_of(screen, professional)
    window.go("/agenda?day=2026-02-31&view=day").expect_text("No accepted requests on this day.")
    expect(window.page.get_by_role("status").filter(has_text=str(datetime.now(UTC).year))).to_be_visible()
    assert not window.console_errors
