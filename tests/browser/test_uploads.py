"""Document uploads over slow or failing connections: progress, and nothing lost on failure."""

import os
import re
from io import BytesIO

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.conftest import OpenScreen
from tests.browser.screen import PHONE, TIMEOUT_MS, Screen
from tests.browser.test_pages import sign_in
from tests.browser.texts import text
from tests.factories.files import picture
from tests.harness.caller import PASSWORD, sign_up_fields
from tests.harness.market import RunningMarket

pytestmark = pytest.mark.browser
BYTES_A_SECOND = 100_000
LONGER_THAN_OFFLINE = 15_000  # Chromium goes on with an upload that is under way when it is set offline
SIGN_UP = ("username", "email", "firstname", "lastname", "address", "pincode", "compname", "password")


def large_picture() -> bytes:
    """Return a picture of about 430 kB that does not compress."""
    target = BytesIO()
    Image.frombytes("RGB", (380, 380), os.urandom(380 * 380 * 3)).save(target, "PNG")
    return target.getvalue()


def choose(window: Screen, name: str, content: bytes) -> None:
    field = window.page.locator("input[type=file]")
    field.set_input_files({"name": name, "mimeType": "image/png", "buffer": content})
    window.expect_text(name)


def slow_down(window: Screen, rate: int = BYTES_A_SECOND) -> None:
    session = window.page.context.new_cdp_session(window.page)
    session.send("Network.enable")
    limits = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": rate}
    session.send("Network.emulateNetworkConditions", limits)


def test_upload_on_slow_connection_shows_progress(screen: OpenScreen, market: RunningMarket) -> None:
    ravi = market.visitor().sign_up("professional")
    window = screen(viewport=PHONE)
    sign_in(window, ravi.account["username"], PASSWORD)
    window.go("/approval").expect_text(text("common.file.choose"))
    choose(window, "licence.png", large_picture())
    slow_down(window)
    window.press(text("professionals.document.send"))
    progress = window.page.get_by_role("progressbar")
    expect(progress).to_have_attribute("aria-valuenow", re.compile(r"^[1-9]\d?$"), timeout=TIMEOUT_MS)
    expect(window.page.locator("input[type=file]")).to_be_disabled()
    expect(window.page.locator("main").get_by_text(re.compile(r"^\d+%$"))).to_be_visible()
    expect(progress).to_have_count(0, timeout=TIMEOUT_MS)
    window.expect_text(text("professionals.approval.handedIn")).inspect("upload done")
    assert ravi.get("/me")["document"]["filename"] == "licence.png"


def test_upload_that_fails_keeps_file_and_can_be_resent(screen: OpenScreen, market: RunningMarket) -> None:
    ravi = market.visitor().sign_up("professional")
    window = screen(viewport=PHONE)
    sign_in(window, ravi.account["username"], PASSWORD)
    window.go("/approval").expect_text(text("common.file.choose"))
    choose(window, "licence.png", picture(size=(300, 200)))
    window.page.route("**/me/document", lambda route: route.abort("connectionreset"))
    window.press(text("professionals.document.send")).expect_text(text("errors.no_answer"))
    window.inspect("upload failed")
    expect(window.page.get_by_role("progressbar")).to_have_count(0)
    window.expect_text("licence.png")
    window.page.unroute("**/me/document")
    window.press(text("professionals.document.send")).expect_text(text("professionals.approval.handedIn"))
    assert ravi.get("/me")["document"]["filename"] == "licence.png"


def test_upload_that_loses_its_connection_says_so_and_can_be_resent(screen: OpenScreen, market: RunningMarket) -> None:
    ravi = market.visitor().sign_up("professional")
    window = screen(viewport=PHONE)
    sign_in(window, ravi.account["username"], PASSWORD)
    window.go("/approval").expect_text(text("common.file.choose"))
    choose(window, "licence.png", large_picture())
    slow_down(window, LONGER_THAN_OFFLINE)
    window.press(text("professionals.document.send"))
    progress = window.page.get_by_role("progressbar")
    expect(progress).to_be_visible(timeout=TIMEOUT_MS)
    window.page.context.set_offline(True)
    window.expect_text(text("common.file.offline").split("{")[0])
    window.expect_text(text("errors.offline"))
    expect(progress).to_have_count(0)
    window.expect_text("licence.png").inspect("upload offline")
    window.page.context.set_offline(False)
    window.press(text("professionals.document.send")).expect_text(text("professionals.approval.handedIn"))
    assert ravi.get("/me")["document"]["filename"] == "licence.png"


def test_sign_up_that_fails_keeps_input_and_file(screen: OpenScreen, market: RunningMarket) -> None:
    window = screen(viewport=PHONE).go("/sign-up/professional").expect_text(text("common.file.choose"))
    fields = sign_up_fields("professional")
    for name in SIGN_UP:
        window.page.locator(f"input[name={name}]").fill(str(fields[name]))
    choose(window, "licence.png", picture(size=(300, 200)))
    window.page.route("**/add_professional", lambda route: route.abort("connectionreset"))
    submit = window.page.locator("main form button[type=submit]")
    submit.click()
    window.expect_text(text("errors.no_answer")).inspect("sign up failed")
    window.expect_text("licence.png")
    window.page.unroute("**/add_professional")
    submit.click()
    window.expect_path("/approval")
    made = market.visitor().sign_in(fields["username"])
    assert made.account["document"]["filename"] == "licence.png"
