"""A price by offer: two professionals offer, the customer compares and accepts, in browsers of their own."""

import itertools
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenScreen
from tests.browser.screen import DESK, PHONE
from tests.browser.test_pages import sign_in
from tests.factories.files import picture
from tests.harness.caller import PASSWORD, Caller
from tests.harness.market import RunningMarket

pytestmark = pytest.mark.browser
NUMBERS = itertools.count(1)


class Quote(NamedTuple):
    """A request for a task that is priced by offer."""

    task: int
    request: int
    customer: Caller
    professionals: list[Caller]


@pytest.fixture
def quote(market: RunningMarket) -> Callable[[], Quote]:
    """Return a function that makes such a request and two professionals who offer the task."""

    def make() -> Quote:
        admin, customer = market.admin(), market.visitor().sign_up()
        task = {"category": "Repairs", "base_price": "900.00", "time_required": 240, "description": "Two coats"}
        task |= {"name": f"Quoted painting {next(NUMBERS)}", "pricing": "quote"}
        made = admin.post("/tasks", task, status=201)["id"]
        professionals = [market.visitor().sign_up("professional") for _ in range(2)]
        for one in professionals:
            proof = picture(size=(300, 200))
            one.put("/me/document", files={"document": ("proof.png", proof, "image/png")})
            admin.post(f"/professionals/{one.account['id']}/approve")
            one.patch("/me", {"task_ids": [made]})
        when = (datetime.now(UTC) + timedelta(days=3)).isoformat()
        request = customer.post("/requests", {"task_id": made, "date_of_request": when}, status=201)
        return Quote(made, request["id"], customer, professionals)

    return make


def test_offers_are_made_compared_and_accepted_in_two_browsers(screen: OpenScreen, quote: Callable[[], Quote]) -> None:
    of = quote()
    of.professionals[1].post(
        f"/requests/{of.request}/offers", {"amount": "1250.50", "note": "Paint included"}, status=201
    )
    visitor = screen(viewport=PHONE)
    visitor.go(f"/tasks/{of.task}").expect_text("By quote, from ₹900").inspect("task by quote")
    mine = screen(viewport=PHONE)
    sign_in(mine, of.professionals[0].account["username"], PASSWORD)
    mine.go("/inbox").expect_text("By quote, from ₹900").inspect("inbox with quote")
    mine.follow("Make an offer")
    sheet = mine.page.get_by_role("dialog")
    sheet.get_by_label(re.compile("^Your price")).fill("1100")
    sheet.get_by_label("Note").fill("Two coats, call +91 98765 43210")
    mine.inspect("making an offer")
    mine.press("Send offer").expect_text("Offer sent to the customer.")
    expect(mine.button("Accept")).to_have_count(0)
    mine.inspect("own offer")

    theirs = screen(viewport=DESK)
    sign_in(theirs, of.customer.account["username"], PASSWORD)
    theirs.go(f"/requests/{of.request}").expect_text("₹1,250.50").expect_text("₹1,100")
    assert "98765" not in theirs.page.locator("main").inner_text()
    theirs.inspect("offers compared")
    cheap = theirs.page.get_by_role("list", name="Offers").get_by_role("listitem").first
    expect(cheap).to_contain_text("₹1,100")
    cheap.get_by_role("button", name=re.compile("^Accept")).click()
    theirs.expect_text(re.compile("offer of ₹1,100")).inspect("offer, confirmation")
    theirs.page.get_by_role("dialog").get_by_role("button", name="Accept offer").click()
    theirs.expect_text("Offer accepted.")
    expect(theirs.page.get_by_role("list", name="Offers")).to_have_count(0)
    expect(mine.button("Release")).to_be_visible()
    mine.expect_text("12 MG Road").inspect("offer accepted, professional")


def test_offers_in_hindi_and_dark(screen: OpenScreen, quote: Callable[[], Quote]) -> None:
    of = quote()
    for amount, one in zip(("1100", "1250.50"), of.professionals, strict=True):
        one.post(f"/requests/{of.request}/offers", {"amount": amount, "note": "पेंट शामिल"}, status=201)
    for caller, name in ((of.customer, "customer"), (of.professionals[0], "professional")):
        caller.patch("/me", {"language": "hi"})
        window = screen(viewport=PHONE, dark=True)
        sign_in(window, caller.account["username"], PASSWORD)
        window.go(f"/requests/{of.request}").expect_text("₹1,100").expect_text("पेंट शामिल")
        window.inspect(f"offers hindi dark, {name}")
