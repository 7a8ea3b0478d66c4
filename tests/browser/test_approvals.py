"""Approvals in Chromium: decisions on replaced documents, double clicks, and a sign-up with a lost response."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import OpenScreen
from tests.browser.screen import DESK, PHONE, Screen
from tests.browser.test_journey import fill_account
from tests.browser.test_pages import sign_in
from tests.factories.files import picture
from tests.harness.caller import ADMIN_PASSWORD, Caller, sign_up_fields
from tests.harness.market import RunningMarket, wait_for

pytestmark = pytest.mark.browser
REPLACED = "The document was replaced. Review it again."


def upload(professional: Caller, width: int) -> dict[str, Any]:
    file = ("proof.png", picture(size=(width, 200)), "image/png")
    document: dict[str, Any] = professional.put("/me/document", files={"document": file})["document"]
    return document


@pytest.fixture
def admin(market: RunningMarket) -> Iterator[Caller]:
    """Return an admin with an empty approval queue, before and after the test."""
    caller = market.admin()
    empty_queue(caller)
    yield caller
    empty_queue(caller)


def empty_queue(admin: Caller) -> None:
    while waiting := admin.get("/professionals", approval="pending")["items"]:
        for one in waiting:
            admin.post(f"/professionals/{one['id']}/reject", {"reason": "Left by another test"})


def open_queue(window: Screen) -> Screen:
    sign_in(window, "admin", ADMIN_PASSWORD)
    window.go("/admin/approvals")
    expect(window.page.locator("figure img")).to_be_visible()
    return window


def picture_width(page: Page) -> int:
    return int(page.locator("figure img").evaluate("one => one.naturalWidth"))


@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
def test_approval_of_replaced_document_asks_for_another_review(
    screen: OpenScreen, market: RunningMarket, admin: Caller, viewport: dict[str, int]
) -> None:
    professional = market.visitor().sign_up("professional")
    upload(professional, 300)
    window = screen(viewport=viewport, dark=viewport is DESK)
    window.page.route("**/events", lambda route: route.abort())  # the refusal is tested, not the live update
    open_queue(window)
    assert picture_width(window.page) == 300
    current = upload(professional, 310)
    window.press("Approve")
    expect(window.page.locator("section").get_by_role("status").get_by_text(REPLACED)).to_be_visible()
    expect(window.page.locator("figure img")).to_be_visible()
    window.page.wait_for_function("document.querySelector('figure img')?.naturalWidth === 310")
    window.inspect("approvals document replaced")
    assert professional.get("/me")["approval"] == "pending"
    window.press("Approve").expect_text("is approved")
    me = professional.get("/me")
    assert (me["approval"], me["document"]["id"]) == ("approved", current["id"])


@pytest.mark.parametrize("how", ["click", "key"])
def test_approval_by_double_press_decides_only_one_professional(
    screen: OpenScreen, market: RunningMarket, admin: Caller, how: str
) -> None:
    first, second = (market.visitor().sign_up("professional") for _ in range(2))
    for one in (first, second):
        upload(one, 300)
    window = open_queue(screen())
    approve = window.button("Approve")
    expect(approve).to_have_attribute("aria-disabled", "false")
    if how == "click":
        approve.dblclick()
    else:
        window.page.keyboard.press("a")
        window.page.keyboard.press("a")
    window.expect_text("is approved")
    expect(approve).to_have_attribute("aria-disabled", "false")
    assert [one.get("/me")["approval"] for one in (first, second)] == ["approved", "pending"]
    approve.click()
    window.expect_text("No documents to review")
    wait_for(lambda: second.get("/me")["approval"] == "approved")


@pytest.mark.usefixtures("admin")
def test_sign_up_with_lost_response_signs_in(screen: OpenScreen, market: RunningMarket, tmp_path: Path) -> None:
    window = screen(viewport=PHONE)
    fields = {**sign_up_fields("professional"), "username": "lostanswer", "email": "lostanswer@example.org"}

    def lose(route: Route) -> None:
        """Create the account, then drop the connection before the response."""
        file = ("proof.png", picture(size=(300, 200)), "image/png")
        made = market.visitor().call("POST", "/add_professional", data=fields, files={"document": file})
        assert made.status_code == 201, made.text
        route.abort()

    window.page.route("**/add_professional", lose)
    document = tmp_path / "proof.png"
    document.write_bytes(picture(size=(300, 200)))
    window.go("/sign-up/professional")
    fill_account(window, "lostanswer", "Ravi")
    window.fill(Experience="5", Company="Rao and Sons")
    window.page.locator("input[type=file]").set_input_files(document)
    window.press("Sign up").expect_path("/approval")
    expect(window.page.locator("figure img")).to_be_visible()
