"""What lies over the pages: strips at the top, the question before unsaved work is left, days to filter by."""

from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Dialog, Request, expect

from tests.browser.conftest import OpenScreen
from tests.browser.screen import DESK, PATIENCE_MS, PHONE, Screen
from tests.browser.test_pages import sign_in
from tests.browser.texts import text
from tests.harness.caller import ADMIN_PASSWORD, PASSWORD
from tests.harness.market import RunningMarket

pytestmark = pytest.mark.browser
VIEWPORTS = pytest.mark.parametrize(("viewport", "dark"), [(PHONE, False), (DESK, True)], ids=["phone", "desk-dark"])


def customer_at(screen: OpenScreen, market: RunningMarket, path: str, **options: object) -> Screen:
    asha = market.visitor().sign_up("customer")
    window = screen(**options)
    sign_in(window, asha.account["username"], PASSWORD)
    return window.go(path)


@VIEWPORTS
def test_the_strip_leaves_the_bar_below_it_in_reach(
    screen: OpenScreen, market: RunningMarket, viewport: dict[str, int], *, dark: bool
) -> None:
    window = customer_at(screen, market, "/profile/messages", viewport=viewport, dark=dark)
    window.sees(text("accounts.messages.quiet"))
    window.goes_offline()
    window.sees(text("nav.offline")).look("offline")
    window.page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    window.page.wait_for_function("window.scrollY > 50")
    window.page.get_by_role("button", name=text("nav.account")).click()  # fails where the strip lies over it
    expect(window.page.get_by_role("menuitem", name=text("nav.signOut"))).to_be_visible()


@VIEWPORTS
def test_an_error_that_no_page_shows_is_said_at_the_top(
    screen: OpenScreen, market: RunningMarket, viewport: dict[str, int], *, dark: bool
) -> None:
    window = customer_at(screen, market, "/requests", viewport=viewport, dark=dark)
    expect(window.page.locator("main h1")).to_be_visible(timeout=PATIENCE_MS)
    window.page.evaluate("void Promise.reject(new TypeError('nobody catches this'))")
    window.sees(text("nav.brokenHint"))
    assert "nobody catches this" in window.complaints.pop()
    window.look("broken")
    window.press(text("nav.reload"))
    expect(window.page.get_by_text(text("nav.brokenHint"))).to_have_count(0, timeout=PATIENCE_MS)


@VIEWPORTS
def test_unsaved_work_is_asked_about_before_it_is_left(
    screen: OpenScreen, market: RunningMarket, viewport: dict[str, int], *, dark: bool
) -> None:
    window = customer_at(screen, market, "/profile", viewport=viewport, dark=dark)
    address = window.page.locator("input[name=address]")
    address.click()
    address.fill("99 New Street")
    elsewhere = window.page.locator("main").get_by_role("link").and_(window.page.locator("[href$='/profile/messages']"))
    elsewhere.click()
    question = window.page.get_by_role("dialog")
    expect(question).to_be_visible(timeout=PATIENCE_MS)
    window.look("unsaved")
    question.get_by_role("button", name=text("common.unsaved.stay")).click()
    expect(question).to_have_count(0, timeout=PATIENCE_MS)
    window.stands_at("/profile")
    expect(address).to_have_value("99 New Street")

    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    window.page.once("dialog", stay)
    window.page.evaluate("window.location.reload()")
    window.page.wait_for_function("document.readyState === 'complete'")
    assert asked == ["beforeunload"]
    expect(address).to_have_value("99 New Street")

    elsewhere.click()
    question.get_by_role("button", name=text("common.unsaved.action")).click()
    window.stands_at("/profile/messages")
    window.go("/profile")
    expect(address).to_have_value("12 MG Road", timeout=PATIENCE_MS)


def test_a_panel_with_unsaved_work_is_not_closed_by_a_key(screen: OpenScreen, market: RunningMarket) -> None:
    offered = {"category": "Repairs", "base_price": "349.00", "time_required": 30, "description": "By the hour"}
    task = market.admin().post("/tasks", {**offered, "name": "Window repair"}, status=201)["id"]
    window = screen(viewport=PHONE)
    sign_in(window, "admin", ADMIN_PASSWORD)
    window.go(f"/admin/tasks?edit={task}")
    name = window.page.get_by_role("dialog").locator("input[name=name]")
    expect(name).to_have_value("Window repair", timeout=PATIENCE_MS)
    name.fill("Window cleaning")
    name.press("Escape")
    stay = window.page.get_by_role("button", name=text("common.unsaved.stay"))
    expect(stay).to_be_visible(timeout=PATIENCE_MS)
    window.look("unsaved panel")
    stay.click()
    expect(name).to_have_value("Window cleaning")
    name.press("Escape")
    window.press(text("common.unsaved.action"))
    expect(name).to_have_count(0, timeout=PATIENCE_MS)
    assert market.admin().get(f"/tasks/{task}")["name"] == "Window repair"


@VIEWPORTS
def test_a_day_that_is_typed_is_filtered_by_when_it_is_whole(
    screen: OpenScreen, market: RunningMarket, viewport: dict[str, int], *, dark: bool
) -> None:
    window = screen(viewport=viewport, dark=dark)
    sign_in(window, "admin", ADMIN_PASSWORD)
    window.go("/admin/audit")
    day = window.page.locator("input[type=date]").first
    expect(day).to_be_visible(timeout=PATIENCE_MS)
    asked: list[str] = []

    def note(request: Request) -> None:
        address = urlsplit(request.url)
        if address.path == "/audit":
            asked.extend(parse_qs(address.query).get("from", []))

    window.page.on("request", note)
    day.focus()
    window.page.keyboard.type("11112026")  # the same day whether days or months come first
    window.page.wait_for_url(lambda address: "from=2026-11-11" in address)
    expect(day).to_have_value("2026-11-11")
    window.look("date filter")
    assert {one[:10] for one in asked} == {"2026-11-11"}
    day.fill("")
    day.blur()
    window.page.wait_for_url(lambda address: "from=" not in address)


@VIEWPORTS
def test_another_account_that_signed_in_elsewhere_is_announced(
    screen: OpenScreen, market: RunningMarket, viewport: dict[str, int], *, dark: bool
) -> None:
    meera = market.visitor().sign_up("customer", firstname="Meera", address="7 Brigade Road")
    window = customer_at(screen, market, "/profile", viewport=viewport, dark=dark)
    window.page.locator("input[name=address]").fill("99 Secret Street")
    tab = window.page.context.new_page()
    tab.goto(f"{window.base}/app/favicon.svg")
    # A tab that signs in over the session, and says so: what the browser's cookie holds is another account's now.
    credentials = {"username": meera.account["username"], "password": PASSWORD}
    answer = window.page.context.request.post(f"{window.base}/check", data=credentials)
    news = {"kind": "signed-in", "account": answer.json()["user"]["id"]}
    tab.evaluate("(news) => new BroadcastChannel('doorstep-session').postMessage(news)", news)
    window.stands_at("/").sees(text("nav.switched").replace("{name}", "Meera Rao")).sees(text("nav.switchedHint"))
    window.look("switched")
    window.go("/profile")
    expect(window.page.locator("input[name=address]")).to_have_value("7 Brigade Road", timeout=PATIENCE_MS)
