"""The pages people come in by: drawn ahead, all scripts asked for from the start, and nothing moves when they start."""

import re
from typing import Any, Final

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import OpenScreen
from tests.browser.screen import DESK, PATIENCE_MS, PHONE

pytestmark = pytest.mark.browser
PAGES: Final = ("/", "/search", "/sign-in")
STARTED: Final = "#app[data-v-app] h1"
NOTE_THE_START: Final = """
new MutationObserver(() => { window.stoodAt = performance.now() })
  .observe(document, { subtree: true, attributeFilter: ['data-v-app'] })
"""
SCRIPTS_BEFORE_IT: Final = """
performance.getEntriesByType('resource').filter((one) => one.name.endsWith('.js') && one.startTime < window.stoodAt)
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
def test_every_script_is_asked_for_from_the_start(screen: OpenScreen, path: str) -> None:
    window = screen(viewport=PHONE)
    window.page.add_init_script(NOTE_THE_START)
    window.go(path)
    expect(window.page.locator(STARTED)).to_be_visible(timeout=PATIENCE_MS)
    source = window.page.request.get(window.page.url).text()
    named = set(re.findall(r'rel="modulepreload"[^>]* href="([^"]+)"', source))
    loaded: list[str] = window.page.evaluate(SCRIPTS_BEFORE_IT)
    assert loaded
    assert set(loaded) == named, "found out late, or for nothing"


@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("path", PAGES)
def test_what_is_drawn_ahead_stands_where_the_page_will(
    screen: OpenScreen, path: str, viewport: dict[str, int]
) -> None:
    ahead = screen(viewport=viewport, dark=True)
    without_scripts(ahead.page)
    ahead.go(path)
    expect(ahead.page.locator("h1")).to_be_visible(timeout=PATIENCE_MS)
    expect(ahead.page.locator("html")).to_have_class(re.compile(r"(^| )dark( |$)"))
    drawn: list[Any] = ahead.page.evaluate(PLACES)
    whole = screen(viewport=viewport, dark=True).go(path)
    expect(whole.page.locator(STARTED)).to_be_visible(timeout=PATIENCE_MS)
    assert drawn == whole.page.evaluate(PLACES)
    assert ahead.page.title() == whole.page.title()
    assert not whole.complaints


def test_the_page_drawn_ahead_works_before_its_scripts(screen: OpenScreen) -> None:
    """On a slow line people tap and type for seconds before the application stands."""
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
    window.stands_at("/search")
    asked = window.page.evaluate("Object.fromEntries(new URLSearchParams(location.search))")
    assert asked == {"q": "tap", "location": "560001"}

    window.follow("Sign in").stands_at("/sign-in")


def test_the_search_sent_before_the_scripts_is_understood(screen: OpenScreen) -> None:
    window = screen(viewport=PHONE).go("/search?q=tap&location=560001").sees("“tap” near 560001")
    expect(window.page.get_by_label("Where?")).to_have_value("560001")


def test_focus_and_typing_outlive_the_start(screen: OpenScreen) -> None:
    """What was typed into the page drawn ahead, and an early Enter, reach the application."""
    window = screen(viewport=PHONE)
    held: list[Route] = []
    on_their_way = True

    def hold(route: Route) -> None:
        if on_their_way:
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
    on_their_way = False
    for route in held:
        route.continue_()
    window.sees("The username or password is wrong.")
    expect(username).to_have_value("nobody-by-this-name")


@pytest.mark.parametrize("path", ["/", "/profile"])
def test_a_start_that_fails_says_so_and_can_be_tried_again(screen: OpenScreen, path: str) -> None:
    window = screen(viewport=PHONE)
    without_scripts(window.page)
    window.go(path).sees("This page could not be loaded completely.")
    window.page.unroute("**/*.js")
    window.page.get_by_role("alert").get_by_role("link", name="Reload page").click()
    expect(window.page.locator(STARTED)).to_be_visible(timeout=PATIENCE_MS)
    expect(window.page.locator("#unstarted")).to_be_hidden()


def test_nobody_sees_a_page_that_is_not_theirs(screen: OpenScreen) -> None:
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
