"""Notices over the pages: banners, the question about unsaved changes, and date filters."""

from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Dialog, Request, expect

from tests.browser.conftest import OpenScreen
from tests.browser.screen import DESK, PHONE, TIMEOUT_MS, Screen
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
def test_offline_banner_does_not_cover_account_menu(
    screen: OpenScreen, market: RunningMarket, viewport: dict[str, int], *, dark: bool
) -> None:
    window = customer_at(screen, market, "/profile/messages", viewport=viewport, dark=dark)
    window.expect_text(text("accounts.messages.quiet"))
    window.go_offline()
    window.expect_text(text("nav.offline")).inspect("offline")
    window.page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    window.page.wait_for_function("window.scrollY > 50")
    window.page.get_by_role("button", name=text("nav.account")).click()  # fails if the banner covers it
    expect(window.page.get_by_role("menuitem", name=text("nav.signOut"))).to_be_visible()


@VIEWPORTS
def test_unhandled_error_shows_banner_with_reload(
    screen: OpenScreen, market: RunningMarket, viewport: dict[str, int], *, dark: bool
) -> None:
    window = customer_at(screen, market, "/requests", viewport=viewport, dark=dark)
    expect(window.page.locator("main h1")).to_be_visible(timeout=TIMEOUT_MS)
    window.page.evaluate("void Promise.reject(new TypeError('unhandled in this test'))")
    window.expect_text(text("nav.brokenHint"))
    assert "unhandled in this test" in window.console_errors.pop()
    window.inspect("broken")
    window.press(text("nav.reload"))
    expect(window.page.get_by_text(text("nav.brokenHint"))).to_have_count(0, timeout=TIMEOUT_MS)


@VIEWPORTS
def test_unsaved_changes_ask_before_leaving_page(
    screen: OpenScreen, market: RunningMarket, viewport: dict[str, int], *, dark: bool
) -> None:
    window = customer_at(screen, market, "/profile", viewport=viewport, dark=dark)
    address = window.page.locator("input[name=address]")
    address.click()
    address.fill("99 New Street")
    elsewhere = window.page.locator("main").get_by_role("link").and_(window.page.locator("[href$='/profile/messages']"))
    elsewhere.click()
    question = window.page.get_by_role("dialog")
    expect(question).to_be_visible(timeout=TIMEOUT_MS)
    window.inspect("unsaved")
    question.get_by_role("button", name=text("common.unsaved.stay")).click()
    expect(question).to_have_count(0, timeout=TIMEOUT_MS)
    window.expect_path("/profile")
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
    window.expect_path("/profile/messages")
    window.go("/profile")
    expect(address).to_have_value("12 MG Road", timeout=TIMEOUT_MS)


def test_panel_with_unsaved_changes_asks_before_closing_by_escape(screen: OpenScreen, market: RunningMarket) -> None:
    offered = {"category": "Repairs", "base_price": "349.00", "time_required": 30, "description": "By the hour"}
    task = market.admin().post("/tasks", {**offered, "name": "Window repair"}, status=201)["id"]
    window = screen(viewport=PHONE)
    sign_in(window, "admin", ADMIN_PASSWORD)
    window.go(f"/admin/tasks?edit={task}")
    name = window.page.get_by_role("dialog").locator("input[name=name]")
    expect(name).to_have_value("Window repair", timeout=TIMEOUT_MS)
    name.fill("Window cleaning")
    name.press("Escape")
    stay = window.page.get_by_role("button", name=text("common.unsaved.stay"))
    expect(stay).to_be_visible(timeout=TIMEOUT_MS)
    window.inspect("unsaved panel")
    stay.click()
    expect(name).to_have_value("Window cleaning")
    name.press("Escape")
    window.press(text("common.unsaved.action"))
    expect(name).to_have_count(0, timeout=TIMEOUT_MS)
    assert market.admin().get(f"/tasks/{task}")["name"] == "Window repair"


@VIEWPORTS
def test_date_filter_typed_by_keyboard_applies_when_complete(
    screen: OpenScreen, market: RunningMarket, viewport: dict[str, int], *, dark: bool
) -> None:
    window = screen(viewport=viewport, dark=dark)
    sign_in(window, "admin", ADMIN_PASSWORD)
    window.go("/admin/audit")
    day = window.page.locator("input[type=date]").first
    expect(day).to_be_visible(timeout=TIMEOUT_MS)
    asked: list[str] = []

    def record(request: Request) -> None:
        address = urlsplit(request.url)
        if address.path == "/audit":
            asked.extend(parse_qs(address.query).get("from", []))

    window.page.on("request", record)
    day.focus()
    window.page.keyboard.type("11112026")  # the same date whether day or month comes first
    window.page.wait_for_url(lambda address: "from=2026-11-11" in address)
    expect(day).to_have_value("2026-11-11")
    window.inspect("date filter")
    assert {one[:10] for one in asked} == {"2026-11-11"}
    day.fill("")
    day.blur()
    window.page.wait_for_url(lambda address: "from=" not in address)


@VIEWPORTS
def test_sign_in_of_another_account_in_other_tab_shows_notice(
    screen: OpenScreen, market: RunningMarket, viewport: dict[str, int], *, dark: bool
) -> None:
    meera = market.visitor().sign_up("customer", firstname="Meera", address="7 Brigade Road")
    window = customer_at(screen, market, "/profile", viewport=viewport, dark=dark)
    window.page.locator("input[name=address]").fill("99 Secret Street")
    tab = window.page.context.new_page()
    tab.goto(f"{window.base}/app/favicon.svg")
    # A tab that signs in as another account and announces it, so that the cookie belongs to that account.
    credentials = {"username": meera.account["username"], "password": PASSWORD}
    answer = window.page.context.request.post(f"{window.base}/check", data=credentials)
    news = {"kind": "signed-in", "account": answer.json()["user"]["id"]}
    tab.evaluate("(news) => new BroadcastChannel('doorstep-session').postMessage(news)", news)
    window.expect_path("/").expect_text(text("nav.switched").replace("{name}", "Meera Rao")).expect_text(
        text("nav.switchedHint")
    )
    window.inspect("switched")
    window.go("/profile")
    expect(window.page.locator("input[name=address]")).to_have_value("7 Brigade Road", timeout=TIMEOUT_MS)
