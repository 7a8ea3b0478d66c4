"""All that happens around one visit, between two people on two phones: from the photo of the problem to the review."""

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenScreen
from tests.browser.screen import PHONE, Screen
from tests.browser.test_conversations import write
from tests.browser.test_photos import camera_photo, choose
from tests.browser.test_photos import opened as open_path
from tests.browser.test_price_lines import propose, total, waiting
from tests.browser.test_visits import step
from tests.browser.texts import text
from tests.factories.files import picture
from tests.harness.caller import PASSWORD, Caller
from tests.harness.market import RunningMarket

pytestmark = pytest.mark.browser


def professional_of(market: RunningMarket, task: int) -> Caller:
    professional = market.visitor().sign_up("professional", task_ids=[task])
    professional.put("/me/document", files={"document": ("proof.png", picture(size=(300, 200)), "image/png")})
    market.admin().post(f"/professionals/{professional.account['id']}/approve")
    return professional.sign_in(professional.account["username"], PASSWORD)


def ask_with_photo(window: Screen, professional: Caller) -> int:
    """Fill in the form of a request with a photo of the problem, for this professional, and return the request's id."""
    window.expect_text(text("photos.hints.problem"))
    choose(window.page, text("photos.add"), camera_photo("The tap drips"))
    window.page.locator("input[name$='-day']").nth(2).check(force=True)
    window.page.locator("input[name$='-time']").nth(6).check(force=True)
    window.page.get_by_role("radio", name=re.compile("Rao and Sons")).first.check(force=True)
    window.inspect("whole visit, asked").press(text("requests.ask.action"))
    window.page.wait_for_url(re.compile(r"/requests/\d+$"))
    return int(window.page.url.rpartition("/")[2])


@pytest.mark.parametrize("is_offline", [False, True], ids=["online", "offline"])
def test_whole_visit_on_two_phones(screen: OpenScreen, market: RunningMarket, *, is_offline: bool) -> None:
    """With ``is_offline`` the professional has no connection between arriving and completing."""
    admin, customer = market.admin(), market.visitor().sign_up()
    offered = {"category": "Plumbing", "base_price": "349.00", "time_required": 60, "description": "Taps and pipes"}
    name = "Tap that drips, no signal" if is_offline else "Tap that drips"
    task = admin.post("/tasks", {**offered, "name": name}, status=201)["id"]
    admin.put(f"/tasks/{task}/policy", {"start_code": "required"})
    professional = professional_of(market, task)

    asha = open_path(screen(viewport=PHONE), customer, f"/tasks/{task}/ask")
    path = f"/requests/{ask_with_photo(asha, professional)}"
    ravi = open_path(screen(viewport=PHONE, keeps_application=is_offline), professional, path)
    expect(ravi.page.get_by_role("button", name="Open: Photo of the problem 1 of 1")).to_be_visible()
    write(asha, "Call me on 98765 43210, the gate is green")
    ravi.expect_text("Call me on •••, the gate is green").inspect("whole visit, before accepting")
    ravi.press("Accept").expect_text("Request accepted.")
    code = asha.page.locator("[data-start-code] [aria-hidden]").inner_text()

    ravi.press("I am on my way")
    expect(step(asha, "On the way")).to_be_visible()
    asha.inspect("whole visit, on the way")
    ravi.press("I have arrived")
    expect(step(asha, "Arrived")).to_be_visible()
    choose(ravi.page, text("photos.addOf.before"), camera_photo("Before"))
    expect(asha.page.get_by_role("button", name="Open: Photo before the work 1 of 1")).to_be_visible()
    if is_offline:
        propose_and_approve(ravi, asha)
        ravi.go_offline()
    ravi.page.get_by_label("Start code").fill(code)
    ravi.press("Start work")
    if is_offline:
        ravi.press("Mark as completed").expect_text("2 actions not sent yet.").inspect("whole visit, not sent")
        ravi.page.context.set_offline(False)
    else:
        expect(step(asha, "Started")).to_be_visible()
        propose_and_approve(ravi, asha)
        add_photo_after(ravi, asha)
        ravi.press("Mark as completed")
    asha.expect_text("The work is completed.")
    if is_offline:
        add_photo_after(ravi, asha)
    expect(total(asha)).to_have_text("₹600")

    ravi.press("Close")
    ravi.page.get_by_role("dialog").get_by_role("button", name="Close", exact=True).click()
    ravi.expect_text("Request closed.").inspect("whole visit, closed")
    asha.expect_text("Review the work")
    asha.page.get_by_role("radio", name="5 out of 5").check(force=True)
    asha.fill(Comment="On time, and kind").press("Send review").expect_text("Review sent.")
    asha.inspect("whole visit, reviewed")
    assert_all_is_kept(customer.get(path))


def add_photo_after(ravi: Screen, asha: Screen) -> None:
    choose(ravi.page, text("photos.addOf.after"), camera_photo("After"))
    expect(asha.page.get_by_role("button", name="Open: Photo after the work 1 of 1")).to_be_visible()


def propose_and_approve(ravi: Screen, asha: Screen) -> None:
    propose(ravi, "New tap", "2", "125.50").press("Send to customer").expect_text("Sent to the customer.")
    expect(waiting(asha, "New tap").locator("[data-becomes]")).to_have_text("₹600")
    asha.inspect("whole visit, extra work").press("Approve")
    expect(total(ravi)).to_have_text("₹600")


def assert_all_is_kept(request: dict[str, Any]) -> None:
    """The history names each step once, in order, and the price that was agreed stands beside the total."""
    steps = ["create", "accept", "on_the_way", "arrive", "start", "complete", "close", "review"]
    assert [entry["action"] for entry in request["history"] if entry["action"] in steps] == steps
    assert (request["status"], request["price"], request["total"]) == ("closed", "349.00", "600.00")
    assert request["review"]["rating"] == 5
