"""A customer asks again, keeps a professional, and both sides choose never to be matched again."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenScreen
from tests.browser.screen import DESK, PHONE
from tests.browser.test_pages import sign_in
from tests.factories.files import picture
from tests.harness.caller import PASSWORD, Caller
from tests.harness.market import RunningMarket

pytestmark = pytest.mark.browser


def professional_of(market: RunningMarket, task: int, **changes: object) -> Caller:
    found = market.visitor().sign_up("professional", task_ids=[task], **changes)
    found.put("/me/document", files={"document": ("proof.png", picture(size=(300, 200)), "image/png")})
    market.admin().post(f"/professionals/{found.account['id']}/approve")
    return found


def test_customer_asks_again_keeps_a_favourite_and_is_never_matched_again(
    screen: OpenScreen, market: RunningMarket
) -> None:
    offered = {"name": "Window cleaning", "category": "Cleaning", "base_price": "799.00", "time_required": 90}
    task = market.admin().post("/tasks", {**offered, "description": "Both sides"}, status=201)["id"]
    customer, professional = market.visitor().sign_up("customer"), professional_of(market, task, firstname="Meera")
    professional_of(market, task, firstname="Devika")
    when = (datetime.now(UTC) + timedelta(days=3)).isoformat()
    asked = {"task_id": task, "date_of_request": when, "remarks": "Ladder in the hall"}
    path = f"/requests/{customer.post('/requests', asked, status=201)['id']}"
    for verb in ("accept", "complete"):
        professional.post(f"{path}/{verb}")

    mine = screen(viewport=PHONE)
    sign_in(mine, customer.account["username"], PASSWORD)
    mine.go(path).expect_text("Next time")
    mine.press("Add to favourites: Meera").expect_text("Added to favourites.")
    mine.inspect("next time, customer")
    mine.go("/favourites").expect_text("Meera").inspect("favourites")
    mine.go(f"/tasks/{task}").expect_text("Devika")
    names = mine.page.get_by_role("list", name="Professionals for this task").get_by_role(
        "link", name=re.compile("^(Meera|Devika)$")
    )
    assert names.all_inner_texts() == ["Meera", "Devika"]

    mine.go(path).press("Request again").expect_path(f"/tasks/{task}/ask").expect_text("Filled in from")
    expect(mine.page.get_by_label("Remarks")).to_have_value("Ladder in the hall")
    expect(mine.page.get_by_role("radio", name=re.compile("Meera"))).to_be_checked()
    mine.inspect("request again")

    theirs = screen(viewport=DESK, dark=True)
    sign_in(theirs, professional.account["username"], PASSWORD)
    theirs.go(path).press("Never match again")
    theirs.inspect("never match again, question")
    theirs.page.get_by_role("dialog").get_by_role("button", name="Never match again").click()
    theirs.expect_text("You will not be matched again.")
    theirs.go("/profile/exclusions").expect_text("Customer of “Window cleaning”").inspect("never match again")

    mine.go(path).press("Request again").expect_text("Meera cannot be requested for this task.")
    expect(mine.page.get_by_role("radio", name="Any professional")).to_be_checked()
    mine.go("/favourites").expect_text("Not available at the moment")
    theirs.press("Match again").expect_text("You can be matched again.")
    mine.go("/favourites").expect_text("Meera")
    expect(mine.page.get_by_text("Not available at the moment")).to_have_count(0)
