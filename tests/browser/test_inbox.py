"""The professional's inbox in Chromium: accept and decline with one tap, and undo both."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenScreen
from tests.browser.screen import PHONE
from tests.browser.test_pages import sign_in
from tests.factories.files import picture
from tests.harness.caller import PASSWORD
from tests.harness.market import RunningMarket

pytestmark = pytest.mark.browser


def test_inbox_accepts_and_declines_with_one_tap_and_undo(screen: OpenScreen, market: RunningMarket) -> None:
    admin, customer = market.admin(), market.visitor().sign_up("customer")
    offered = {"category": "Repairs", "base_price": "349.00", "time_required": 30, "description": "By the hour"}
    tasks = {
        name: admin.post("/tasks", {**offered, "name": name}, status=201)["id"]
        for name in ("Clock repair", "Bell repair", "Fan repair")
    }
    professional = market.visitor().sign_up("professional", task_ids=list(tasks.values()))
    professional.put("/me/document", files={"document": ("proof.png", picture(size=(300, 200)), "image/png")})
    admin.post(f"/professionals/{professional.account['id']}/approve")
    requests = {}
    for days, (name, task) in enumerate(tasks.items(), start=2):
        when = (datetime.now(UTC) + timedelta(days=days)).isoformat()
        requests[name] = customer.post("/requests", {"task_id": task, "date_of_request": when}, status=201)["id"]

    def asked(name: str) -> list[str]:
        return [entry["action"] for entry in admin.get(f"/requests/{requests[name]}")["history"]]

    window = screen(viewport=PHONE)
    sign_in(window, professional.account["username"], PASSWORD)
    window.go("/inbox").expect_text("Clock repair")
    cards = {name: window.page.get_by_role("article").filter(has_text=name) for name in tasks}

    cards["Clock repair"].get_by_role("button", name="Decline").click()
    expect(cards["Clock repair"]).to_have_count(0)
    window.press("Undo")  # at once, as the offer ends after ten seconds
    expect(cards["Clock repair"]).to_be_visible()
    assert asked("Clock repair") == ["create"]

    cards["Clock repair"].get_by_role("button", name="Decline").click()
    window.expect_text("“Clock repair” declined.").inspect("inbox declined")
    window.go("/agenda").expect_path("/agenda")
    window.go("/inbox").expect_text("Bell repair")
    expect(cards["Clock repair"]).to_have_count(0)
    assert asked("Clock repair") == ["create", "reject"]

    window.page.get_by_role("button", name="Reason for declining Bell repair").click()
    window.page.get_by_role("menuitem", name="Too far away").click()
    window.go("/work").expect_path("/work")
    window.go("/inbox").expect_text("Fan repair")
    assert admin.get(f"/requests/{requests['Bell repair']}")["history"][-1]["note"] == "Too far away"

    cards["Fan repair"].get_by_role("button", name="Accept").click()
    window.press("Undo").expect_text("Request released.")
    assert asked("Fan repair") == ["create", "accept", "release"]
