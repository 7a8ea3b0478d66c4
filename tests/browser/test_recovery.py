"""Account recovery and password confirmation in Chromium."""

import re

import psycopg
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenScreen
from tests.browser.screen import DESK, PHONE, Screen
from tests.browser.test_pages import sign_in
from tests.harness.caller import PASSWORD, Caller, sign_up_fields
from tests.harness.mail import links_in
from tests.harness.market import RunningMarket

pytestmark = pytest.mark.browser


def undo_link(market: RunningMarket, email: str) -> str:
    mail = market.inbox.wait_for(email, subject="Your email was changed")
    return next(link for link in links_in(mail) if "/email/undo#token=" in link)


def make_session_older(market: RunningMarket, account_id: object) -> None:
    """Backdate the sign-in of all sessions of the account by eleven minutes."""
    with psycopg.connect(market.environment["DATABASE_URL"]) as connection:
        connection.execute(
            "UPDATE sessions SET created_at = created_at - interval '11 minutes' WHERE account_id = %s", [account_id]
        )


@pytest.mark.parametrize(("viewport", "dark"), [(PHONE, False), (DESK, True)], ids=["phone-light", "desk-dark"])
def test_email_undo_link_restores_previous_email(
    screen: OpenScreen, market: RunningMarket, viewport: dict[str, int], *, dark: bool
) -> None:
    owner = market.visitor().sign_up("customer")
    old = owner.account["email"]
    owner.patch("/me", {"email": f"thief-{owner.account['username']}@example.net"})
    window = screen(viewport=viewport, dark=dark)
    window.page.goto(undo_link(market, old))
    window.expect_text("Your account gets back the email address").inspect("undo email")
    assert "token" not in window.page.url, "the secret is removed from address bar and history"
    window.page.reload()
    window.press("Change email back").expect_text("Your email was changed back").inspect("undo email done")
    assert owner.call("GET", "/me").status_code == 401
    assert market.visitor().sign_in(old).get("/me")["email"] == old
    window.page.reload()
    window.press("Change email back").expect_text("This link has expired or was already used.").inspect(
        "undo email used"
    )
    expect(window.button("Change email back")).to_have_count(0)


def test_email_undo_link_of_old_format_still_works(screen: OpenScreen, market: RunningMarket) -> None:
    owner = market.visitor().sign_up("customer")
    owner.patch("/me", {"email": f"new-{owner.account['username']}@example.net"})
    window = screen(viewport=PHONE)
    window.page.goto(undo_link(market, owner.account["email"]).replace("#token=", "?token="))
    window.press("Change email back").expect_text("Your email was changed back")


def change_email(window: Screen, email: str) -> None:
    window.go("/profile")
    form = window.page.locator("main form").first
    form.locator("input[type=email]").fill(email)
    form.locator("button[type=submit]").click()


@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
def test_email_change_of_admin_asks_for_password_confirmation(
    screen: OpenScreen, market: RunningMarket, viewport: dict[str, int]
) -> None:
    fields = {**sign_up_fields("customer"), "username": f"second-admin-{viewport['width']}"}
    fields["email"] = f"{fields['username']}@example.org"
    admin: Caller = market.visitor()
    admin.account = market.admin().post("/admins", fields, status=201)
    window = screen(viewport=viewport)
    sign_in(window, fields["username"], PASSWORD)
    make_session_older(market, admin.account["id"])
    change_email(window, f"moved-{fields['email']}")
    dialog = window.page.get_by_role("dialog")
    expect(dialog.get_by_text("Confirm your password")).to_be_visible()
    window.inspect("confirm password")
    dialog.get_by_role("button", name="Cancel").click()
    window.expect_text("Confirm your password to continue.")
    window.page.locator("main form").first.locator("button[type=submit]").click()
    password = dialog.get_by_label("Password", exact=True)
    password.fill("not it")
    window.page.keyboard.press("Enter")
    expect(dialog.get_by_role("alert").first).to_be_visible()
    password.fill(PASSWORD)
    window.page.keyboard.press("Enter")
    dialog.wait_for(state="hidden")
    expect(window.page.get_by_text(re.compile("saved", re.IGNORECASE)).first).to_be_visible()
    assert admin.sign_in(fields["username"]).account["email"] == f"moved-{fields['email']}"


def test_temporary_password_must_be_replaced_first(screen: OpenScreen, market: RunningMarket) -> None:
    email = "issued@example.org"
    printed = market.flask("admins", "create", "--username", "issued", "--email", email)
    issued = re.search(r"shown only once\): (\S+)", printed)
    assert issued
    window = screen(viewport=PHONE)
    sign_in(window, "issued", issued.group(1))
    window.expect_path("/password/first").inspect("first password")
    window.go("/admin").expect_path("/password/first")
    window.page.get_by_label(re.compile("^Current password")).fill(issued.group(1))
    window.page.get_by_label(re.compile("^New password")).fill(PASSWORD)
    window.page.keyboard.press("Enter")
    window.expect_path("/admin")
    assert market.visitor().sign_in("issued", PASSWORD).get("/customers")["items"] is not None
