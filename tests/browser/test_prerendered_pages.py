"""Prerendered entry pages: usable before and without JavaScript, hydrated in place, and unchanged to look at."""

import re
from collections.abc import Mapping
from io import BytesIO
from typing import Any, Final

import pytest
from PIL import Image, ImageChops
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.chromium import script_of
from tests.browser.conftest import OpenScreen
from tests.browser.screen import DESK, PHONE, SCREENSHOTS, TIMEOUT_MS
from tests.factories.files import picture
from tests.harness.market import RunningMarket

pytestmark = pytest.mark.browser
PAGES: Final = ("/", "/search", "/search?q=tap", "/sign-in", "/sign-up")
STARTED: Final = "#app[data-v-app] h1"
RECORD_START: Final = """
new MutationObserver(() => { window.startedAt = performance.now() })
  .observe(document, { subtree: true, attributeFilter: ['data-v-app'] })
window.shift = 0
new PerformanceObserver((list) => { for (const one of list.getEntries()) window.shift += one.value })
  .observe({ type: 'layout-shift', buffered: true })
"""
SCRIPTS_BEFORE_START: Final = """
performance.getEntriesByType('resource').filter((one) => one.name.endsWith('.js') && one.startTime < window.startedAt)
  .map((one) => new URL(one.name).pathname)
"""
CALLS: Final = """
performance.getEntriesByType('resource').filter((one) => ['fetch', 'xmlhttprequest'].includes(one.initiatorType))
  .map((one) => new URL(one.name).pathname).filter((path) => !path.startsWith('/app/'))
"""
PLACES: Final = """
async () => {
  await document.fonts.ready
  return ['header', 'h1', 'h1 + p', 'main input', 'main button[type=submit]', 'footer'].map((one) => {
    const box = document.querySelector(one)?.getBoundingClientRect()
    return box && [box.x, box.y, box.width, box.height].map(Math.round)
  })
}
"""
# Fonts that come later than the first frame are not shown (`late-font`): for pictures that are compared, each font that
# the page names is loaded and shown.
SHOW_FONTS: Final = """
async () => {
  const faces = [...document.styleSheets].flatMap((sheet) => [...sheet.cssRules])
    .filter((rule) => rule instanceof CSSFontFaceRule && rule.style.getPropertyValue('src').includes('url('))
    .map(({ style }) => new FontFace(
      style.getPropertyValue('font-family').replaceAll('"', ''), style.getPropertyValue('src'), {
        weight: style.getPropertyValue('font-weight'), unicodeRange: style.getPropertyValue('unicode-range'),
        ascentOverride: style.getPropertyValue('ascent-override') || 'normal',
        descentOverride: style.getPropertyValue('descent-override') || 'normal',
        lineGapOverride: style.getPropertyValue('line-gap-override') || 'normal', display: 'block',
      }))
  if (!faces.length) throw new Error('The page names no fonts')
  for (const face of await Promise.all(faces.map((face) => face.load()))) document.fonts.add(face)
  document.documentElement.classList.remove('late-font')
}
"""
TWO_FRAMES: Final = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
MOST_SHIFT: Final = 0.01
# On a phone all looks; on a desk each language and each theme once.
LOOKS: Final = [
    *[(PHONE, language, theme) for language in ("en", "hi") for theme in ("light", "dark")],
    (DESK, "en", "light"),
    (DESK, "hi", "dark"),
]


@pytest.fixture(scope="module", autouse=True)
def task(market: RunningMarket) -> str:
    """Create a few tasks, and return the path of one."""
    admin = market.admin()
    offered = {"category": "Plumbing", "base_price": "1499.50", "time_required": 95, "description": "By the hour"}
    ids = [admin.post("/tasks", {**offered, "name": f"Tap washer {number}"}, status=201)["id"] for number in range(4)]
    return f"/tasks/{ids[0]}"


@pytest.fixture(scope="module")
def profile(market: RunningMarket, task: str) -> str:
    """Create a professional whose profile is public, and return its path."""
    professional = market.visitor().sign_up("professional", task_ids=[int(task.rpartition("/")[2])])
    professional.put("/me/document", files={"document": ("proof.png", picture(size=(300, 200)), "image/png")})
    number = professional.account["id"]
    market.admin().post(f"/professionals/{number}/approve")
    professional.patch("/me/profile", {"about": "Fifteen years of pipes and taps. " * 6})
    return f"/professionals/{number}"


def without_scripts(page: Page) -> None:
    page.route("**/*.js", lambda route: route.abort())


@pytest.fixture
def addresses(task: str, profile: str) -> Mapping[str, str]:
    """Return the paths of the pages that are there once something is offered."""
    return {"task": task, "profile": profile}


@pytest.mark.parametrize("path", [*PAGES, "task", "profile"])
def test_entry_page_preloads_exactly_the_scripts_it_loads(
    screen: OpenScreen, path: str, addresses: Mapping[str, str]
) -> None:
    window = screen(viewport=PHONE)
    window.page.add_init_script(RECORD_START)
    window.go(addresses.get(path, path))
    expect(window.page.locator(STARTED)).to_be_visible(timeout=TIMEOUT_MS)
    source = window.page.request.get(window.page.url).text()
    named = set(re.findall(r'rel="modulepreload"[^>]* href="([^"]+)"', source))
    loaded: list[str] = window.page.evaluate(SCRIPTS_BEFORE_START)
    assert loaded
    assert set(loaded) == named, "loaded late or preloaded without use"


@pytest.mark.parametrize("path", [*PAGES, "task", "profile"])
def test_entry_page_calls_no_api_before_it_is_used(screen: OpenScreen, path: str, addresses: Mapping[str, str]) -> None:
    """What a page shows is sent along with it: a further call would have to draw parts of it again."""
    window = screen(viewport=PHONE)
    window.go(addresses.get(path, path))
    expect(window.page.locator(STARTED)).to_be_visible(timeout=TIMEOUT_MS)
    window.page.wait_for_load_state("networkidle")
    assert window.page.evaluate(CALLS) == []


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("path", [*PAGES, "task", "profile"])
def test_entry_page_looks_the_same_before_and_after_hydration(
    screen: OpenScreen, path: str, look: tuple[dict[str, int], str, str], addresses: Mapping[str, str]
) -> None:
    viewport, language, theme = look
    sent = screen(viewport=viewport, dark=theme == "dark")
    without_scripts(sent.page)
    whole = screen(viewport=viewport, dark=theme == "dark")
    whole.page.add_init_script(RECORD_START)
    for window in (sent, whole):
        window.page.context.add_cookies([{"name": "doorstep-language", "value": language, "url": window.base}])
        window.go(addresses.get(path, path))
        expect(window.page.locator("h1")).to_be_visible(timeout=TIMEOUT_MS)
        expect(window.page.locator("html")).to_have_attribute("lang", language)
        expect(window.page.locator("html")).to_have_class(re.compile(rf"(^| ){theme}( |$)"))
    expect(sent.page.locator("#unstarted")).to_be_visible(timeout=TIMEOUT_MS)
    sent.page.evaluate("document.getElementById('unstarted').hidden = true")
    expect(whole.page.locator(STARTED)).to_be_visible(timeout=TIMEOUT_MS)
    whole.page.wait_for_load_state("networkidle")
    assert whole.page.evaluate("window.shift") < MOST_SHIFT
    for window in (sent, whole):
        window.page.evaluate(SHOW_FONTS)
    assert sent.page.evaluate(PLACES) == whole.page.evaluate(PLACES)
    # For search engines a title as sent says more, such as a task's price.
    assert whole.page.title().split(" · ")[0] in sent.page.title()
    assert not whole.console_errors, "Hydration among them"
    name = f"{path.strip('/') or 'landing'}-{viewport['width']}-{language}-{theme}"
    assert_same_picture(sent.page, whole.page, re.sub(r"[^a-z0-9-]+", "-", name))


def assert_same_picture(before: Page, after: Page, name: str) -> None:
    """Compare what is on the screen; the fields for filters, which come with the application, are hidden in both."""
    SCREENSHOTS.mkdir(exist_ok=True)
    pictures = []
    for page, when in ((before, "before"), (after, "after")):
        page.evaluate("document.getElementById('narrow')?.style.setProperty('opacity', '0')")
        taken = page.screenshot(path=SCREENSHOTS / f"hydration-{name}-{when}.png", animations="disabled")
        pictures.append(Image.open(BytesIO(taken)).convert("RGB"))
    difference = ImageChops.difference(*pictures).getbbox()
    assert difference is None, f"{name} differs in {difference}"


class HeldFiles:
    """Files of a page that wait until they are let go."""

    def __init__(self, page: Page, pattern: str) -> None:
        self.held: list[Route] = []
        self.is_holding = True
        page.route(pattern, self.hold)

    def hold(self, route: Route) -> None:
        if self.is_holding:
            self.held.append(route)
        else:
            route.continue_()

    def release(self) -> None:
        assert self.held
        self.is_holding = False
        for route in self.held:
            route.continue_()


def let_fonts_come(page: Page, fonts: HeldFiles) -> None:
    fonts.release()
    page.evaluate("document.fonts.ready")
    page.evaluate(TWO_FRAMES)
    expect(page.locator("html")).to_have_class(re.compile("late-font"))


@pytest.mark.parametrize("language", ["en", "hi"])
@pytest.mark.parametrize("path", ["/sign-in", "profile"])
def test_entry_page_with_late_fonts_does_not_move(
    screen: OpenScreen, language: str, path: str, addresses: Mapping[str, str]
) -> None:
    window = screen(viewport=PHONE)
    fonts = HeldFiles(window.page, "**/*.woff2")  # they come once the page has started
    window.page.add_init_script(RECORD_START)
    window.page.context.add_cookies([{"name": "doorstep-language", "value": language, "url": window.base}])
    window.page.goto(f"{window.base}/app{addresses.get(path, path)}", wait_until="domcontentloaded")
    expect(window.page.locator(STARTED)).to_be_visible(timeout=TIMEOUT_MS)
    let_fonts_come(window.page, fonts)
    assert window.page.evaluate("window.shift") < MOST_SHIFT
    window.page.get_by_role("link", name="Doorstep").first.click()  # the next page shows them
    window.expect_path("/")
    expect(window.page.locator("html")).not_to_have_class(re.compile("late-font"))


@pytest.mark.parametrize("path", [*PAGES, "task", "profile"])
def test_entry_page_has_no_hydration_mismatch(screen: OpenScreen, path: str, addresses: Mapping[str, str]) -> None:
    window = screen(viewport=DESK)
    messages: list[str] = []
    window.page.on("console", lambda message: messages.append(message.text))
    window.go(addresses.get(path, path))
    expect(window.page.locator(STARTED)).to_be_visible(timeout=TIMEOUT_MS)
    if path.startswith("/search"):
        window.page.get_by_label("What do you need?").click()  # the search box is hydrated at the first touch
    window.page.wait_for_load_state("networkidle")
    assert not [text for text in messages if "ydration" in text]


def test_search_works_with_javascript_off(browser: Browser, market: RunningMarket) -> None:
    context = browser.new_context(java_script_enabled=False, viewport={"width": 360, "height": 780})
    page = context.new_page()
    page.goto(market.url("/app/"))
    expect(page.get_by_role("article").first).to_be_visible()
    page.get_by_label("What do you need?").fill("tap washer")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/app/search\?q=tap\+washer&location=$"))
    expect(page.get_by_role("heading", level=1)).to_have_text("“tap washer”")
    expect(page.get_by_label("What do you need?")).to_have_value("tap washer")
    page.get_by_role("link", name="Tap washer 2").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Tap washer 2")
    expect(page.get_by_text("₹1,499.50")).to_be_visible()
    page.go_back()
    page.get_by_label("What do you need?").fill("nothing of this name")
    page.keyboard.press("Enter")
    expect(page.get_by_role("article")).to_have_count(0)
    context.close()


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


def test_text_typed_before_search_box_is_hydrated_is_kept(screen: OpenScreen) -> None:
    window = screen(viewport=PHONE)
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    window.page.route(f"**{script_of('features/search/components/SearchBox.vue')}", hold)
    window.go("/")
    field = window.page.get_by_label("What do you need?")
    field.fill("tap was")
    window.page.wait_for_function("document.querySelector('#app[data-v-app]')")
    for route in held:
        route.continue_()
    expect(window.page.get_by_role("option", name="Tap washer 0")).to_be_visible(timeout=TIMEOUT_MS)
    expect(field).to_have_value("tap was")


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


def test_signed_in_user_gets_no_page_of_visitor(screen: OpenScreen) -> None:
    window = screen()
    without_scripts(window.page)
    window.page.context.add_cookies([{"name": "csrf_refresh_token", "value": "x", "url": window.base}])
    window.go("/")
    assert window.page.locator("#app").inner_html() == ""


def test_first_page_in_hindi_is_in_the_html(screen: OpenScreen) -> None:
    window = screen(viewport=PHONE)
    without_scripts(window.page)
    window.page.context.add_cookies([{"name": "doorstep-language", "value": "hi", "url": window.base}])
    window.go("/").expect_text("आपके घर के लिए वेरिफ़ाइड प्रोफ़ेशनल")
    window.page.wait_for_function(
        "[...document.fonts].some((one) => /Devanagari/.test(one.family) && one.status === 'loaded')"
    )
    places: list[Any] = window.page.evaluate(PLACES)
    assert all(places)


@pytest.mark.parametrize("path", ["/", "/search", "/sign-in", "/sign-up", "/password/forgot"])
def test_head_of_page_is_in_the_readers_language(screen: OpenScreen, path: str) -> None:
    window = screen(viewport=PHONE)
    without_scripts(window.page)
    descriptions = []
    for language in ("en", "hi"):
        window.page.context.add_cookies([{"name": "doorstep-language", "value": language, "url": window.base}])
        window.go(path)
        descriptions.append(window.page.locator("meta[name=description]").get_attribute("content") or "")
        assert window.page.locator("html").get_attribute("lang") == language
    english, hindi = descriptions
    assert english.isascii()
    assert re.search("[\u0900-\u097f]", hindi)


@pytest.mark.parametrize("path", ["/sign-in", "/sign-up"])
def test_hindi_font_that_comes_late_moves_nothing(screen: OpenScreen, path: str) -> None:
    window = screen(viewport=PHONE)
    window.page.add_init_script(RECORD_START)
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    window.page.route("**/anek-devanagari-hi-*.woff2", hold)
    window.page.context.add_cookies([{"name": "doorstep-language", "value": "hi", "url": window.base}])
    window.page.goto(f"{window.base}/app{path}", wait_until="commit")
    expect(window.page.locator(STARTED)).to_be_visible(timeout=TIMEOUT_MS)
    expect(window.page.locator("html")).to_have_class(re.compile(r"\blate-font\b"))
    for route in held:
        route.continue_()
    window.page.evaluate("() => document.fonts.load(`1em 'Anek Devanagari Variable'`, 'अ')")
    window.page.evaluate(TWO_FRAMES)
    assert held
    assert window.page.evaluate("window.shift") < MOST_SHIFT
