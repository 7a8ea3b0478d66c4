"""Public profiles in Chromium: from a photo and a text to a customer's request, and the page without JavaScript."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO
from itertools import count
from typing import Final

import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import Browser, expect

from tests.browser.chromium import script_of
from tests.browser.conftest import OpenScreen
from tests.browser.screen import DESK, PHONE, Screen
from tests.browser.test_pages import sign_in
from tests.browser.test_prerendered_pages import HeldFiles
from tests.browser.texts import text
from tests.factories.files import picture
from tests.harness.caller import ADMIN_PASSWORD, PASSWORD, Caller
from tests.harness.market import RunningMarket

pytestmark = pytest.mark.browser
NUMBERS: Final = count(1)
ABOUT: Final = "Fifteen years of pipes and taps.\nI speak English, Hindi and Kannada."
AT_LENGTH: Final = " Each step was explained, and the old parts were shown." * 10
AS_SENT_AND_AS_DRAWN: Final = """
async () => {
  const sent = new DOMParser().parseFromString(await (await fetch(location.href)).text(), 'text/html')
  return [sent, document].map((page) => page.querySelector('main').innerHTML.replaceAll(/<!--.*?-->/g, ''))
}
"""


def portrait() -> bytes:
    image = Image.new("RGB", (700, 500), (214, 228, 229))
    draw = ImageDraw.Draw(image)
    draw.ellipse((200, 330, 500, 700), fill=(52, 110, 84))
    draw.ellipse((260, 90, 440, 330), fill=(172, 112, 74))
    target = BytesIO()
    image.save(target, "JPEG")
    return target.getvalue()


@dataclass
class Reviewed:
    """A professional with reviews, and the task they offer."""

    caller: Caller
    task: str

    @property
    def id(self) -> int:
        return int(self.caller.account["id"])

    @property
    def request_label(self) -> str:
        return f"Request {self.task} from {self.caller.account['firstname']}"


@pytest.fixture
def ravi(market: RunningMarket) -> Reviewed:
    admin, customer = market.admin(), market.visitor().sign_up("customer")
    task = f"Tap repair {next(NUMBERS)}"
    offered = {"name": task, "category": "Plumbing", "base_price": "499.00", "time_required": 60}
    task_id = admin.post("/tasks", {**offered, "description": "Dripping taps and leaking pipes"}, status=201)["id"]
    professional = market.visitor().sign_up("professional", task_ids=[task_id])
    professional.put("/me/document", files={"document": ("proof.png", picture(size=(300, 200)), "image/png")})
    admin.post(f"/professionals/{professional.account['id']}/approve")
    for day, rating in enumerate((5, 5, 3), 2):
        soon = (datetime.now(UTC) + timedelta(days=day)).isoformat()
        asked = customer.post("/requests", {"task_id": task_id, "date_of_request": soon}, status=201)
        path = f"/requests/{asked['id']}"
        professional.post(f"{path}/accept")
        professional.post(f"{path}/complete")
        customer.post(f"{path}/close", {})
        comment = f"Came on time, visit {day}." + (AT_LENGTH if rating == 3 else "")
        customer.post(f"{path}/review", {"rating": rating, "comment": comment}, status=201)
        professional.post(f"{path}/review/reply", {"reply": "Thank you for the kind words."})
    return Reviewed(professional, task)


def present(screen: OpenScreen, ravi: Caller) -> Screen:
    """Write the text and upload the photo as the professional."""
    window = screen(viewport=PHONE)
    sign_in(window, ravi.account["username"], PASSWORD)
    window.go("/my-profile").expect_text(text("profiles.mine.photoHint"))
    window.page.get_by_label(text("profiles.mine.about")).fill("Call 98765 43210")
    window.press(text("common.save")).expect_text("Remove phone numbers")
    window.page.get_by_label(text("profiles.mine.about")).fill(ABOUT)
    window.press(text("common.save")).expect_text(text("profiles.mine.saved"))
    window.page.locator("input[type=file]").set_input_files(
        {"name": "me.jpg", "mimeType": "image/jpeg", "buffer": portrait()}
    )
    window.press(text("profiles.mine.upload")).expect_text(text("profiles.mine.pendingHint"))
    return window.inspect("my profile")


def approve(screen: OpenScreen) -> None:
    window = screen(viewport=DESK)
    sign_in(window, "admin", ADMIN_PASSWORD)
    window.go("/admin/approvals").follow(text("profiles.photos.title"))
    expect(window.page.locator("article img").first).to_be_visible()
    window.inspect("profile photos")
    window.press(text("profiles.photos.approve")).expect_text("is approved")
    window.inspect("profile photos decided")


@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
def test_profile_leads_from_photo_and_reviews_to_a_request(
    screen: OpenScreen, market: RunningMarket, ravi: Reviewed, viewport: dict[str, int]
) -> None:
    owner = present(screen, ravi.caller)
    approve(screen)
    owner.go("/my-profile").expect_text(text("profiles.mine.shown")).follow(text("profiles.mine.view"))
    owner.expect_text(text("profiles.page.preview")).inspect("profile own")

    visitor = screen(viewport=viewport, dark=viewport is DESK)
    visitor.go(f"/professionals/{ravi.id}").expect_text("Fifteen years of pipes and taps.")
    visitor.expect_text("Came on time, visit 2.").expect_text("Thank you for the kind words.")
    expect(visitor.page.get_by_role("img", name="Photo of")).to_be_visible()
    visitor.inspect("profile")
    expect(visitor.page.locator("#served")).to_be_hidden()
    visitor.follow(ravi.request_label).expect_path("/sign-in")

    customer = market.visitor().sign_up("customer")
    window = screen(viewport=viewport)
    sign_in(window, customer.account["username"], PASSWORD)
    window.go(f"/professionals/{ravi.id}")
    window.follow(ravi.request_label)
    window.expect_text(text("requests.ask.whoHint"))
    expect(window.page.locator(f"input[name=professional][value='{ravi.id}']")).to_be_checked()


def test_profile_reads_without_javascript_and_in_hindi(
    browser: Browser, screen: OpenScreen, market: RunningMarket, ravi: Reviewed
) -> None:
    ravi.caller.patch("/me/profile", {"about": ABOUT})
    path = f"/app/professionals/{ravi.id}"
    plain = browser.new_context(java_script_enabled=False, viewport={"width": 360, "height": 780})
    page = plain.new_page()
    page.goto(market.url(path))
    expect(page.get_by_role("heading", name=ravi.caller.account["firstname"], exact=True)).to_be_visible()
    expect(page.get_by_text("Came on time, visit 2.")).to_be_visible()
    assert ravi.caller.account["compname"] in page.title()
    plain.close()
    window = screen(viewport=PHONE)
    window.go(f"/professionals/{ravi.id}?lang=hi").expect_text("काम और दाम").inspect("profile in Hindi")
    expect(window.page.locator("html")).to_have_attribute("lang", "hi")


@pytest.mark.parametrize("language", ["en", "hi"])
def test_profile_is_sent_as_the_application_draws_it(screen: OpenScreen, ravi: Reviewed, language: str) -> None:
    ravi.caller.patch("/me/profile", {"about": ABOUT})
    window = screen(viewport=PHONE).go(f"/professionals/{ravi.id}?lang={language}")
    # The reviews become alive last: once the rest of a long one is shown on demand, all of the page is.
    window.press(text("common.moreText", language)).press(text("common.lessText", language))
    expect(window.page.get_by_role("button", name=text("common.moreText", language))).to_be_visible()
    sent, drawn = window.page.evaluate(AS_SENT_AND_AS_DRAWN)
    assert "Came on time, visit 2." in sent
    assert sent == drawn


def test_review_opened_before_its_script_arrives_is_opened_then(screen: OpenScreen, ravi: Reviewed) -> None:
    window = screen(viewport=PHONE)
    script = f"**{script_of('features/profiles/components/ProfileReviews.vue')}"
    reviews = HeldFiles(window.page, script)
    with window.page.expect_request(script):
        window.go(f"/professionals/{ravi.id}").press(text("common.moreText"))
    expect(window.page.get_by_text(AT_LENGTH.strip())).to_be_hidden()
    reviews.release()
    expect(window.page.get_by_role("button", name=text("common.lessText"))).to_be_visible()
    expect(window.page.get_by_text(AT_LENGTH.strip())).to_be_visible()


def test_profile_that_is_not_public_says_so(screen: OpenScreen, market: RunningMarket) -> None:
    pending = market.visitor().sign_up("professional")
    window = screen(viewport=PHONE)
    window.go(f"/professionals/{pending.account['id']}").expect_text(text("errors.status_404"))
    window.inspect("profile not public")
