"""Every page of every role: accessible, not too wide, without console errors and calls to other hosts."""

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
from playwright.sync_api import TimeoutError as PlaywrightTimeout
from playwright.sync_api import expect

from backend.settings import ROOT
from tests.browser.conftest import OpenScreen
from tests.browser.screen import DESK, PHONE, TIMEOUT_MS, Screen
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
