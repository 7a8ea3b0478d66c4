"""Extra work between two people in two browsers: proposed, approved in the app and at the door, declined, withdrawn."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import OpenScreen
from tests.browser.screen import DESK, PHONE, Screen
from tests.browser.test_pages import sign_in
from tests.browser.test_visits import Visit, accepted, opened
from tests.harness.caller import PASSWORD

__all__ = ["accepted"]
pytestmark = pytest.mark.browser


def propose(window: Screen, title: str, quantity: str, price: str, kind: str = "Extra work") -> Screen:
    """Fill in and send the form of a price line."""
    window.press("Add to the price")
    sheet = window.page.get_by_role("dialog")
    sheet.get_by_role("radio", name=kind).click()
    sheet.get_by_label("Description").fill(title)
    sheet.get_by_label("Quantity").fill(quantity)
    sheet.get_by_label("Price of one").fill(price)
    return window


def waiting(window: Screen, title: str) -> Locator:
    """Return the line with this title that waits for a decision."""
    return window.page.get_by_role("list", name="Waiting for a decision").get_by_role("listitem").filter(has_text=title)


def total(window: Screen) -> Locator:
    return window.page.locator("[data-total]")


def test_extra_work_from_proposal_to_completion_in_two_browsers(
    screen: OpenScreen, accepted: Callable[[str], Visit]
) -> None:
    visit = accepted("off")
    theirs = opened(screen(viewport=DESK), visit.customer, visit)
    mine = opened(screen(viewport=PHONE), visit.professional, visit)
    propose(mine, "New tap", "2", "125.50").expect_text("New total if approved").inspect("price line, proposal")
    mine.press("Send to customer").expect_text("Sent to the customer.")
    expect(waiting(theirs, "New tap").locator("[data-becomes]")).to_have_text("₹600")
    expect(total(theirs)).to_have_text("₹349")
    expect(theirs.button("Mark as completed")).to_have_count(0)
    theirs.inspect("price line waiting, customer")
    mine.inspect("price line waiting, professional")
    theirs.press("Approve")
    expect(total(mine)).to_have_text("₹600")

    propose(mine, "Longer pipe", "1.5", "100", "Material").press("Send to customer")
    code = waiting(theirs, "Longer pipe").locator("[data-approval-code] [aria-hidden]").inner_text()
    assert re.fullmatch(r"\d{4}", code)
    assert code not in mine.page.locator("main").inner_text()
    mine.press("Enter approval code")
    field = mine.page.get_by_label("Approval code")
    field.fill(f"{(int(code) + 1) % 10_000:04}")
    mine.press("Approve with code")
    expect(mine.page.get_by_role("alert").get_by_text("The code is wrong.")).to_be_attached()
    mine.inspect("price line wrong code, professional")
    field.fill(code)
    mine.press("Approve with code")
    expect(total(theirs)).to_have_text("₹750")

    propose(mine, "Second visit", "1", "500").press("Send to customer")
    waiting(theirs, "Second visit").get_by_role("button", name="Decline").click()
    expect(waiting(mine, "Second visit")).to_have_count(0)
    propose(mine, "For the wait", "1", "50", "Discount").press("Send to customer")
    expect(waiting(theirs, "For the wait").locator("[data-becomes]")).to_have_text("₹700")
    mine.press("Withdraw")
    expect(waiting(theirs, "For the wait")).to_have_count(0)
    theirs.expect_text("Not counted")
    mine.press("Mark as completed").expect_text("The work is completed.")
    expect(total(mine)).to_have_text("₹750")
    theirs.expect_text("The work is completed.").inspect("price lines completed, customer")


def test_price_lines_in_hindi_and_dark(screen: OpenScreen, accepted: Callable[[str], Visit]) -> None:
    visit = accepted("off")
    line = {"kind": "extra", "title": "नया नल", "quantity": "1", "unit_amount": "250.00"}
    visit.professional.post(f"/requests/{visit.id}/price_lines", line, status=201)
    for caller, name in ((visit.customer, "customer"), (visit.professional, "professional")):
        caller.patch("/me", {"language": "hi"})
        window = screen(viewport=PHONE, dark=True)
        sign_in(window, caller.account["username"], PASSWORD)
        window.go(f"/requests/{visit.id}").expect_text("मंज़ूरी के बाद कुल रकम").inspect(f"price lines hindi dark, {name}")
