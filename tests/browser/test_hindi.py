"""The application in Hindi: chosen on the landing page, kept across pages, changed in the account menu."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenScreen
from tests.browser.screen import DESK, PHONE, Screen
from tests.harness.caller import PASSWORD
from tests.harness.market import RunningMarket

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
def test_hindi_chosen_on_landing_page_is_kept_until_changed_in_account_menu(
    screen: OpenScreen, market: RunningMarket, viewport: dict[str, int]
) -> None:
    caller = market.visitor().sign_up("customer")
    window = screen(viewport=viewport)

    window.go("/").expect_text("हिन्दी")
    window.page.wait_for_function(
        "[...document.fonts].some((one) => /Own Names/.test(one.family) && one.status === 'loaded')"
    )
    window.press("हिन्दी").expect_text("आपके घर के लिए वेरिफ़ाइड प्रोफ़ेशनल").inspect("hindi landing")
    speaks(window, "hi")
    window.page.locator("main form button[type=submit]").click()
    window.expect_path("/search").expect_text("सभी काम").inspect("hindi results")
    window.go("/sign-in").expect_text("फिर से स्वागत है।").inspect("hindi sign in")
    speaks(window, "hi")

    window.page.get_by_label("यूज़रनेम या ईमेल").fill(caller.account["username"])
    window.page.get_by_label("पासवर्ड", exact=True).fill(PASSWORD)
    window.page.keyboard.press("Enter")
    window.expect_path("/").go("/requests").expect_text("अभी कोई रिक्वेस्ट नहीं").inspect("hindi requests")
    window.page.get_by_role("button", name="आपका अकाउंट").click()
    window.page.get_by_role("menuitemcheckbox", name="English").click()
    window.expect_text("No requests yet")
    speaks(window, "en")


def speaks(screen: Screen, language: str) -> None:
    expect(screen.page.locator("html")).to_have_attribute("lang", language)
