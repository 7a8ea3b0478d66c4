"""Delivery by web push to all devices of the account (RFC 8030): title, text and a link, without contact data."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from email.utils import parseaddr
from typing import Final, NamedTuple
from urllib.parse import urlsplit

import orjson

from backend.core import http_client, web_push
from backend.core.circuit_breaker import CircuitBreaker
from backend.core.clock import now
from backend.core.config import current_settings
from backend.core.errors import PermanentFailure, RetryLater
from backend.core.web_push import BrowserKeys
from backend.domain.notifications import push_subscriptions
from backend.domain.notifications.channels.message import NotReachable, OutboundMessage, Reason
from backend.domain.notifications.messages import render
from backend.domain.notifications.push_subscriptions import Subscription

GONE: Final = (404, 410)  # RFC 8030, section 7.3
RETRYABLE: Final = (408, 425, 429)
LEFT_ALONE_SECONDS: Final = 15
LONGEST_TEXT: Final = 500
# A locked screen shows a message to everyone: values that are, or as typed texts may hold, contact data are left out.
PRIVATE: Final = ("phone", "email", "address", "remarks", "reason", "comment", "note")
KEPT: Final = timedelta(days=1)  # a device that is off for longer gets nothing; the app still has the notification
KEPT_DURING_VISIT: Final = timedelta(hours=2)
VISIT_STEPS: Final = ("request_on_the_way", "request_running_late", "request_arrived")
# Someone waits for an answer to these, so they may wake a sleeping device (RFC 8030, section 5.3).
URGENT: Final = (
    "request_new",
    "request_accepted",
    "request_released",
    "request_cancelled",
    "request_changed",
    "request_due_soon",
    *VISIT_STEPS,
)
_hanging: Final[dict[str, CircuitBreaker]] = {}


class _Result(NamedTuple):
    subscription_id: int
    status: int
    retry_after: int | None = None


def send(outbound: OutboundMessage) -> str:
    """Send to every device. It is sent once one of them was reached; those that are gone are forgotten.

    Raises NotReachable, PermanentFailure or RetryLater.
    """
    subscriptions = push_subscriptions.usable(outbound.contact.account_id)
    if why := why_not(has_device=bool(subscriptions)):
        raise NotReachable(why.message)
    body = payload(outbound)
    results = [_attempt(one, outbound, body) for one in subscriptions]
    gone = [result.subscription_id for result in results if result.status in GONE]
    if gone:
        push_subscriptions.drop(gone)
    return _judge(results)


def why_not(*, has_device: bool) -> Reason | None:
    """Return the reason why an account gets nothing by push, or None if it does."""
    if not push_subscriptions.is_offered():
        return Reason("push_not_set_up", "Push notifications are not set up.")
    if not has_device:
        return Reason("no_push_device", "Push notifications are not turned on for any device.")
    return None


def payload(outbound: OutboundMessage) -> bytes:
    """Return the JSON that the service worker shows. ``tag`` makes a repeat replace the message."""
    params = {name: value for name, value in outbound.params.items() if name not in PRIVATE}
    request_id = outbound.request_id
    language = outbound.contact.language
    words = render(outbound.kind, params, request_id=request_id, language=language, without_links=True)
    fields = {
        "title": words.title[:LONGEST_TEXT],
        "body": words.body[:LONGEST_TEXT],
        "url": _path(outbound.words.url),
        "tag": _topic(outbound),
        "language": language,
        "actions": [
            {"action": choice.name, "title": choice.label, "url": _path(choice.url)} for choice in words.choices
        ],
    }
    return orjson.dumps(fields)


def _path(url: str) -> str:
    """Return a URL of the application without its host, which the device knows."""
    parts = urlsplit(url)
    return parts.path + (f"?{parts.query}" if parts.query else "")


def _attempt(subscription: Subscription, outbound: OutboundMessage, body: bytes) -> _Result:
    """Send to one device, and return the status; 503 stands for a push service that cannot be reached."""
    key = next((key for key in web_push.server_keys() if key.public == subscription.server_key), None)
    if key is None:
        return _Result(subscription.id, GONE[1])  # SECRET_KEY was changed: the push service would refuse our signature
    settings = current_settings()
    endpoint = subscription.endpoint
    host = urlsplit(endpoint).netloc
    breaker = _hanging.setdefault(host, CircuitBreaker("push", first=LEFT_ALONE_SECONDS, longest=120))
    if breaker.is_open:
        return _Result(subscription.id, 503, LEFT_ALONE_SECONDS)
    headers = {
        "Authorization": web_push.authorization(key, endpoint, contact=_contact()),
        "Content-Encoding": "aes128gcm",
        "Content-Type": "application/octet-stream",
        "TTL": str(_seconds_kept(outbound)),
        "Urgency": "high" if outbound.kind in URGENT else "normal",
        "Topic": _topic(outbound),
    }
    encrypted = web_push.encrypt(body, BrowserKeys(subscription.p256dh, subscription.auth))
    try:
        response = http_client.post(
            endpoint,
            encrypted,
            headers=headers,
            allowed=settings.push_allowed_hosts,
            timeout=settings.outbound_timeout_seconds,
        )
    except http_client.NotAllowed:
        return _Result(subscription.id, 403)
    except http_client.Unreachable as error:
        if isinstance(error, http_client.TimedOut):
            breaker.failed()
        return _Result(subscription.id, 503)
    breaker.succeeded()
    return _Result(subscription.id, response.status, response.retry_after)


def _judge(results: Sequence[_Result]) -> str:
    """Return what is logged of a message that reached a device; the worst results decide only when none did."""
    reached = sum(200 <= result.status < 300 for result in results)
    if reached:
        return f"{reached} of {len(results)} devices"
    retried = [result for result in results if result.status in RETRYABLE or result.status >= 500]
    if retried:
        pauses = [result.retry_after or 0 for result in retried]
        raise RetryLater(f"The push server responded with {retried[0].status}.", after_seconds=max(pauses) or None)
    refused = next((result.status for result in results if result.status not in GONE), None)
    if refused is None:
        raise NotReachable("No device receives push notifications any longer.")
    raise PermanentFailure(f"The push server responded with {refused}.")


def _seconds_kept(outbound: OutboundMessage) -> int:
    """Return how long the push service may keep the message for a device that is off."""
    longest = KEPT_DURING_VISIT if outbound.kind in VISIT_STEPS else KEPT
    until = outbound.params.get("valid_until")
    left = datetime.fromisoformat(str(until)) - now() if until else longest
    return max(0, int(min(left, longest).total_seconds()))


def _topic(outbound: OutboundMessage) -> str:
    """Return a name under which a push service keeps one message (RFC 8030, 5.4): a retry adds none."""
    return outbound.message_id.strip("<>").partition("@")[0][:32]


def _contact() -> str:
    """Return where a push service can reach the operator (RFC 8292, section 2.1)."""
    settings = current_settings()
    return settings.public_url if settings.over_tls else f"mailto:{parseaddr(settings.mail_default_sender)[1]}"
