"""The main use case through the application in Chromium, at phone and desktop width."""

import re
from pathlib import Path

import pytest

from tests.browser.conftest import OpenScreen
from tests.browser.screen import DESK, PHONE, Screen
from tests.factories.files import picture
from tests.harness.caller import ADMIN_PASSWORD, BENGALURU, PASSWORD, Caller
from tests.harness.market import RunningMarket

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
def test_request_from_sign_up_to_review_in_browser(
    screen: OpenScreen, market: RunningMarket, viewport: dict[str, int], tmp_path: Path
) -> None:
    width = viewport["width"]
    admin = screen(viewport=viewport)
    customer = screen(viewport=viewport)
    professional = screen(viewport=viewport)
    task = f"Tap repair {width}"

    sign_in(admin, "admin", ADMIN_PASSWORD).expect_path("/admin").inspect("dashboard")
    add_task(admin, task)

    customer.go("/").inspect("landing")
    sign_up(customer, f"asha{width}").inspect("signed up")
    ravi = sign_up_professional(professional, f"ravi{width}", task, tmp_path)

    admin.go("/admin/approvals").expect_text("Ravi Rao").inspect("approvals")
    admin.press("Approve").expect_text("is approved and can accept requests")
    professional.expect_text("You are approved").inspect("approved")
    market.inbox.wait_for(ravi, subject="approved")

    request = ask(customer, task)
    market.inbox.wait_for(ravi, subject="New request")
    professional.go("/inbox").expect_text(task).inspect("inbox")
    professional.press("Accept").expect_text("Request accepted.")
    professional.go(f"/requests/{request}").inspect("request accepted")
    market.inbox.wait_for(f"asha{width}@example.org", subject="Accepted")
    professional.press("Mark as completed").expect_text("Request marked as completed.")
    professional.press("Close")
    professional.page.get_by_role("dialog").get_by_role("button", name="Close", exact=True).click()
    professional.expect_text("Request closed.")

    review(customer, request)
    market.inbox.wait_for(ravi, subject="5 of 5 stars")
    customer.go("/notifications").expect_text(re.compile("Closed: " + task)).inspect("notifications")
    admin.go("/admin/requests").expect_text(task).inspect("admin requests")


def sign_in(screen: Screen, username: str, password: str) -> Screen:
    screen.go("/sign-in").inspect("sign in")
    screen.fill(Username=username)
    screen.page.get_by_label("Password", exact=True).fill(password)
    screen.page.locator("form").get_by_role("button", name="Sign in", exact=True).click()
    return screen


def add_task(screen: Screen, name: str) -> None:
    screen.go("/admin/tasks").inspect("admin tasks")
    screen.press("Add task")
    screen.fill(Name=name, Category="Plumbing", Description="Drips no more", Price="499", Duration="60")
    screen.press("Save").expect_text(f"Task “{name}” saved.")


def fill_account(screen: Screen, username: str, firstname: str) -> None:
    screen.fill(First_name=firstname, Last_name="Rao", Email=f"{username}@example.org", Address="12 MG Road")
    screen.fill(Pincode=BENGALURU)
    screen.page.keyboard.press("Escape")
    screen.fill(Username=username)
    screen.page.get_by_label("Password", exact=True).fill(PASSWORD)


def sign_up(screen: Screen, username: str) -> Screen:
    screen.go("/sign-up").inspect("sign up")
    fill_account(screen, username, "Asha")
    screen.press("Sign up")
    return screen.expect_path("/")


def sign_up_professional(screen: Screen, username: str, task: str, folder: Path) -> str:
    document = folder / "proof.png"
    document.write_bytes(picture(size=(300, 200)))
    screen.go("/sign-up/professional").inspect("sign up professional")
    fill_account(screen, username, "Ravi")
    screen.fill(Experience="5", Company="Rao and Sons")
    screen.page.get_by_label(task).check()
    screen.page.locator("input[type=file]").set_input_files(document)
    screen.inspect("sign up professional filled").press("Sign up").expect_path("/approval").inspect("approval")
    return f"{username}@example.org"


def ask(screen: Screen, task: str) -> int:
    """Search by name and pincode, request the task for a day and a time, and return the request's id."""
    screen.go(f"/search?q=tap+repare&pincode={BENGALURU}").expect_text(task).inspect("results")
    screen.follow(re.compile(task)).expect_text("Professionals for this task").inspect("task")
    screen.follow("Request this task").expect_text("Choose a date").inspect("ask")
    day = screen.page.locator("input[name$='-day']").nth(2)
    day.check(force=True)
    screen.page.locator("input[name$='-time']").nth(6).check(force=True)
    screen.page.get_by_role("radio", name=re.compile("Rao and Sons")).first.check(force=True)
    screen.inspect("ask filled").press("Send request").expect_text("Request sent.")
    screen.page.wait_for_url(re.compile(r"/requests/\d+$"))
    found = re.search(r"/requests/(\d+)", screen.page.url)
    assert found, screen.page.url
    screen.inspect("request")
    return int(found[1])


def review(screen: Screen, request: int) -> None:
    screen.go(f"/requests/{request}").expect_text("Review the work").inspect("review")
    screen.page.get_by_role("radio", name="5 out of 5").check(force=True)
    screen.fill(Comment="On time, and kind")
    screen.press("Send review").expect_text("Review sent.")
    screen.expect_text("On time, and kind").inspect("reviewed")


def test_docs_page_lists_operations_and_calls_them(screen: OpenScreen, market: RunningMarket) -> None:
    caller: Caller = market.visitor().sign_up("customer")
    window = screen()
    window.page.goto(market.url("/docs"))
    window.page.get_by_role("heading", name="Codes of errors").wait_for()
    window.inspect("docs")
    window.page.locator("#check summary").click()
    body = window.page.locator("#check textarea")
    body.fill('{"username": "' + caller.account["username"] + '", "password": "' + PASSWORD + '", "client": "api"}')
    window.page.locator("#check button").click()
    window.expect_text(re.compile("200 OK"))
    window.page.locator("#getMe summary").click()
    window.page.locator("#getMe button").click()
    window.expect_text(re.compile(f'"username": "{caller.account["username"]}"')).inspect("docs tried")
