"""The market's main job through the application, in a real Chromium, at phone width and on a desk."""

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
def test_from_signing_up_to_the_review(
    screen: OpenScreen, market: RunningMarket, viewport: dict[str, int], tmp_path: Path
) -> None:
    width = viewport["width"]
    admin = screen(viewport=viewport)
    customer = screen(viewport=viewport)
    professional = screen(viewport=viewport)
    task = f"Tap repair {width}"

    sign_in(admin, "admin", ADMIN_PASSWORD).stands_at("/admin").look("dashboard")
    add_a_task(admin, task)

    customer.go("/").look("landing")
    sign_up(customer, f"asha{width}").look("signed up")
    ravi = professional_signs_up(professional, f"ravi{width}", task, tmp_path)

    admin.go("/admin/approvals").sees("Ravi Rao").look("approvals")
    admin.press("Approve").sees("is approved and can accept requests")
    professional.sees("You are approved").look("approved")
    market.inbox.wait_for(ravi, subject="approved")

    request = ask(customer, task)
    market.inbox.wait_for(ravi, subject="New request")
    professional.go("/inbox").sees(task).look("inbox")
    professional.press("Accept").sees("Request accepted.")
    professional.go(f"/requests/{request}").look("request accepted")
    market.inbox.wait_for(f"asha{width}@example.org", subject="Accepted")
    professional.press("Mark as completed").sees("Request marked as completed.")
    professional.press("Close")
    professional.page.get_by_role("dialog").get_by_role("button", name="Close", exact=True).click()
    professional.sees("Request closed.")

    review(customer, request)
    market.inbox.wait_for(ravi, subject="5 of 5 stars")
    customer.go("/notifications").sees(re.compile("Closed: " + task)).look("notifications")
    admin.go("/admin/requests").sees(task).look("admin requests")


def sign_in(screen: Screen, username: str, password: str) -> Screen:
    screen.go("/sign-in").look("sign in")
    screen.fill(Username=username)
    screen.page.get_by_label("Password", exact=True).fill(password)
    screen.page.locator("form").get_by_role("button", name="Sign in", exact=True).click()
    return screen


def add_a_task(screen: Screen, name: str) -> None:
    screen.go("/admin/tasks").look("admin tasks")
    screen.press("Add task")
    screen.fill(Name=name, Category="Plumbing", Description="Drips no more", Price="499", Duration="60")
    screen.press("Save").sees(f"Task “{name}” saved.")


def person(screen: Screen, username: str, firstname: str) -> None:
    screen.fill(First_name=firstname, Last_name="Rao", Email=f"{username}@example.org", Address="12 MG Road")
    screen.fill(Pincode=BENGALURU)
    screen.page.keyboard.press("Escape")
    screen.fill(Username=username)
    screen.page.get_by_label("Password", exact=True).fill(PASSWORD)


def sign_up(screen: Screen, username: str) -> Screen:
    screen.go("/sign-up").look("sign up")
    person(screen, username, "Asha")
    screen.press("Sign up")
    return screen.stands_at("/")


def professional_signs_up(screen: Screen, username: str, task: str, folder: Path) -> str:
    document = folder / "proof.png"
    document.write_bytes(picture(size=(300, 200)))
    screen.go("/sign-up/professional").look("sign up professional")
    person(screen, username, "Ravi")
    screen.fill(Experience="5", Company="Rao and Sons")
    screen.page.get_by_label(task).check()
    screen.page.locator("input[type=file]").set_input_files(document)
    screen.look("sign up professional filled").press("Sign up").stands_at("/approval").look("approval")
    return f"{username}@example.org"


def ask(screen: Screen, task: str) -> int:
    """Search by name and pincode, open the task, choose a day and a time; returns the request's id."""
    screen.go(f"/search?q=tap+repare&pincode={BENGALURU}").sees(task).look("results")
    screen.follow(re.compile(task)).sees("Professionals for this task").look("task")
    screen.follow("Request this task").sees("Choose a date").look("ask")
    day = screen.page.locator("input[name$='-day']").nth(2)
    day.check(force=True)
    screen.page.locator("input[name$='-time']").nth(6).check(force=True)
    screen.page.get_by_role("radio", name=re.compile("Rao and Sons")).first.check(force=True)
    screen.look("ask filled").press("Send request").sees("Request sent.")
    screen.page.wait_for_url(re.compile(r"/requests/\d+$"))
    found = re.search(r"/requests/(\d+)", screen.page.url)
    assert found, screen.page.url
    screen.look("request")
    return int(found[1])


def review(screen: Screen, request: int) -> None:
    screen.go(f"/requests/{request}").sees("Review the work").look("review")
    screen.page.get_by_role("radio", name="5 out of 5").check(force=True)
    screen.fill(Comment="On time, and kind")
    screen.press("Send review").sees("Review sent.")
    screen.sees("On time, and kind").look("reviewed")


def test_the_page_for_third_parties_reads_and_tries(screen: OpenScreen, market: RunningMarket) -> None:
    caller: Caller = market.visitor().sign_up("customer")
    window = screen()
    window.page.goto(market.url("/docs"))
    window.page.get_by_role("heading", name="Codes of errors").wait_for()
    window.look("docs")
    window.page.locator("#check summary").click()
    body = window.page.locator("#check textarea")
    body.fill('{"username": "' + caller.account["username"] + '", "password": "' + PASSWORD + '", "client": "api"}')
    window.page.locator("#check button").click()
    window.sees(re.compile("200 OK"))
    window.page.locator("#getMe summary").click()
    window.page.locator("#getMe button").click()
    window.sees(re.compile(f'"username": "{caller.account["username"]}"')).look("docs tried")
