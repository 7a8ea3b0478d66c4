"""Prerendered entry pages: all scripts are preloaded, and the layout does not shift when the application starts."""

import re
from typing import Any, Final

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import OpenScreen
from tests.browser.screen import DESK, PHONE, TIMEOUT_MS

pytestmark = pytest.mark.browser
PAGES: Final = ("/", "/search", "/sign-in")
STARTED: Final = "#app[data-v-app] h1"
RECORD_START: Final = """
new MutationObserver(() => { window.startedAt = performance.now() })
  .observe(document, { subtree: true, attributeFilter: ['data-v-app'] })
"""
SCRIPTS_BEFORE_START: Final = """
performance.getEntriesByType('resource').filter((one) => one.name.endsWith('.js') && one.startTime < window.startedAt)
  .map((one) => new URL(one.name).pathname)
"""
PLACES: Final = """
async () => {
  await document.fonts.ready
  return ['header', 'h1', 'h1 + p', 'main input', 'main button[type=submit]'].map((one) => {
    const box = document.querySelector(one)?.getBoundingClientRect()
    return box && [box.x, box.y, box.width, box.height].map(Math.round)
  })
}
"""


def without_scripts(page: Page) -> None:
    page.route("**/*.js", lambda route: route.abort())


@pytest.mark.parametrize("path", PAGES)
def test_entry_page_preloads_exactly_the_scripts_it_loads(screen: OpenScreen, path: str) -> None:
    window = screen(viewport=PHONE)
    window.page.add_init_script(RECORD_START)
    window.go(path)
    expect(window.page.locator(STARTED)).to_be_visible(timeout=TIMEOUT_MS)
    source = window.page.request.get(window.page.url).text()
    named = set(re.findall(r'rel="modulepreload"[^>]* href="([^"]+)"', source))
    loaded: list[str] = window.page.evaluate(SCRIPTS_BEFORE_START)
    assert loaded
    assert set(loaded) == named, "loaded late or preloaded without use"


@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("path", PAGES)
def test_entry_page_layout_does_not_shift_after_start(screen: OpenScreen, path: str, viewport: dict[str, int]) -> None:
    prerendered = screen(viewport=viewport, dark=True)
    without_scripts(prerendered.page)
    prerendered.go(path)
    expect(prerendered.page.locator("h1")).to_be_visible(timeout=TIMEOUT_MS)
    expect(prerendered.page.locator("html")).to_have_class(re.compile(r"(^| )dark( |$)"))
    drawn: list[Any] = prerendered.page.evaluate(PLACES)
    whole = screen(viewport=viewport, dark=True).go(path)
    expect(whole.page.locator(STARTED)).to_be_visible(timeout=TIMEOUT_MS)
    assert drawn == whole.page.evaluate(PLACES)
    assert prerendered.page.title() == whole.page.title()
    assert not whole.console_errors


def test_entry_page_works_without_scripts(screen: OpenScreen) -> None:
    """On a slow connection users tap and type for seconds before the application starts."""
    window = screen(viewport=PHONE)
    without_scripts(window.page)
    window.go("/")
    window.page.keyboard.press("Tab")
    assert window.page.evaluate("document.activeElement.getAttribute('href')") == "#main"
    window.page.keyboard.press("Enter")
    expect(window.page).to_have_url(re.compile("#main$"))
    assert window.page.evaluate("document.activeElement.tagName") == "MAIN"

    window.page.get_by_label("What do you need?").fill("tap")
    window.page.get_by_label("Where?").fill("560001")
    window.page.keyboard.press("Enter")
    window.expect_path("/search")
    asked = window.page.evaluate("Object.fromEntries(new URLSearchParams(location.search))")
    assert asked == {"q": "tap", "location": "560001"}

    window.follow("Sign in").expect_path("/sign-in")


def test_search_form_submitted_without_scripts_is_understood(screen: OpenScreen) -> None:
    window = screen(viewport=PHONE).go("/search?q=tap&location=560001").expect_text("“tap” near 560001")
    expect(window.page.get_by_label("Where?")).to_have_value("560001")


def test_sign_in_typed_before_start_is_submitted_after_start(screen: OpenScreen) -> None:
    """Text typed into the prerendered page, and an early Enter, reach the application."""
    window = screen(viewport=PHONE)
    held: list[Route] = []
    is_loading = True

    def hold(route: Route) -> None:
        if is_loading:
            held.append(route)
        else:
            route.continue_()

    window.page.route("**/app/assets/*.js", hold)
    window.page.goto(f"{window.base}/app/sign-in", wait_until="commit")
    username = window.page.get_by_label("Username")
    username.fill("nobody-by-this-name")
    window.page.get_by_label("Password", exact=True).fill("a wrong password")
    window.page.keyboard.press("Enter")
    assert "password" not in window.page.url
    is_loading = False
    for route in held:
        route.continue_()
    window.expect_text("The username or password is wrong.")
    expect(username).to_have_value("nobody-by-this-name")


@pytest.mark.parametrize("path", ["/", "/profile"])
def test_entry_page_with_failing_scripts_shows_error_and_reload(screen: OpenScreen, path: str) -> None:
    window = screen(viewport=PHONE)
    without_scripts(window.page)
    window.go(path).expect_text("This page could not be loaded completely.")
    window.page.unroute("**/*.js")
    window.page.get_by_role("alert").get_by_role("link", name="Reload page").click()
    expect(window.page.locator(STARTED)).to_be_visible(timeout=TIMEOUT_MS)
    expect(window.page.locator("#unstarted")).to_be_hidden()


def test_entry_page_is_hidden_for_other_language_or_signed_in_user(screen: OpenScreen) -> None:
    hindi = screen()
    without_scripts(hindi.page)
    hindi.page.add_init_script("localStorage.setItem('doorstep-language', 'hi')")
    expect(hindi.go("/").page.locator("#app")).to_be_hidden()

    signed_in = screen()
    without_scripts(signed_in.page)
    signed_in.page.context.add_cookies([{"name": "csrf_refresh_token", "value": "x", "url": signed_in.base}])
    expect(signed_in.go("/").page.locator("#app")).to_be_hidden()

    asking = screen()
    without_scripts(asking.page)
    expect(asking.go("/search?q=tap").page.locator("#app h1")).to_be_hidden()
    expect(asking.page.locator("#app form")).to_be_visible()
