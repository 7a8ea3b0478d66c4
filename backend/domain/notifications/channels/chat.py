"""Delivery by the chat app that the Apprise URL in CHAT_URL names: WhatsApp, Signal, Telegram, ntfy and others.

{phone} is the account's verified number, {chat_id} the id or topic that the account entered.
"""

from typing import Final
from urllib.parse import quote

from backend.core.config import current_settings
from backend.domain.notifications.channels import gateway, sms
from backend.domain.notifications.channels.message import NotReachable, OutboundMessage, Reason

PHONE: Final = "{phone}"
CHAT_ID: Final = "{chat_id}"


def send(outbound: OutboundMessage) -> str:
    """Send title, text and link to the gateway. Raises NotReachable or RetryLater."""
    contact, words = outbound.contact, outbound.words
    if why := why_not(phone=contact.phone, is_verified=contact.phone_verified, chat_id=contact.chat_id):
        raise NotReachable(why.message)
    url = current_settings().chat_url
    for name, value in ((PHONE, contact.phone), (CHAT_ID, contact.chat_id)):
        url = url.replace(name, quote(value or "", safe="+"))
    body = "\n".join(part for part in (words.body, words.url if words.action else "") if part)
    return gateway.send(url, title=words.title, body=body or words.title, name="chat")


def why_not(*, phone: str | None, is_verified: bool, chat_id: str | None) -> Reason | None:
    """Return the reason why an account gets no chat messages, or None if it does."""
    url = current_settings().chat_url
    if not url:
        return Reason("chat_not_set_up", "Chat messages are not set up.")
    if PHONE in url:
        if not phone:
            return Reason("no_phone", "The account has no phone number.")
        if not sms.is_served(phone):
            countries = ", ".join(sms.countries())
            return Reason("chat_not_available", f"Chat is only available for mobile numbers from {countries}.")
        if not is_verified:
            return Reason("phone_not_verified", "The phone number is not verified.")
    if CHAT_ID in url and not chat_id:
        return Reason("no_chat_id", "The account has no chat ID.")
    return None
