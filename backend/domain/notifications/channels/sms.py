"""Delivery by SMS through the gateway that the Apprise URL in SMS_URL names; {phone} is the recipient's number."""

from typing import Final

import phonenumbers
from phonenumbers import PhoneNumberType

from backend.core.config import current_settings
from backend.domain.notifications.channels import gateway
from backend.domain.notifications.channels.message import Contact, NotReachable, OutboundMessage, Reason

LONGEST: Final = 320
MOBILE: Final = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)


def send(outbound: OutboundMessage) -> str:
    """Send the text to the gateway. Raises NotReachable or RetryLater."""
    send_to = outbound.params.get("send_to")
    phone = number(outbound.contact, str(send_to) if send_to is not None else None)
    url = current_settings().sms_url.replace("{phone}", phone)
    return gateway.send(url, title="", body=text(outbound), name="SMS")


def number(contact: Contact, code_goes_to: str | None = None) -> str:
    """Return the number that a message goes to; a code goes to the one that it is to verify.

    Raises NotReachable, saying why it cannot go by SMS.
    """
    phone = code_goes_to or contact.phone
    why = why_not(phone, is_verified=code_goes_to is not None or contact.phone_verified)
    if why or phone is None:
        raise NotReachable(why.message if why else "")
    return phone


def why_not(phone: str | None, *, is_verified: bool) -> Reason | None:
    """Return the reason why a number gets no SMS, or None if it does."""
    if not current_settings().sms_url:
        return Reason("sms_not_set_up", "SMS is not set up.")
    if not phone:
        return Reason("no_phone", "The account has no phone number.")
    if not is_served(phone):
        return Reason("sms_not_available", f"SMS is only available for mobile numbers from {', '.join(countries())}.")
    if not is_verified:
        return Reason("phone_not_verified", "The phone number is not verified.")
    return None


def countries() -> tuple[str, ...]:
    """Return the countries (ISO 3166) whose numbers get SMS: SMS_COUNTRIES, or else MARKET_COUNTRY."""
    return current_settings().sms_countries or (current_settings().market_country,)


def text(outbound: OutboundMessage) -> str:
    """Return title and link within the length of an SMS; the link is left out when there is nothing to do."""
    title = outbound.words.title
    if not outbound.words.action:
        return title[:LONGEST]
    room = LONGEST - len(outbound.words.url) - 2
    return f"{title if len(title) <= room else title[: room - 1] + '…'}\n{outbound.words.url}"


def is_served(phone: str) -> bool:
    """Return whether it is a plain mobile number; premium and shared-cost numbers pay their owner per message."""
    try:
        parsed = phonenumbers.parse(phone)
    except phonenumbers.NumberParseException:
        return False
    return phonenumbers.number_type(parsed) in MOBILE and phonenumbers.region_code_for_number(parsed) in countries()
