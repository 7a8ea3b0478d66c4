"""Every page of every role: accessible, not too wide, without console errors and calls to other hosts."""

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
from playwright.sync_api import Locator, Route, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from backend.settings import ROOT
from tests.browser.conftest import OpenScreen
from tests.browser.screen import DESK, PHONE, TIMEOUT_MS, Screen
from tests.browser.texts import text
from tests.factories.files import picture
from tests.harness.caller import ADMIN_PASSWORD, PASSWORD, Caller
from tests.harness.market import RunningMarket

pytestmark = pytest.mark.browser
VISITOR: Final = [
    "/",
    "/search",
    "/tasks/{task}",
    "/professionals/{professional}",
    "/sign-in",
    "/sign-up",
    "/sign-up/professional",
    "/password/forgot",
    "/password/reset?token=none",
    "/email/confirm?token=none",
    "/email/undo?token=none",
    "/visit/{visit}",
    "/visit/none",
    "/nowhere",
]
CUSTOMER: Final = [
    "/",
    "/search?pincode=560001",
    "/tasks/{task}",
    "/tasks/{task}/ask",
    "/requests",
    "/requests/{request}",
    "/requests/{request}/messages",
    "/messages",
    "/favourites",
    "/reports",
    "/reports/{month}",
    "/notifications",
    "/profile",
    "/profile/messages",
    "/profile/exclusions",
    "/profile/sessions",
    "/password/first",
]
PROFESSIONAL: Final = [
    "/inbox",
    "/work",
    "/requests/{request}",
    "/requests/{request}/messages",
    "/messages",
    "/approval",
    "/agenda",
    "/agenda/hours",
    "/reviews",
    "/my-profile",
    "/professionals/{professional}",
    "/notifications",
    "/profile",
    "/profile/messages",
]
ADMIN: Final = [
    "/admin",
    "/admin/approvals",
    "/admin/approvals/photos",
    "/admin/professionals",
    "/admin/professionals/{professional}",
    "/admin/customers",
    "/admin/customers/{customer}",
    "/admin/tasks",
    "/admin/tasks/synonyms",
    "/admin/requests",
    "/admin/conversations",
    "/requests/{request}/messages",
    "/admin/audit",
    "/admin/reliability",
    "/admin/deliveries",
    "/admin/exports",
    "/admin/jobs",
    "/admin/reviews",
    "/admin/settings",
    "/notifications",
    "/profile",
]
FRONTEND: Final = ROOT / "frontend" / "src" / "features"


@dataclass
class FilledMarket:
    """A marketplace with a user of each role, and a request with a reported conversation and a shared visit."""

    names: dict[str, tuple[str, str]]
    ids: dict[str, int | str]


@pytest.fixture(scope="module")
def filled(market: RunningMarket) -> FilledMarket:
    admin, customer = market.admin(), market.visitor().sign_up("customer")
    offered = {"name": "Painting a room", "category": "Painting", "base_price": "2499.00", "time_required": 240}
    task = admin.post("/tasks", {**offered, "description": "Two coats, floor covered"}, status=201)["id"]
    professional = market.visitor().sign_up("professional", task_ids=[task])
    professional.put("/me/document", files={"document": ("proof.png", picture(size=(300, 200)), "image/png")})
    admin.post(f"/professionals/{professional.account['id']}/approve")
    soon = (datetime.now(UTC) + timedelta(days=3)).isoformat()
    request = customer.post("/requests", {"task_id": task, "date_of_request": soon, "remarks": "The hall"}, status=201)[
        "id"
    ]
    add_photo(customer, request, "problem")
    professional.post(f"/requests/{request}/accept")
    add_photo(professional, request, "before")
    for author, body in ((customer, "The gate is on the left side."), (professional, "Thank you, I will find it.")):
        author.post(f"/requests/{request}/messages", {"body": body}, status=201)
    customer.post(f"/requests/{request}/messages/report", {"reason": "Asks for money in advance"}, status=204)
    link = customer.post(f"/requests/{request}/visit_link", status=201)["url"]
    ids: dict[str, int | str] = {
        "month": f"{datetime.now(UTC):%Y-%m}",
        "task": task,
        "request": request,
        "visit": link.rsplit("/", 1)[1],
        "customer": number(customer),
        "professional": number(professional),
    }
    names = {
        "customer": (customer.account["username"], PASSWORD),
        "professional": (professional.account["username"], PASSWORD),
        "admin": ("admin", ADMIN_PASSWORD),
    }
    return FilledMarket(names, ids)


def add_photo(caller: Caller, request: int, phase: str) -> None:
    file = {"photo": ("photo.png", picture(size=(300, 200)), "image/png")}
    caller.post(f"/requests/{request}/photos", data={"phase": phase}, files=file, status=201)


def number(caller: Caller) -> int:
    return int(caller.account["id"])


def test_pages_lists_cover_every_route() -> None:
    """A new page must be added to one of the lists above."""
    there = {
        re.sub(r":\w+(\([^)]*\))?", "{}", path)
        for routes in FRONTEND.glob("*/routes.ts")
        for path in re.findall(r"path: '([^']*)'", routes.read_text(encoding="utf-8"))
    }
    visited = {re.sub(r"\{\w+\}", "{}", path.split("?")[0]) for path in [*VISITOR, *CUSTOMER, *PROFESSIONAL, *ADMIN]}
    assert there - visited == set()


@pytest.mark.parametrize(("viewport", "dark"), [(PHONE, False), (DESK, True)], ids=["phone-light", "desk-dark"])
@pytest.mark.parametrize(
    ("role", "paths"),
    [("visitor", VISITOR), ("customer", CUSTOMER), ("professional", PROFESSIONAL), ("admin", ADMIN)],
    ids=["visitor", "customer", "professional", "admin"],
)
def test_pages_of_role_pass_all_checks(
    screen: OpenScreen, filled: FilledMarket, role: str, paths: list[str], viewport: dict[str, int], *, dark: bool
) -> None:
    window = screen(viewport=viewport, dark=dark)
    if role in filled.names:
        sign_in(window, *filled.names[role])
    for path in paths:
        address = path.format(**filled.ids)
        window.go(address).inspect(f"{role} {path.strip('/').replace('/', ' ').replace('?', ' ') or 'home'}")


@pytest.mark.parametrize(("role", "viewport"), [("customer", PHONE), ("professional", PHONE), ("admin", DESK)])
def test_menu_draws_every_icon(screen: OpenScreen, filled: FilledMarket, role: str, viewport: dict[str, int]) -> None:
    window = screen(viewport=viewport)
    sign_in(window, *filled.names[role])
    window.go("/profile").wait_until_idle()
    expect(window.page.locator("nav svg[role=img]:visible").first).to_be_visible()
    assert window.page.locator("svg[role=img]:empty").count() == 0


def sign_in(window: Screen, username: str, password: str) -> None:
    window.go("/sign-in").fill(Username=username)
    window.page.get_by_label("Password", exact=True).fill(password)
    window.page.keyboard.press("Enter")
    window.page.wait_for_url(lambda address: "/sign-in" not in address)


def test_sign_in_by_keyboard_only_shows_focus_and_succeeds(screen: OpenScreen, filled: FilledMarket) -> None:
    """Tab follows the visual order, and the focused element is highlighted."""
    window = screen()
    window.go("/sign-in").expect_text("Welcome back.")
    username, password = filled.names["customer"]
    for _ in range(20):
        window.page.keyboard.press("Tab")
        if window.page.evaluate("document.activeElement.autocomplete") == "username":
            break
    outline = window.page.evaluate(
        "getComputedStyle(document.activeElement).outlineStyle + getComputedStyle(document.activeElement).boxShadow"
    )
    assert outline != "nonenone"
    window.page.keyboard.type(username)
    window.page.keyboard.press("Tab")
    window.page.keyboard.type(password)
    window.page.keyboard.press("Enter")
    window.expect_path("/")


def test_skip_link_moves_focus_to_main_content(screen: OpenScreen, filled: FilledMarket) -> None:
    window = screen()
    window.go("/search").expect_text("All tasks")
    expect(window.page.locator("#app[data-v-app]")).to_be_visible(timeout=TIMEOUT_MS)
    window.page.evaluate("document.activeElement.blur()")
    window.page.keyboard.press("Tab")
    expect(window.page.get_by_role("link", name="Skip to main content")).to_be_focused()
    window.page.keyboard.press("Enter")
    expect(window.page.locator("main")).to_be_focused()


def test_form_input_is_kept_after_session_ended(screen: OpenScreen, market: RunningMarket) -> None:
    caller = market.visitor().sign_up("customer")
    window = screen()
    sign_in(window, caller.account["username"], PASSWORD)
    window.go("/profile").fill(Address="99 Brigade Road")
    market.visitor().sign_in(caller.account["username"]).post("/logout/everywhere", status=204)
    # A background poll may notice it before the click; then the dialog covers the button.
    with suppress(PlaywrightTimeout):
        window.button("Save").first.click(timeout=2_000)
    window.expect_text("Your session has ended")
    window.page.get_by_role("dialog").get_by_label("Password", exact=True).fill(PASSWORD)
    window.page.keyboard.press("Enter")
    window.page.get_by_role("dialog").wait_for(state="hidden")
    assert window.page.get_by_label(re.compile("^Address")).input_value() == "99 Brigade Road"


def test_block_during_session_is_shown_at_next_click(screen: OpenScreen, market: RunningMarket) -> None:
    caller = market.visitor().sign_up("customer")
    window = screen()
    sign_in(window, caller.account["username"], PASSWORD)
    market.admin().post(f"/users/{caller.account['id']}/block", {"reason": "fraud"})
    # A background poll may notice it before the click; then the notice replaces the link.
    with suppress(PlaywrightTimeout):
        window.page.get_by_role("link", name="Requests").first.click(timeout=2_000)
    window.expect_text("This account is blocked")


LINES: Final = """
(tools) => new Set([...tools.children].filter((one) => one.offsetHeight > 0)
  .map((one) => Math.round(one.offsetTop + one.offsetHeight / 2))).size
"""
WIDE_LETTERS: Final = """
document.addEventListener('DOMContentLoaded', () => {
  const wide = new CSSStyleSheet()
  wide.replaceSync('header * { letter-spacing: 0.06em }')
  document.adoptedStyleSheets.push(wide)
})
"""
# What is wholly or partly beside the screen; parts that scroll or are clipped on purpose are left out.
OUTSIDE: Final = """
() => {
  const clips = (one) => getComputedStyle(one).overflowX !== 'visible'
  const isClipped = (one) => one !== document.body && one !== document.documentElement
    && (clips(one) || (one.parentElement !== null && isClipped(one.parentElement)))
  return [...document.body.querySelectorAll('*')].flatMap((one) => {
    const { left, right, width } = one.getBoundingClientRect()
    const isOutside = width > 1 && (left < -1 || right > innerWidth + 1)
    return isOutside && one.checkVisibility() && !isClipped(one) ? [one.outerHTML.slice(0, 120)] : []
  })
}
"""


def from_right_to_left(route: Route) -> None:
    """Send a page as a language that is written from right to left would have it."""
    answer = route.fetch()
    route.fulfill(response=answer, body=answer.text().replace("<html ", '<html dir="rtl" ', 1))


def side_of(window: Screen, where: Locator) -> str:
    """Return on which side of the screen something is."""
    box, width = where.bounding_box(), (window.page.viewport_size or DESK)["width"]
    assert box is not None
    return "right" if box["x"] + box["width"] / 2 > width / 2 else "left"


def check_mirrored(window: Screen, path: str) -> None:
    """Check that nothing is beside the screen, and that the page can be used."""
    window.go(path)
    window.inspect(f"right to left {path.strip('/').split('?')[0].replace('/', ' ') or 'landing'}")
    assert window.page.evaluate("getComputedStyle(document.body).direction") == "rtl"
    assert window.page.evaluate(OUTSIDE) == [], path


@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
def test_pages_from_right_to_left_are_mirrored(
    screen: OpenScreen, filled: FilledMarket, viewport: dict[str, int]
) -> None:
    def opened(role: str = "") -> Screen:
        window = screen(viewport=viewport)
        window.page.route(lambda url: "/app" in url and "." not in url.rsplit("/", 1)[1], from_right_to_left)
        if role:
            sign_in(window, *filled.names[role])
        return window

    window = opened()
    for path in ("/", "/search?q=painting", "/sign-in"):
        check_mirrored(window, path)
        assert side_of(window, window.page.locator("header svg").first) == "right"
        assert side_of(window, window.page.get_by_role("link", name=text("nav.signIn"), exact=True).first) == "left"
    window = opened("professional")
    for path in ("/inbox", f"/requests/{filled.ids['request']}", "/agenda"):
        check_mirrored(window, path)
        assert side_of(window, window.page.locator("header svg").first) == "right"
    window.go(f"/requests/{filled.ids['request']}")
    arrow = window.page.locator("main svg.along-text").first
    assert arrow.evaluate("(one) => getComputedStyle(one).scale") == "-1 1"
    window.go("/notifications")
    switch = window.page.get_by_role("switch").first
    switch.click()
    expect(switch).to_be_checked()
    thumb = switch.locator("span").first
    window.page.wait_for_function("(one) => one.getAnimations().length === 0", arg=thumb.element_handle())
    moved = thumb.evaluate("(one) => one.getBoundingClientRect().x - one.parentElement.getBoundingClientRect().x")
    assert moved < 4, "the switch is at its end, which is on the left"
    window = opened("admin")
    check_mirrored(window, "/admin")
    if viewport is PHONE:
        window.page.get_by_role("button", name=text("nav.open")).click()
        menu = window.page.get_by_role("dialog")
        expect(menu).to_be_visible()
        window.page.wait_for_function("(one) => one.getAnimations().length === 0", arg=menu.element_handle())
    else:
        menu = window.page.locator("aside")
    assert side_of(window, menu) == "right"


@pytest.mark.parametrize("language", ["en", "hi"])
def test_top_bar_in_another_font_stays_one_line(screen: OpenScreen, filled: FilledMarket, language: str) -> None:
    window = screen(viewport=PHONE)
    window.page.context.add_cookies([{"name": "doorstep-language", "value": language, "url": window.base}])
    window.page.route("**/*.woff2", lambda route: route.abort())
    # The widest letters that a device may have in place of ours.
    window.page.add_init_script(WIDE_LETTERS)
    window.go("/")
    bar = window.page.locator("header > div")
    expect(bar).to_be_visible()
    window.inspect(f"top bar in another font {language}")
    assert bar.evaluate("(one) => one.getBoundingClientRect().height") <= 65
    assert bar.locator(":scope > div").last.evaluate(LINES) == 1
