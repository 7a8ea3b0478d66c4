"""Delivery by email, as HTML and plain text; reminders and reports carry one-click unsubscribe (RFC 8058)."""

import re
from functools import cache
from typing import Final

import css_inline
from flask import render_template

from backend.core import mail
from backend.core.config import current_settings
from backend.core.errors import PermanentFailure
from backend.domain.notifications import calendar_file, preferences
from backend.domain.notifications.channels.message import NotReachable, OutboundMessage
from backend.domain.notifications.messages import template_values, unlinked

BLANK_LINES: Final = re.compile(r"\n{3,}")


def send(outbound: OutboundMessage) -> str:
    """Send the email. Raises NotReachable, PermanentFailure or RetryLater."""
    if current_settings().email_confirmation and not _may_have(outbound):
        raise NotReachable("The email is not confirmed.")
    if not mail.is_usable(_address(outbound)):
        raise PermanentFailure("The email is not a valid address.")
    return mail.send(letter(outbound))


def letter(outbound: OutboundMessage) -> mail.Email:
    """Build the email. Templates escape what users typed."""
    headers: dict[str, str] = {}
    stop = ""
    if outbound.message.unsubscribable:
        stop = preferences.address(outbound.contact.account_id, outbound.message.follows or outbound.kind)
        headers = {"List-Unsubscribe": f"<{stop}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    values = {
        **outbound.params,
        **template_values(outbound.contact.language),
        "params": outbound.params,
        "words": outbound.words,
        "firstname": unlinked(outbound.contact.firstname),
        "market": current_settings().market_name,
        "home": current_settings().public_url,
        "unsubscribe": stop,
        "account_mail": outbound.message.account,
    }
    calendar = calendar_file.attachment(
        outbound.kind,
        account_id=outbound.contact.account_id,
        request_id=outbound.request_id,
        url=outbound.words.url,
    )
    html = render_template(f"mail/{outbound.message.template}.html", **values)
    text = render_template(f"mail/{outbound.message.template}.txt", **values)
    return mail.Email(
        to=_address(outbound),
        subject=outbound.words.title,
        text=BLANK_LINES.sub("\n\n", text.strip()) + "\n",
        html=_inliner().inline(html),
        message_id=outbound.message_id,
        headers=headers,
        attachments=(calendar,) if calendar else (),
    )


def _may_have(outbound: OutboundMessage) -> bool:
    """Return whether the address is confirmed, confirmed by this email, or not the account's own."""
    return outbound.contact.email_confirmed or outbound.kind == "email_confirmation" or "send_to" in outbound.params


def _address(outbound: OutboundMessage) -> str:
    """Return the recipient: the account's current address, unless the message names another."""
    return str(outbound.params.get("send_to") or outbound.contact.email)


@cache
def _inliner() -> css_inline.CSSInliner:
    return css_inline.CSSInliner(keep_at_rules=True, keep_style_tags=False, load_remote_stylesheets=False)
