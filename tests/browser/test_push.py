"""Push notifications in a browser: turning them on for a device, and what is said where that is not possible."""

from typing import Final

import pytest
from playwright.sync_api import Locator, expect

from backend.domain.notifications.messages import words
from tests.browser.conftest import OpenScreen
from tests.browser.screen import PHONE, Screen
from tests.browser.test_pages import sign_in
from tests.browser.texts import text
from tests.harness.caller import PASSWORD, Caller
from tests.harness.mail import links_in
from tests.harness.market import RunningMarket

pytestmark = pytest.mark.browser
# This browser has no push server and permits no notifications: these two are made up, the worker is the real one.
SUBSCRIBED: Final = """
    Object.defineProperty(Notification, 'permission', { get: () => 'granted' })
    Notification.requestPermission = async () => 'granted'
    let present = null
    PushManager.prototype.getSubscription = async () => present
    PushManager.prototype.subscribe = async ({ applicationServerKey }) => (present = {
      options: { applicationServerKey: applicationServerKey.buffer },
      toJSON: () => ({ endpoint: 'https://fcm.googleapis.com/fcm/send/browser', keys: {
        p256dh: 'BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4',
        auth: 'BTBZMqHH6r4Tts7J_aSIgg' } }),
      unsubscribe: async () => { present = null; return true },
    })
"""
# What the browser does with a message that it received, and what the worker shows of it.
RECEIVE: Final = """
    (message) => new Promise((resolve) => {
      registration.showNotification = async (title, { body, lang }) => resolve([title, body, lang])
      dispatchEvent(new PushEvent('push', { data: JSON.stringify(message) }))
    })
"""
WORKER: Final = "navigator.serviceWorker.getRegistration('/app/').then((one) => Boolean(one?.active))"


def open_settings(window: Screen, caller: Caller) -> Locator:
    """Open the notification settings of a user, and return the switch."""
    sign_in(window, caller.account["username"], PASSWORD)
    window.go("/profile/messages")
    return window.page.get_by_role("switch", name=text("accounts.push.here"))


def test_push_turned_on_in_browser_registers_device_and_is_first_channel(
    screen: OpenScreen, market: RunningMarket
) -> None:
    asha = market.visitor().sign_up()
    window = screen(viewport=PHONE, keeps_application=True)
    window.page.add_init_script(SUBSCRIBED)
    switch = open_settings(window, asha)
    expect(switch).to_be_enabled()
    switch.click()
    window.expect_text(text("accounts.push.states.on"))
    window.expect_text(text("accounts.messages.saved"))
    window.page.wait_for_function(WORKER)
    assert asha.get("/me/preferences")["channels"] == ["push", "mail"]
    (device,) = asha.get("/me/push_subscriptions")["items"]
    assert device["provider"] == "fcm.googleapis.com"
    window.inspect("push on")
    switch.click()
    window.expect_text(text("accounts.push.states.off"))
    assert asha.get("/me/push_subscriptions")["items"] == []


def test_push_in_browser_that_blocks_notifications_says_what_to_do(screen: OpenScreen, market: RunningMarket) -> None:
    window = screen(keeps_application=True)
    switch = open_settings(window, market.visitor().sign_up())
    window.expect_text(text("accounts.push.states.denied"))
    expect(switch).to_be_disabled()
    window.inspect("push blocked")


def test_mail_and_push_of_hindi_account_are_in_hindi(screen: OpenScreen, market: RunningMarket) -> None:
    asha = market.visitor().sign_up(language="hi")
    window = screen(viewport=PHONE, keeps_application=True)
    window.page.add_init_script(SUBSCRIBED)
    sign_in(window, asha.account["username"], PASSWORD)
    window.go("/profile/messages")
    switch = window.page.get_by_role("switch", name=text("accounts.push.here", "hi"))
    expect(switch).to_be_enabled()
    switch.click()
    window.expect_text(text("accounts.push.states.on", "hi"))
    window.page.wait_for_function(WORKER)

    asha.patch("/me", {"email": f"new-{asha.account['email']}"})
    mail = market.inbox.wait_for(asha.account["email"], subject=words("email_changed", "hi").title)
    (undo,) = {link for link in links_in(mail) if "/email/undo#token=" in link}
    window.page.goto(undo)
    window.expect_text(text("accounts.undo.intro", "hi")).inspect("hindi mail's page")

    said = words("request_accepted", "hi").title.format(task="Plumbing")
    message = {"title": said, "body": "", "url": "/app/requests", "tag": "one", "language": "hi"}
    (worker,) = window.page.context.service_workers
    assert worker.evaluate(RECEIVE, message) == [said, "", "hi"]
