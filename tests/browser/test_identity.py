"""Sessions in the browser: another account after an ended session, two tabs, lost responses, and sign-out."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import OpenScreen
from tests.browser.screen import PHONE, TIMEOUT_MS, Screen
from tests.browser.test_pages import sign_in
from tests.browser.texts import text
from tests.factories.files import picture
from tests.harness.caller import ADMIN_PASSWORD, PASSWORD, Caller
from tests.harness.market import RunningMarket

pytestmark = pytest.mark.browser
OFFERED = {"category": "Repairs", "base_price": "349.00", "time_required": 30, "description": "By the hour"}


def enter(page: Page, username: str) -> None:
    """Fill in the sign-in form that is open, on its page or in the dialog."""
    page.get_by_label("Username or email").fill(username)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.locator("form").get_by_role("button", name="Sign in", exact=True).last.click()


@contextmanager
def reads_held(page: Page) -> Iterator[None]:
    """Hold what the page reads, live updates included: it would learn of an ended session before anything is saved."""

    def hold(route: Route) -> None:
        if route.request.method != "GET" or route.request.resource_type not in ("xhr", "fetch", "eventsource"):
            route.fallback()

    page.route("**/*", hold)
    yield
    page.unroute("**/*", hold)  # lets go what was held


def signed_in(screen: Screen, caller: Caller) -> Screen:
    screen.go("/sign-in")
    enter(screen.page, caller.account["username"])
    return screen.expect_path("/")


def sign_out(page: Page) -> None:
    page.get_by_role("button", name="Your account").click()
    page.get_by_role("menuitem", name="Sign out").click()


def second_tab(window: Screen, path: str) -> Page:
    tab = window.page.context.new_page()
    tab.goto(f"{window.base}/app{path}")
    return tab


def end_sessions(market: RunningMarket, caller: Caller) -> None:
    market.visitor().sign_in(caller.account["username"]).post("/logout/everywhere", status=204)


def test_sign_in_as_another_account_after_ended_session_discards_edits(
    screen: OpenScreen, market: RunningMarket
) -> None:
    asha = market.visitor().sign_up("customer", firstname="Asha", address="12 Residency Road")
    meera = market.visitor().sign_up("customer", firstname="Meera", address="7 Brigade Road")
    window = signed_in(screen(viewport=PHONE), asha)
    window.go("/profile").fill(Address="99 Secret Street")
    with reads_held(window.page):
        end_sessions(market, asha)
        window.press("Save").expect_text("Your session has ended")
    enter(window.page, meera.account["username"])
    window.expect_path("/").expect_text("You are now signed in as Meera Rao.").inspect("another account")
    expect(window.page.get_by_role("dialog")).to_have_count(0)
    assert meera.sign_in(meera.account["username"]).get("/me")["address"] == "7 Brigade Road"
    assert asha.sign_in(asha.account["username"]).get("/me")["address"] == "12 Residency Road"
    window.go("/profile")
    expect(window.page.get_by_label("Address", exact=False).last).to_have_value("7 Brigade Road")


def test_sign_in_as_same_account_after_ended_session_keeps_edits(screen: OpenScreen, market: RunningMarket) -> None:
    asha = market.visitor().sign_up("customer")
    window = signed_in(screen(viewport=PHONE), asha)
    window.go("/profile").fill(Address="99 New Street")
    with reads_held(window.page):
        end_sessions(market, asha)
        window.press("Save").expect_text("Your session has ended")
    enter(window.page, asha.account["username"])
    window.expect_text("Profile saved.").expect_path("/profile")
    assert asha.sign_in(asha.account["username"]).get("/me")["address"] == "99 New Street"


def test_tabs_of_one_browser_share_the_signed_in_account(screen: OpenScreen, market: RunningMarket) -> None:
    asha = market.visitor().sign_up("customer", firstname="Asha")
    meera = market.visitor().sign_up("customer", firstname="Meera")
    window = screen(viewport=PHONE).go("/search")
    tab = second_tab(window, "/sign-in")
    enter(tab, asha.account["username"])
    expect(window.page.get_by_role("button", name="Your account")).to_be_visible(timeout=TIMEOUT_MS)
    window.go("/profile").expect_text(f"You sign in as {asha.account['username']}.")

    sign_out(tab)
    window.expect_path("/sign-in")
    enter(tab, meera.account["username"])
    window.expect_path("/").go("/profile").expect_text(f"You sign in as {meera.account['username']}.")
    tab.goto(f"{window.base}/app/profile")
    expect(tab.get_by_text(f"You sign in as {meera.account['username']}.")).to_be_visible(timeout=TIMEOUT_MS)


def test_send_request_after_lost_response_creates_one_request(screen: OpenScreen, market: RunningMarket) -> None:
    task = market.admin().post("/tasks", {**OFFERED, "name": "Lamp repair"}, status=201)["id"]
    asha = market.visitor().sign_up("customer")
    window = signed_in(screen(viewport=PHONE), asha)
    calls: list[str] = []

    def lose_the_first(route: Route) -> None:
        if route.request.method != "POST":
            route.fallback()
            return
        calls.append(route.request.headers["idempotency-key"])
        if len(calls) > 1:
            route.fallback()
            return
        route.fetch()  # the server creates the request
        route.abort("connectionreset")

    window.page.route(re.compile(r"/requests$"), lose_the_first)
    window.go(f"/tasks/{task}/ask").expect_text("Choose a date")
    window.page.locator("input[name$='-day']").nth(2).check(force=True)
    window.page.locator("input[name$='-time']").nth(6).check(force=True)
    window.press("Send request").expect_text("The server cannot be reached.")
    window.page.reload()
    window.expect_text("Choose a date").press("Send request").expect_text("Request sent.")
    window.page.wait_for_url(re.compile(r"/requests/\d+$"))
    assert len(calls) == 2
    assert len(set(calls)) == 1
    assert len(asha.get("/requests")["items"]) == 1


def test_sign_out_removes_drafts(screen: OpenScreen, market: RunningMarket) -> None:
    task = market.admin().post("/tasks", {**OFFERED, "name": "Door repair"}, status=201)["id"]
    asha, meera = market.visitor().sign_up("customer"), market.visitor().sign_up("customer", address="7 Brigade Road")
    window = signed_in(screen(viewport=PHONE), asha)
    window.go(f"/tasks/{task}/ask").fill(Address="99 Secret Street")
    window.page.reload()
    field = window.page.get_by_label("Address", exact=False).first
    expect(field).to_have_value("99 Secret Street")
    sign_out(window.page)
    window.expect_path("/sign-in")
    kept = "JSON.stringify({...localStorage, ...sessionStorage})"
    assert "Secret" not in window.page.evaluate(kept)
    enter(window.page, meera.account["username"])
    window.expect_path("/").go(f"/tasks/{task}/ask")
    expect(field).to_have_value("7 Brigade Road")


def while_unavailable(window: Screen) -> dict[str, bool]:
    """Answer renewals of the session with 503 until ``now`` is set to false."""
    down = {"now": True}

    def away(route: Route) -> None:
        route.fulfill(status=503, json={"code": "unavailable"}) if down["now"] else route.fallback()

    window.page.route("**/token/refresh", away)
    return down


def test_token_refresh_with_unavailable_server_keeps_user_on_page(screen: OpenScreen, market: RunningMarket) -> None:
    """Customers and professionals are taken to be who they were, and the page fills itself once the server responds."""
    asha = market.visitor().sign_up("customer")
    window = signed_in(screen(viewport=PHONE), asha)
    window.page.wait_for_function("localStorage.getItem('doorstep-account') !== null")
    down = while_unavailable(window)
    window.go("/requests").expect_text("Part of Doorstep is temporarily unavailable").expect_path("/requests")
    window.inspect("assumed")
    down["now"] = False
    window.expect_text(text("requests.mine.none")).expect_path("/requests")


def test_token_refresh_with_unavailable_server_keeps_session(screen: OpenScreen, market: RunningMarket) -> None:
    """Of admins the browser keeps nothing: they wait on the sign-in page."""
    window = screen(viewport=PHONE)
    sign_in(window, "admin", ADMIN_PASSWORD)
    window.expect_path("/admin")
    down = while_unavailable(window)
    window.go("/admin/audit").expect_path("/sign-in")
    window.expect_text("We could not check whether you are signed in").inspect("unknown")
    down["now"] = False
    window.expect_path("/admin/audit")


def test_decline_is_sent_before_sign_out(screen: OpenScreen, market: RunningMarket) -> None:
    admin, customer = market.admin(), market.visitor().sign_up("customer")
    task = admin.post("/tasks", {**OFFERED, "name": "Gate repair"}, status=201)["id"]
    professional = market.visitor().sign_up("professional", task_ids=[task])
    professional.put("/me/document", files={"document": ("proof.png", picture(size=(300, 200)), "image/png")})
    admin.post(f"/professionals/{professional.account['id']}/approve")
    when = (datetime.now(UTC) + timedelta(days=2)).isoformat()
    request = customer.post("/requests", {"task_id": task, "date_of_request": when}, status=201)["id"]
    window = screen(viewport=PHONE).go("/sign-in")
    enter(window.page, professional.account["username"])
    window.expect_path("/inbox").expect_text("Gate repair").press("Decline")
    sign_out(window.page)
    window.expect_path("/sign-in")
    assert [entry["action"] for entry in admin.get(f"/requests/{request}")["history"]] == ["create", "reject"]
