"""Live updates in Chromium: pages change without polling, tabs share one stream, and outages fall back to polling."""

import itertools
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from subprocess import Popen
from time import monotonic

import pytest
from playwright.sync_api import BrowserContext, Request, expect

from backend.launch import processes
from tests.browser.conftest import OpenScreen
from tests.browser.screen import PHONE, TIMEOUT_MS, Screen
from tests.browser.test_identity import sign_out
from tests.browser.test_pages import sign_in
from tests.factories.files import picture
from tests.harness.caller import ADMIN_PASSWORD, PASSWORD, Caller
from tests.harness.market import RunningMarket, wait_for

pytestmark = pytest.mark.browser
NUMBERS = itertools.count(1)
NO_POLLING = "window.setInterval = () => 0"  # what still changes on a page, a live update has changed
# The scripts that the page has loaded.
SOURCES = """
    Promise.all(performance.getEntriesByType('resource')
      .filter((one) => one.name.endsWith('.js'))
      .map((one) => fetch(one.name).then((response) => response.text())))
"""


@pytest.fixture
def process(market: RunningMarket) -> Iterator[Popen[bytes]]:
    """Return the running process of live updates for the test to end; it is started again afterwards."""
    program = market.programs["events"]
    assert program.process is not None
    yield program.process
    if not program.alive():
        program.start()


def with_stream(window: Screen, caller: Caller) -> Screen:
    """Sign in and wait until the page follows changes."""
    with window.page.expect_response(is_stream):
        sign_in(window, caller.account["username"], PASSWORD)
    return window


def is_stream(response: object) -> bool:
    return str(getattr(response, "url", "")).endswith("/events") and getattr(response, "status", 0) == 200


def applicant(market: RunningMarket) -> Caller:
    professional = market.visitor().sign_up("professional")
    professional.put("/me/document", files={"document": ("proof.png", picture(size=(300, 200)), "image/png")})
    return professional


def asked(market: RunningMarket, customer: Caller) -> dict[str, object]:
    """Create a request of the customer for a new task."""
    offered = {"category": "Repairs", "base_price": "349.00", "time_required": 30, "description": "By the hour"}
    name = f"Live repair {next(NUMBERS)}"
    task = market.admin().post("/tasks", {**offered, "name": name}, status=201)["id"]
    when = (datetime.now(UTC) + timedelta(days=3)).isoformat()
    request: dict[str, object] = customer.post("/requests", {"task_id": task, "date_of_request": when}, status=201)
    return request


def streams_of(context: BrowserContext) -> list[Request]:
    """Collect the streams that any tab of the browser opens from now on."""
    found: list[Request] = []
    context.on("request", lambda request: found.append(request) if request.url.endswith("/events") else None)
    return found


def test_approval_shows_on_open_page_of_professional_without_polling(screen: OpenScreen, market: RunningMarket) -> None:
    professional = applicant(market)
    window = screen(viewport=PHONE)
    window.page.add_init_script(NO_POLLING)
    with_stream(window, professional).expect_path("/approval")
    market.admin().post(f"/professionals/{professional.account['id']}/approve")
    window.expect_text("Approved")


def test_request_shows_its_acceptance_to_customer_without_polling(screen: OpenScreen, market: RunningMarket) -> None:
    professional, customer = applicant(market), market.visitor().sign_up()
    market.admin().post(f"/professionals/{professional.account['id']}/approve")
    request = asked(market, customer)
    professional.patch("/me", {"task_ids": [request["task_id"]]})
    window = screen()
    window.page.add_init_script(NO_POLLING)
    with_stream(window, customer)
    with window.page.expect_response(is_stream):
        window.go(f"/requests/{request['id']}").expect_text("Requested")
    professional.post(f"/requests/{request['id']}/accept")
    window.expect_text("Accepted")


def test_profile_and_hours_saved_on_one_device_show_on_another(screen: OpenScreen, market: RunningMarket) -> None:
    professional = applicant(market)
    market.admin().post(f"/professionals/{professional.account['id']}/approve")
    other, here = screen(viewport=PHONE), screen()
    other.page.add_init_script(NO_POLLING)
    with_stream(other, professional)
    with other.page.expect_response(is_stream):
        other.go("/profile").expect_text("First name")
    sign_in(here, professional.account["username"], PASSWORD)
    here.go("/profile").fill(First_name="Meera").press("Save")
    expect(other.page.get_by_label(re.compile("^First name"))).to_have_value("Meera")
    with other.page.expect_response(is_stream):
        other.go("/agenda/hours").expect_text("Monday")
    with here.page.expect_response(lambda response: response.request.method == "PUT"):
        here.go("/agenda/hours").page.get_by_label("Sunday", exact=True).uncheck()
        here.press("Save")
    expect(other.page.get_by_label("Sunday", exact=True)).not_to_be_checked()


def test_admin_sees_sign_up_and_its_message_without_polling(screen: OpenScreen, market: RunningMarket) -> None:
    accounts, deliveries = screen(), screen()
    for window, path in ((accounts, "/admin/customers"), (deliveries, "/admin/deliveries")):
        window.page.add_init_script(NO_POLLING)
        sign_in(window, "admin", ADMIN_PASSWORD)
        with window.page.expect_response(is_stream):
            window.go(path)
        window.wait_until_idle()
    customer = market.visitor().sign_up("customer", lastname=f"Newly {next(NUMBERS)}")
    expect(accounts.page.get_by_text(customer.account["lastname"])).to_be_visible()
    market.admin().post(f"/users/{customer.account['id']}/block", {"reason": "other"})
    expect(deliveries.page.get_by_text(re.compile(rf"\b{customer.account['id']}\b")).first).to_be_visible()


def test_tabs_share_one_stream_which_another_tab_takes_over(screen: OpenScreen, market: RunningMarket) -> None:
    customer = market.visitor().sign_up()
    window = screen()
    context = window.page.context
    context.add_init_script(NO_POLLING)
    streams = streams_of(context)
    with_stream(window, customer)
    tabs = [context.new_page() for _ in range(3)]
    for tab in tabs:
        tab.goto(f"{window.base}/app/requests")
        expect(tab.locator("h1").first).to_be_visible()
    first = asked(market, customer)
    for tab in tabs:
        expect(tab.get_by_text(str(first["task_name"])).first).to_be_visible()
    assert len(streams) == 1
    with context.expect_event("response", predicate=is_stream, timeout=TIMEOUT_MS):
        window.page.close()
    second = asked(market, customer)
    tabs[0].bring_to_front()
    expect(tabs[0].get_by_text(str(second["task_name"]), exact=True).first).to_be_visible()


def test_sign_out_ends_stream_and_next_account_has_its_own(screen: OpenScreen, market: RunningMarket) -> None:
    one, other = market.visitor().sign_up(), market.visitor().sign_up()
    window = screen()
    streams = streams_of(window.page.context)
    with_stream(window, one)
    ended: list[Request] = []

    def note(request: Request) -> None:
        ended.append(request)

    window.page.on("requestfailed", note)  # the page or the server ends it, whichever is first
    window.page.on("requestfinished", note)
    sign_out(window.page)
    until = monotonic() + TIMEOUT_MS / 1000
    while not any(request.url.endswith("/events") for request in ended):
        assert monotonic() < until, "the stream is still open"
        window.page.wait_for_timeout(50)
    with_stream(window, other)
    assert len({request.headers["authorization"] for request in streams}) == 2


def test_blocked_account_is_signed_out_of_its_open_page(screen: OpenScreen, market: RunningMarket) -> None:
    customer = market.visitor().sign_up()
    window = screen()
    window.page.add_init_script(NO_POLLING)
    with_stream(window, customer)
    market.admin().post(f"/users/{customer.account['id']}/block", {"reason": "other"})
    window.expect_path("/sign-in")


def test_page_polls_while_process_is_down_and_follows_again(
    screen: OpenScreen, market: RunningMarket, process: Popen[bytes]
) -> None:
    customer = market.visitor().sign_up()
    window = screen()
    with_stream(window, customer)
    window.wait_until_idle()
    with window.page.expect_request(lambda request: "/notifications" in request.url):
        processes.kill_group(process)
        process.wait()
    with window.page.expect_response(is_stream, timeout=TIMEOUT_MS):
        market.programs["events"].start()
    with window.page.expect_request(lambda request: "/notifications" in request.url):
        wait_for(lambda: customer.post("/notifications/read", {"all": True}) is not None)


def test_visitor_loads_nothing_of_live_updates(screen: OpenScreen, market: RunningMarket) -> None:
    window = screen()
    asked_for: list[str] = []
    window.page.on("request", lambda request: asked_for.append(request.url))
    window.go("/")
    window.wait_until_idle()
    loaded: list[str] = window.page.evaluate(SOURCES)
    assert not [url for url in asked_for if url.endswith("/events")]
    assert not any("Last-Event-ID" in source for source in loaded)
