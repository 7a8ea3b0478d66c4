"""The admin's pages in Chromium: exports, accounts, jobs, settings, synonyms and tasks."""

import csv
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import OpenScreen
from tests.browser.screen import DESK, PHONE, TIMEOUT_MS, Screen
from tests.browser.test_pages import sign_in
from tests.factories.files import picture
from tests.harness.caller import ADMIN_PASSWORD, Caller
from tests.harness.market import RunningMarket

pytestmark = pytest.mark.browser


@pytest.fixture
def admin(screen: OpenScreen) -> Screen:
    window = screen()
    sign_in(window, "admin", ADMIN_PASSWORD)
    return window


def dialog(window: Screen) -> Locator:
    return window.page.get_by_role("dialog")


def closed_request(market: RunningMarket) -> tuple[Caller, Caller, int]:
    """Return a customer, a professional and the id of their closed request."""
    admin, customer = market.admin(), market.visitor().sign_up("customer")
    offered = {
        "name": f"Shelf fitting for {customer.account['username']}",
        "category": "Repairs",
        "base_price": "799.00",
        "time_required": 60,
    }
    task = admin.post("/tasks", {**offered, "description": "Drilled and levelled"}, status=201)["id"]
    professional = market.visitor().sign_up("professional", task_ids=[task])
    professional.put("/me/document", files={"document": ("proof.png", picture(size=(300, 200)), "image/png")})
    admin.post(f"/professionals/{professional.account['id']}/approve")
    soon = (datetime.now(UTC) + timedelta(days=2)).isoformat()
    request = customer.post("/requests", {"task_id": task, "date_of_request": soon}, status=201)["id"]
    professional.post(f"/requests/{request}/accept")
    professional.post(f"/requests/{request}/complete")
    professional.post(f"/requests/{request}/close")
    return customer, professional, request


def test_export_from_dashboard_is_listed_and_downloaded(admin: Screen, market: RunningMarket) -> None:
    _, professional, request = closed_request(market)
    days = [
        (datetime.now(UTC) + timedelta(days=ahead)).date().isoformat() for ahead in (-2, 2)
    ]  # not of a cached response
    admin.go(f"/admin?from={days[0]}&to={days[1]}").expect_text("How work was started").inspect("dashboard with visits")
    admin.go("/admin").press("Start export")
    dialog(admin).get_by_role("button", name="Start export").click()
    admin.expect_path("/admin/exports")
    newest = admin.page.get_by_role("list", name="Exports").get_by_role("article").first
    expect(newest.get_by_text("Done")).to_be_visible(timeout=TIMEOUT_MS)
    with admin.page.expect_download() as download:
        newest.get_by_role("button", name="Download").click()
    with download.value.path().open(encoding="utf-8-sig", newline="") as file:
        rows = {int(row["request_id"]): row for row in csv.DictReader(file)}
    assert rows[request]["professional_id"] == str(professional.account["id"])
    assert rows[request]["price"] == "799.00"
    admin.inspect("export downloaded")


@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
def test_customer_is_found_blocked_and_unblocked_with_audit_entries(
    screen: OpenScreen, market: RunningMarket, viewport: dict[str, int]
) -> None:
    customer = market.visitor().sign_up("customer")
    window = screen(viewport=viewport)
    sign_in(window, "admin", ADMIN_PASSWORD)
    window.go("/admin/customers")
    window.page.get_by_role("searchbox").fill(customer.account["email"])
    found = window.page.get_by_role("list", name="Customers")
    expect(found.get_by_role("listitem")).to_have_count(1)  # a click on a row that is about to go leads nowhere
    found.get_by_text(customer.account["email"]).first.click()
    window.expect_path(f"/admin/customers/{customer.account['id']}")
    window.press("Block")
    dialog(window).get_by_role("button", name="Block").click()
    expect(dialog(window).get_by_text("This field is required.")).to_be_visible()
    dialog(window).get_by_role("radio", name="Fraud").click()
    dialog(window).get_by_role("textbox").fill("Paid with a stolen card")
    window.inspect("block dialog")
    dialog(window).get_by_role("button", name="Block").click()
    window.expect_text("Blocked since").inspect("blocked customer")
    assert customer.call("GET", "/me").status_code == 403
    window.press("Unblock")
    dialog(window).get_by_role("button", name="Unblock").click()
    expect(window.button("Block")).to_be_visible()
    window.go(f"/admin/audit?subject_id={customer.account['id']}")
    trail = window.page.get_by_role("list", name="Audit trail")
    expect(trail.get_by_text("Unblocked")).to_be_visible()
    expect(trail.get_by_text("Paid with a stolen card").first).to_be_visible()


def test_monthly_report_for_one_customer_is_sent_and_in_delivery_log(admin: Screen, market: RunningMarket) -> None:
    customer, _, _ = closed_request(market)
    admin.go("/admin/jobs").press("Run now: Monthly reports")
    dialog(admin).get_by_label("Month").fill(datetime.now(UTC).strftime("%Y-%m"))
    dialog(admin).get_by_role("combobox").fill(customer.account["email"])
    admin.page.get_by_role("option").first.click()
    dialog(admin).get_by_role("button", name="Run now").click()
    admin.expect_text("“Monthly reports” is running.")
    market.inbox.wait_for(customer.account["email"], subject="Your monthly report")
    admin.go(f"/admin/deliveries?account_id={customer.account['id']}&kind=report")
    admin.page.get_by_role("list", name="Delivery log").get_by_role("button").first.click()
    expect(dialog(admin).get_by_text("Sent").first).to_be_visible()
    admin.inspect("a message and its tries")


def test_settings_and_synonyms_are_saved_and_applied(admin: Screen, market: RunningMarket) -> None:
    admin.go("/admin/settings")
    admin.page.get_by_label("Professionals notified").fill("7")
    admin.press("Save").expect_text("Settings saved.")
    assert market.admin().get("/settings")["tell_nearest"] == 7
    admin.go("/admin/tasks/synonyms")
    admin.page.get_by_role("button", name="Add synonyms").first.click()
    dialog(admin).get_by_role("textbox").fill("shelf fitting\nrack hanging")
    dialog(admin).get_by_role("button", name="Save").click()
    expect(admin.page.get_by_role("list", name="Synonyms").get_by_text("rack hanging")).to_be_visible()
    admin.inspect("synonyms")


@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
def test_task_form_saves_picture_and_resolves_conflicting_edit(
    screen: OpenScreen, market: RunningMarket, viewport: dict[str, int]
) -> None:
    name = f"Chimney sweeping {viewport['width']}"
    window = screen(viewport=viewport)
    sign_in(window, "admin", ADMIN_PASSWORD)
    window.go("/admin/tasks").press("Add task").fill(Name=name, Description="Soot and nests", Price="899")
    dialog(window).get_by_role("combobox", name="Category").fill("Kitchen")
    dialog(window).get_by_role("radio", name="Cooking").check()
    dialog(window).get_by_label("Search keywords").fill("soot,")
    dialog(window).get_by_label("Travel buffer (minutes)").fill("45")
    dialog(window).get_by_role("switch", name="Offered to customers").click()
    window.inspect("task form")
    dialog(window).get_by_role("button", name="Save", exact=True).click()
    window.expect_text(f"Task “{name}” saved as a draft.")
    other = market.admin()
    task = next(one for one in other.get("/tasks", q=name)["items"] if one["name"] == name)
    assert (task["picture"], task["search_words"], task["isactive"]) == ("cooking", ["soot"], 0)
    assert other.get(f"/tasks/{task['id']}/policy")["own"]["travel_buffer_minutes"] == 45

    window.press(f"Edit {name}").fill(Price="949")
    other.patch(f"/tasks/{task['id']}", {"base_price": "999.00", "description": "Soot, nests and a new cap"})
    dialog(window).get_by_role("button", name="Save", exact=True).click()
    window.expect_text("Someone else changed this task while you were editing it.").inspect("task changed by two")
    dialog(window).get_by_label("Theirs: 999.00").check()
    dialog(window).get_by_role("button", name="Save", exact=True).click()
    window.expect_text(f"Task “{name}” saved as a draft.")
    assert other.get(f"/tasks/{task['id']}")["base_price"] == "999.00"
