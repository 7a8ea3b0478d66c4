"""The application in Hindi: found by a visitor, kept from page to page, left again in the account menu."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenScreen
from tests.browser.screen import DESK, PHONE, Screen
from tests.harness.caller import PASSWORD
from tests.harness.market import RunningMarket

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
def test_from_the_landing_page_to_the_account_menu(
    screen: OpenScreen, market: RunningMarket, viewport: dict[str, int]
) -> None:
    caller = market.visitor().sign_up("customer")
    window = screen(viewport=viewport)

    window.go("/").sees("हिन्दी")
    window.page.wait_for_function(
        "[...document.fonts].some((one) => /Own Names/.test(one.family) && one.status === 'loaded')"
    )
    window.press("हिन्दी").sees("आपके घर के लिए वेरिफ़ाइड प्रोफ़ेशनल").look("hindi landing")
    speaks(window, "hi")
    window.page.locator("main form button[type=submit]").click()
    window.stands_at("/search").sees("सभी काम").look("hindi results")
    window.go("/sign-in").sees("फिर से स्वागत है।").look("hindi sign in")
    speaks(window, "hi")

    window.page.get_by_label("यूज़रनेम या ईमेल").fill(caller.account["username"])
    window.page.get_by_label("पासवर्ड", exact=True).fill(PASSWORD)
    window.page.keyboard.press("Enter")
    window.stands_at("/").go("/requests").sees("अभी कोई रिक्वेस्ट नहीं").look("hindi requests")
    window.page.get_by_role("button", name="आपका अकाउंट").click()
    window.page.get_by_role("menuitemcheckbox", name="English").click()
    window.sees("No requests yet")
    speaks(window, "en")


def speaks(screen: Screen, language: str) -> None:
    expect(screen.page.locator("html")).to_have_attribute("lang", language)
