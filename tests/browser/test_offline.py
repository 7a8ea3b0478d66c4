"""The application without a connection: what opens, what it says, and what is left after signing out."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chromium import FRONTEND
from tests.browser.conftest import OpenScreen
from tests.browser.screen import PHONE, TIMEOUT_MS, Screen
from tests.browser.test_pages import sign_in
from tests.browser.texts import text
from tests.factories.files import picture
from tests.harness.caller import PASSWORD, Caller
from tests.harness.market import RunningMarket

pytestmark = pytest.mark.browser
ADDRESS: Final = "44 Offline Street"
WORKER: Final = FRONTEND / "dist" / "service-worker.js"
IS_KEPT: Final = """async (operation) => {
    const { active } = (await navigator.serviceWorker.getRegistration('/app/')) ?? {}
    if (active?.state !== 'activated') return -1
    // To open what is not there would make it.
    if (!(await indexedDB.databases()).some(({ name }) => name === 'doorstep-answers')) return 0
    const answers = indexedDB.open('doorstep-answers')
    await new Promise((done) => { answers.onsuccess = done })
    const all = answers.result.transaction('answers').objectStore('answers').getAllKeys()
    await new Promise((done) => { all.onsuccess = done })
    answers.result.close()
    return all.result.filter((key) => key.includes(`"_id":"${operation}`)).length
}"""


@pytest.fixture(scope="module")
def visit() -> datetime:
    """Return the time of the visit: tomorrow, so on a Sunday in another week than today."""
    return datetime.now(UTC) + timedelta(days=1)


@pytest.fixture(scope="module")
def agenda(visit: datetime) -> str:
    """Return the path of the week of the visit."""
    return f"/agenda?day={visit.astimezone(ZoneInfo('Asia/Kolkata')).date()}"


@pytest.fixture(scope="module")
def professional(market: RunningMarket, visit: datetime) -> Caller:
    """Return a professional with one accepted request tomorrow."""
    admin, customer = market.admin(), market.visitor().sign_up("customer", address=ADDRESS)
    offered = {"category": "Repairs", "base_price": "349.00", "time_required": 30, "description": "By the hour"}
    task = admin.post("/tasks", {**offered, "name": "Shelf mounting"}, status=201)["id"]
    someone = market.visitor().sign_up("professional", task_ids=[task])
    someone.put("/me/document", files={"document": ("proof.png", picture(size=(300, 200)), "image/png")})
    admin.post(f"/professionals/{someone.account['id']}/approve")
    request = customer.post("/requests", {"task_id": task, "date_of_request": visit.isoformat()}, status=201)
    someone.sign_in(someone.account["username"]).post(f"/requests/{request['id']}/accept")
    return someone


def open_agenda(screen: OpenScreen, professional: Caller, agenda: str) -> Screen:
    """Open a phone on the agenda, then on the request, and wait until both are kept."""
    window = screen(viewport=PHONE, keeps_application=True)
    sign_in(window, professional.account["username"], PASSWORD)
    window.go(agenda).expect_text("Shelf mounting")
    window.page.get_by_role("link", name="Shelf mounting").first.click()
    window.expect_text(ADDRESS)
    wait_for_kept(window.page, at_least=2)
    return window


def wait_for_kept(page: Page, operation: str = "", *, at_least: int = 0, at_most: int = 1_000) -> None:
    """Wait until so many answers are kept, of the operations whose ids begin so."""
    for _ in range(TIMEOUT_MS // 100):
        if at_least <= page.evaluate(IS_KEPT, operation) <= at_most:
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"{page.evaluate(IS_KEPT, operation)} answers are kept")


@contextmanager
def next_version() -> Iterator[None]:
    """Serve a service worker that differs from the one of the build."""
    built = {path: path.read_bytes() for path in WORKER.parent.glob(f"{WORKER.name}*")}
    try:
        for path in built:
            path.unlink()
        WORKER.write_bytes(built[WORKER] + b"\n// next\n")
        yield
    finally:
        for path, content in built.items():
            path.write_bytes(content)


def test_agenda_and_request_open_without_connection(screen: OpenScreen, professional: Caller, agenda: str) -> None:
    window = open_agenda(screen, professional, agenda)
    window.go_offline()
    window.page.reload()
    window.expect_text(ADDRESS).expect_text(text("common.readAt"))
    window.go(agenda).expect_text("Shelf mounting").expect_text(text("nav.offline").split(".")[0])
    window.page.context.set_offline(False)
    expect(window.page.get_by_text(text("common.outdated")).first).to_be_hidden(timeout=TIMEOUT_MS)
    window.go("/inbox").expect_path("/inbox")


def test_coming_visit_that_was_never_opened_opens_without_connection(
    screen: OpenScreen, professional: Caller, agenda: str
) -> None:
    window = screen(viewport=PHONE, keeps_application=True)
    sign_in(window, professional.account["username"], PASSWORD)
    window.go("/inbox")
    wait_for_kept(window.page, 'getRequest"', at_least=1)
    window.go_offline()
    window.go(agenda).expect_text("Shelf mounting")
    window.page.get_by_role("link", name="Shelf mounting").first.click()
    window.expect_text(ADDRESS).expect_text(text("common.readAt"))


def test_sign_out_removes_what_was_kept(screen: OpenScreen, professional: Caller, agenda: str) -> None:
    window = open_agenda(screen, professional, agenda)
    window.page.get_by_role("button", name=text("nav.account")).first.click()
    window.page.get_by_role("menuitem", name=text("nav.signOut")).click()
    window.expect_path("/sign-in")
    wait_for_kept(window.page, at_most=0)
    assert window.page.evaluate("localStorage.getItem('doorstep-account')") is None


def test_next_version_is_loaded_when_asked_for(screen: OpenScreen, professional: Caller, agenda: str) -> None:
    window = open_agenda(screen, professional, agenda)
    window.page.reload()
    window.expect_text(ADDRESS)
    expect(window.page.get_by_text(text("nav.newVersion"))).to_have_count(0)
    with next_version():
        window.page.reload()
        window.expect_text(text("nav.newVersion"))
        with window.page.expect_navigation():
            window.press(text("nav.reload"))
        window.expect_text(ADDRESS)
        expect(window.page.get_by_text(text("nav.newVersion"))).to_have_count(0)
