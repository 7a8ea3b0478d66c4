"""Photos between a customer and a professional in two browsers: chosen while asking, failed, viewed, deleted."""

import re
from io import BytesIO

import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import FilePayload, Page, expect

from tests.browser.conftest import OpenScreen
from tests.browser.screen import DESK, PHONE, Screen
from tests.browser.test_live_updates import applicant
from tests.browser.test_pages import sign_in
from tests.browser.texts import text
from tests.harness.caller import PASSWORD, Caller
from tests.harness.market import RunningMarket

pytestmark = pytest.mark.browser


def camera_photo(words: str, *, size: tuple[int, int] = (2600, 1950)) -> bytes:
    """Return a photo as a phone writes it: on its side, with a note that says so and one about the place."""
    image = Image.new("RGB", size, "#88a0b8")
    drawing = ImageDraw.Draw(image)
    drawing.rectangle((size[0] // 4, size[1] // 4, size[0] * 3 // 4, size[1] * 3 // 4), fill="#c0552f")
    drawing.text((size[0] // 3, size[1] // 2), words, fill="white", font_size=size[1] // 12)
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "12.9716 N"
    target = BytesIO()
    image.save(target, "JPEG", exif=exif, quality=90)
    return target.getvalue()


def choose(page: Page, label: str, *contents: bytes) -> None:
    files: list[FilePayload] = [
        {"name": f"photo{number}.jpg", "mimeType": "image/jpeg", "buffer": data} for number, data in enumerate(contents)
    ]
    page.locator(f'input[type=file][aria-label="{label}"]').set_input_files(files)


def opened(window: Screen, caller: Caller, path: str) -> Screen:
    sign_in(window, caller.account["username"], PASSWORD)
    return window.go(path)


def pair(market: RunningMarket) -> tuple[Caller, Caller, int]:
    """Return a customer, an active professional, and a task that the professional offers."""
    admin, professional = market.admin(), applicant(market)
    admin.post(f"/professionals/{professional.account['id']}/approve")
    offered = {"category": "Repairs", "base_price": "349.00", "time_required": 60, "description": "Taps and pipes"}
    task = admin.post("/tasks", {**offered, "name": "Photographed repair"}, status=201)["id"]
    professional.patch("/me", {"task_ids": [task]})
    return market.visitor().sign_up(), professional, int(task)


def test_photos_of_a_request_from_asking_to_the_visit(screen: OpenScreen, market: RunningMarket) -> None:
    customer, professional, task = pair(market)
    asha = opened(screen(viewport=PHONE), customer, f"/tasks/{task}/ask").expect_text(text("photos.hints.problem"))
    page = asha.page
    choose(page, text("photos.add"), camera_photo("One"), camera_photo("Two"), camera_photo("Three"))
    asha.press("Remove: Photo of the problem 3 of 3")
    expect(page.get_by_alt_text("Photo of the problem 2 of 2")).to_be_visible()
    asha.inspect("photos while asking")
    page.locator("input[name$='-day']").nth(2).check(force=True)
    page.locator("input[name$='-time']").nth(6).check(force=True)
    asha.press(text("requests.ask.action")).expect_text(text("photos.privacy"))
    page.wait_for_url(re.compile(r"/requests/\d+$"))
    sent = page.get_by_role("button", name="Open: Photo of the problem 2 of 2")
    sent.scroll_into_view_if_needed()  # a photo is read once it is near the screen
    expect(sent.locator("img")).to_be_visible()
    request = int(page.url.rpartition("/")[2])
    sizes = {(one["width"], one["height"]) for one in customer.get(f"/requests/{request}/photos")["items"]}
    assert sizes == {(1500, 2000)}  # upright, and shrunk in the browser

    page.route(f"**/requests/{request}/photos", lambda route: route.abort("connectionreset"))
    choose(page, text("photos.addOf.problem"), camera_photo("Leak"))
    asha.expect_text("One photo was not sent.").inspect("photo failed")
    page.unroute(f"**/requests/{request}/photos")
    asha.press(text("photos.retry"))
    first = page.get_by_role("button", name="Open: Photo of the problem 1 of 3")
    expect(first.locator("img")).to_be_visible()
    asha.inspect("photos of customer")

    professional.post(f"/requests/{request}/accept")
    ravi = opened(screen(viewport=DESK), professional, f"/requests/{request}").expect_text(text("photos.hints.before"))
    choose(ravi.page, text("photos.addOf.before"), camera_photo("Before A"), camera_photo("Before B"))
    added = ravi.page.get_by_role("button", name="Open: Photo before the work 2 of 2")
    added.scroll_into_view_if_needed()
    expect(added.locator("img")).to_be_visible()
    ravi.inspect("photos of professional")

    asha.go(f"/requests/{request}")
    first.click()
    viewer = page.get_by_role("dialog")
    expect(viewer.get_by_alt_text("Photo of the problem 1 of 3")).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(viewer.get_by_alt_text("Photo of the problem 2 of 3")).to_be_visible()
    page.keyboard.press("End")
    expect(viewer.get_by_alt_text("Photo before the work 2 of 2")).to_be_visible()
    asha.inspect("photo viewer")
    page.keyboard.press("Home")
    viewer.get_by_role("button", name=text("photos.delete"), exact=True).click()
    page.get_by_role("dialog", name=text("photos.deleteTitle")).get_by_role(
        "button", name=text("photos.delete")
    ).click()
    asha.expect_text(text("photos.deleted"))
    expect(first).to_have_count(0)
    asha.expect_text("3 photos added")

    choose(page, text("photos.attach"), camera_photo("In a message"))
    asha.press(text("conversations.send"))
    expect(page.get_by_role("button", name="Open: Photo from You").locator("img")).to_be_visible()
    asha.inspect("photo in a message")
    ravi.page.locator("#messages").scroll_into_view_if_needed()
    shown = ravi.page.locator("#messages").get_by_role("button", name="Open: Photo from")
    expect(shown.locator("img")).to_be_visible()
