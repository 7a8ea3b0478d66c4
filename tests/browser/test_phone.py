"""Phone verification on a phone screen: codes of SMS, wrong and expired ones, limits; in an empty marketplace."""

import re
from collections.abc import Iterator

import psycopg
import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import OpenScreen
from tests.browser.screen import PHONE, TIMEOUT_MS, Screen
from tests.browser.test_pages import sign_in
from tests.browser.test_prerendered_pages import MOST_SHIFT, RECORD_START, STARTED
from tests.browser.texts import text
from tests.factories.servers import WebServer
from tests.harness.caller import PASSWORD, Caller
from tests.harness.market import RunningMarket, wait_for

pytestmark = pytest.mark.browser
NUMBER = "+919876543210"


@pytest.fixture(scope="module")
def gateway() -> Iterator[WebServer]:
    server = WebServer()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def market(gateway: WebServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningMarket]:
    """Start the whole product with an SMS gateway."""
    settings = {"SMS_URL": f"json://127.0.0.1:{gateway.port}/sms/{{phone}}"}
    running = RunningMarket(tmp_path_factory.mktemp("texting"), settings=settings)
    try:
        running.start()
        yield running
    finally:
        running.stop()


def change_codes(market: RunningMarket, caller: Caller, change: str) -> None:
    with psycopg.connect(market.environment["DATABASE_URL"]) as connection:
        connection.execute(
            f"UPDATE phone_codes SET {change} WHERE account_id = %s",  # noqa: S608 - constants of this file
            [caller.account["id"]],
        )


def code_to(number: str, gateway: WebServer, *, after: int = 0) -> str:
    """Return the code of the first SMS to the number after this many posts."""
    (post, *_) = wait_for(lambda: [post for post in gateway.posts[after:] if post.path == f"/sms/{number}"])
    return str(re.findall(r"\b[0-9]{6}\b", post.body["message"])[0])


def verifying(screen: OpenScreen, caller: Caller) -> tuple[Screen, Locator]:
    """Open the message settings of a user who chose SMS; return the window and its verification section."""
    caller.put("/me/preferences", {"channels": ["sms", "mail"]})
    window = screen(viewport=PHONE)
    sign_in(window, caller.account["username"], PASSWORD)
    window.go("/profile/messages")
    part = window.page.locator("section[aria-labelledby=verify-phone]")
    expect(part).to_be_visible(timeout=TIMEOUT_MS)
    return window, part


def press(part: Locator, name: str) -> None:
    part.get_by_role("button", name=text(f"accounts.phone.{name}"), exact=True).click()


def enter(part: Locator, code: str) -> None:
    part.get_by_role("textbox").fill(code)
    part.get_by_role("textbox").press("Enter")


def says(part: Locator, words: str) -> None:
    expect(part.get_by_role("alert").filter(has_text=words)).to_be_visible(timeout=TIMEOUT_MS)


@pytest.mark.parametrize("language", ["en", "hi"])
def test_landing_page_without_tasks_does_not_shift(screen: OpenScreen, market: RunningMarket, language: str) -> None:
    """No test of this module adds a task to its marketplace."""
    window = screen(viewport=PHONE)
    window.page.context.add_cookies([{"name": "doorstep-language", "value": language, "url": window.base}])
    window.page.add_init_script(RECORD_START)
    window.go("/").expect_text(text("search.landing.nothing", language))
    expect(window.page.locator(STARTED)).to_be_visible()
    window.inspect(f"landing without tasks {language}")
    assert window.page.evaluate("window.shift") < MOST_SHIFT


def test_phone_is_verified_by_code_of_sms(screen: OpenScreen, market: RunningMarket, gateway: WebServer) -> None:
    asha = market.visitor().sign_up("customer", phone=NUMBER)
    window, part = verifying(screen, asha)
    expect(window.page.get_by_text(text("accounts.messages.unverified"))).to_be_visible()
    window.inspect("verify phone")
    press(part, "send")
    expect(part.get_by_role("textbox")).to_be_focused(timeout=TIMEOUT_MS)
    expect(part.get_by_text(NUMBER)).to_be_visible()
    window.inspect("verify phone code")
    code = code_to(NUMBER, gateway)

    enter(part, f"{(int(code) + 1) % 10**6:06}")
    says(part, text("errors.wrong_code"))
    window.inspect("verify phone wrong")
    assert asha.get("/me")["phone_verified"] == 0

    enter(part, code)
    expect(part).to_have_count(0, timeout=TIMEOUT_MS)
    expect(window.page.get_by_text(text("accounts.messages.verified"), exact=True)).to_be_visible()
    expect(window.page.locator("main h1")).to_be_focused()
    window.inspect("verify phone done")
    assert asha.get("/me")["phone_verified"] == 1
    window.page.reload()
    expect(window.page.get_by_text(text("accounts.messages.verified"), exact=True)).to_be_visible(timeout=TIMEOUT_MS)
    expect(part).to_have_count(0)


def test_phone_code_that_expired_is_replaced_by_new_one(
    screen: OpenScreen, market: RunningMarket, gateway: WebServer
) -> None:
    number = "+919876543211"
    asha = market.visitor().sign_up("customer", phone=number)
    window, part = verifying(screen, asha)
    press(part, "send")
    old = code_to(number, gateway)
    change_codes(market, asha, "expires_at = now(), created_at = created_at - interval '11 minutes'")
    enter(part, old)
    says(part, text("errors.code_expired"))
    window.inspect("verify phone expired")
    sent = len(gateway.posts)
    press(part, "sendAgain")
    expect(part.get_by_role("textbox")).to_have_value("", timeout=TIMEOUT_MS)
    enter(part, code_to(number, gateway, after=sent))
    expect(part).to_have_count(0, timeout=TIMEOUT_MS)


def test_phone_code_limit_shows_wait_and_keeps_sent_code_valid(
    screen: OpenScreen, market: RunningMarket, gateway: WebServer
) -> None:
    number = "+919876543212"
    window, part = verifying(screen, market.visitor().sign_up("customer", phone=number))
    press(part, "send")
    code = code_to(number, gateway)
    press(part, "sendAgain")
    before = text("accounts.phone.wait").split("{")[0]
    says(part, before)
    window.inspect("verify phone limit")
    window.page.reload()
    press(part, "send")
    says(part, before)
    enter(part, code)
    expect(part).to_have_count(0, timeout=TIMEOUT_MS)


def test_phone_code_after_too_many_attempts_is_rejected(
    screen: OpenScreen, market: RunningMarket, gateway: WebServer
) -> None:
    number = "+919876543213"
    asha = market.visitor().sign_up("customer", phone=number)
    _, part = verifying(screen, asha)
    press(part, "send")
    code = code_to(number, gateway)
    change_codes(market, asha, "tries = 5")
    enter(part, code)
    says(part, text("errors.phone_code_used_up"))
