"""By SMS: whatever gateway the Apprise URL of SMS_URL names, {phone} being the person's number."""

import logging
from typing import Final

from apprise import Apprise

from backend.core.config import current
from backend.domain.notifications.channels.parcel import NotReachable, Parcel, PutOff

LONGEST: Final = 320


def send(parcel: Parcel) -> str:
    """Hand the text to the gateway. Raises NotReachable or PutOff (Apprise tells only that it did not work)."""
    url = current().sms_url
    if not url:
        raise NotReachable("There is no SMS gateway.")
    if not parcel.contact.phone:
        raise NotReachable("There is no phone number.")
    limit = current().outbound_timeout_seconds
    joint = "&" if "?" in url else "?"
    gateway = Apprise.instantiate(
        f"{url}{joint}cto={min(4, limit)}&rto={limit}&redirect=no".replace("{phone}", parcel.contact.phone),
        suppress_exceptions=True,
    )
    if gateway is None:
        raise NotReachable("The SMS gateway cannot be used with this number.")
    logging.getLogger("apprise").setLevel(logging.CRITICAL)  # its lines hold numbers and gateways' secrets
    if not gateway.notify(body=text(parcel), title="", body_format="text"):
        raise PutOff("the SMS gateway did not take it")
    return "taken by the gateway"


def text(parcel: Parcel) -> str:
    """Title and link, as short as SMS want it."""
    title = parcel.words.title
    room = LONGEST - len(parcel.words.url) - 2
    return f"{title if len(title) <= room else title[: room - 1] + '…'}\n{parcel.words.url}"
