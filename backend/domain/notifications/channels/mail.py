"""Delivery by email, as HTML and plain text; reminders and reports carry one-click unsubscribe (RFC 8058)."""

import re
from functools import cache
from typing import Final

import css_inline
from flask import render_template

from backend.core import mail
from backend.core.config import current_settings
from backend.core.errors import PermanentFailure
from backend.domain.notifications import preferences
from backend.domain.notifications.channels.message import NotReachable, OutboundMessage
from backend.domain.notifications.messages import unlinked

BLANK_LINES: Final = re.compile(r"\n{3,}")


def send(parcel: OutboundMessage) -> str:
    """Send the email. Raises NotReachable, PermanentFailure or RetryLater."""
    if current_settings().email_confirmation and not _may_have(parcel):
        raise NotReachable("The email is not confirmed.")
    if not mail.is_usable(_address(parcel)):
        raise PermanentFailure("The email is not a valid address.")
    return mail.send(letter(parcel))


def letter(parcel: OutboundMessage) -> mail.Email:
    """Build the email. Templates escape what users typed."""
    headers: dict[str, str] = {}
    stop = ""
    if parcel.said.unsubscribable:
        stop = preferences.address(parcel.contact.account_id, parcel.kind)
        headers = {"List-Unsubscribe": f"<{stop}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    values = {
        **parcel.params,
        "params": parcel.params,
        "words": parcel.words,
        "firstname": unlinked(parcel.contact.firstname),
        "market": current_settings().market_name,
        "home": current_settings().public_url,
        "unsubscribe": stop,
        "account_mail": parcel.said.account,
    }
    html = render_template(f"mail/{parcel.said.template}.html", **values)
    text = render_template(f"mail/{parcel.said.template}.txt", **values)
    return mail.Email(
        to=_address(parcel),
        subject=parcel.words.title,
        text=BLANK_LINES.sub("\n\n", text.strip()) + "\n",
        html=_inliner().inline(html),
        message_id=parcel.message_id,
        headers=headers,
    )


def _may_have(parcel: OutboundMessage) -> bool:
    """Return whether the address is confirmed, confirmed by this email, or not the account's own."""
    return parcel.contact.email_confirmed or parcel.kind == "email_confirmation" or "send_to" in parcel.params


def _address(parcel: OutboundMessage) -> str:
    """Return the recipient: the account's current address, unless the message names another."""
    return str(parcel.params.get("send_to") or parcel.contact.email)


@cache
def _inliner() -> css_inline.CSSInliner:
    return css_inline.CSSInliner(keep_at_rules=True, keep_style_tags=False, load_remote_stylesheets=False)
