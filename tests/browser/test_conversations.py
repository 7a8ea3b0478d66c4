"""A conversation in Chromium: two people in two browsers, what is hidden, what arrives live, and what waits offline."""

import re

import pytest
from playwright.sync_api import Route, expect

from backend.core.clock import now
from tests.browser.conftest import OpenScreen
from tests.browser.screen import DESK, PHONE, Screen
from tests.browser.test_live_updates import NO_POLLING, applicant, asked, with_stream
from tests.browser.test_pages import sign_in
from tests.browser.texts import text
from tests.harness.caller import ADMIN_PASSWORD, Caller
from tests.harness.market import RunningMarket

pytestmark = pytest.mark.browser


def pair(market: RunningMarket) -> tuple[Caller, Caller, int]:
    """Return a customer, an active professional, and the request for which that professional is asked by id."""
    professional, customer = applicant(market), market.visitor().sign_up()
    account_id = professional.account["id"]
    market.admin().post(f"/professionals/{account_id}/approve")
    task_id = asked(market, customer)["task_id"]
    professional.patch("/me", {"task_ids": [task_id]})
    when = f"{now().year + 1}-01-15T10:00:00+05:30"
    body = {"task_id": task_id, "date_of_request": when, "professional_id": account_id}
    request = customer.post("/requests", body, status=201)
    return customer, professional, int(request["id"])


def write(window: Screen, words: str) -> None:
    window.fill(Write_a_message=words)
    window.button("Send").click()


def test_customer_and_professional_write_to_each_other_live(screen: OpenScreen, market: RunningMarket) -> None:
    customer, professional, request_id = pair(market)
    asha, ravi = screen(viewport=PHONE), screen(viewport=DESK)
    for window, who in ((asha, customer), (ravi, professional)):
        window.page.add_init_script(NO_POLLING)
        with_stream(window, who)
        window.go(f"/requests/{request_id}").expect_text("No messages yet")
        expect(window.page.locator("#messages")).to_be_visible()
    ravi.wait_until_idle()
    write(asha, "Call me on 98765 43210, the gate is green")
    asha.expect_text("Call me on •••, the gate is green").expect_text("Contact details are hidden.")
    ravi.expect_text("Call me on •••, the gate is green")
    ravi.page.locator("#messages").scroll_into_view_if_needed()
    expect(asha.page.get_by_text(re.compile("· Read"))).to_be_visible()
    asha.inspect("conversation of customer")
    ravi.press("I am on my way.").button("Send").click()
    asha.expect_text("I am on my way.")
    professional.post(f"/requests/{request_id}/accept")
    asha.expect_text("Accepted")
    write(asha, "Now it shows: 98765 43210")
    ravi.expect_text("Now it shows: 98765 43210").inspect("conversation of professional")
    asha.go("/messages").expect_text("Now it shows").inspect("conversations")
    asha.page.get_by_role("link", name=re.compile("Now it shows")).click()
    expect(asha.page.get_by_role("heading", name=re.compile("^Messages with Ravi"), level=1)).to_be_visible()
    expect(asha.page.get_by_role("navigation").get_by_role("link", name="Messages")).to_have_attribute(
        "aria-current", "page"
    )
    asha.inspect("conversation on a page of its own")
    asha.go("/messages").expect_text("Now it shows").wait_until_idle()
    professional.post(f"/requests/{request_id}/messages", {"body": "One more thing"}, status=201)
    expect(asha.page.get_by_text("1 unread message").first).to_be_attached()


def test_message_written_offline_is_sent_once_after_the_outage(screen: OpenScreen, market: RunningMarket) -> None:
    customer, professional, request_id = pair(market)
    window = with_stream(screen(viewport=PHONE), customer)
    window.go(f"/requests/{request_id}/messages").expect_text("No messages yet").go_offline()
    write(window, "I am at home")
    window.expect_text("Not sent yet")
    messages = window.page.get_by_role("log")
    window.page.context.set_offline(False)
    # "Sent" stands only at what the server has; "Not sent yet" is gone as soon as it is tried again.
    expect(messages.get_by_text(re.compile("· Sent$"))).to_have_count(1)
    expect(messages.get_by_text("I am at home")).to_have_count(1)
    bodies = [one["body"] for one in professional.get(f"/requests/{request_id}/messages")["items"]]
    assert bodies == ["I am at home"]


def test_attempt_that_fails_after_the_connection_is_back_is_made_again(
    screen: OpenScreen, market: RunningMarket
) -> None:
    customer, professional, request_id = pair(market)
    window = with_stream(screen(viewport=PHONE), customer)
    attempts: list[Route] = []

    def hold_first(route: Route) -> None:
        if route.request.method == "POST":
            attempts.append(route)
        if attempts != [route]:
            route.continue_()

    window.page.route("**/messages", hold_first)
    window.go(f"/requests/{request_id}/messages").expect_text("No messages yet").wait_until_idle()
    with window.page.expect_request(lambda request: request.method == "POST" and request.url.endswith("/messages")):
        write(window, "I am at home")
    notice = window.page.get_by_text(text("nav.offline"))
    window.page.context.set_offline(True)
    expect(notice).to_be_visible()
    window.page.context.set_offline(False)
    expect(notice).to_have_count(0)
    attempts[0].abort()
    expect(window.page.get_by_role("log").get_by_text(re.compile("· Sent$"))).to_have_count(1)
    bodies = [one["body"] for one in professional.get(f"/requests/{request_id}/messages")["items"]]
    assert bodies == ["I am at home"]


def test_reported_conversation_is_read_and_settled_by_admin(screen: OpenScreen, market: RunningMarket) -> None:
    customer, professional, request_id = pair(market)
    professional.post(f"/requests/{request_id}/messages", {"body": "Pay me in cash"}, status=201)
    window = with_stream(screen(), customer)
    window.go(f"/requests/{request_id}/messages").expect_text("Pay me in cash")
    window.press("Report conversation").fill(Reason="He wants cash")
    window.page.get_by_role("dialog").get_by_role("button", name="Report conversation").click()
    window.expect_text("You reported this conversation.")
    admin = screen()
    sign_in(admin, "admin", ADMIN_PASSWORD)
    admin.go("/admin/conversations").expect_text("He wants cash").inspect("reported conversations")
    reported = admin.page.get_by_role("article").filter(has_text="He wants cash")
    reported.get_by_role("link", name="Read conversation").click()
    admin.expect_text("Pay me in cash").inspect("reported conversation")
    admin.go("/admin/conversations")
    reported.get_by_role("button", name="Settle report").click()
    admin.page.get_by_role("dialog").get_by_role("button", name="Settle report").click()
    admin.expect_text("Report settled.")
    still_open = market.admin().get("/conversation_reports")["items"]
    assert request_id not in [report["request_id"] for report in still_open]
