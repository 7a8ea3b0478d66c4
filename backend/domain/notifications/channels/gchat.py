"""Delivery by Google Chat: a JSON POST to the account's webhook or the marketplace's."""

from typing import Final
from urllib.parse import urlsplit

import orjson

from backend.core import http_client, translations
from backend.core.circuit_breaker import CircuitBreaker
from backend.core.config import current_settings
from backend.core.errors import PermanentFailure, RetryLater
from backend.domain.notifications.channels.message import NotReachable, OutboundMessage

GOOGLE: Final = "chat.googleapis.com"
RETRYABLE: Final = (408, 425, 429)
LEFT_ALONE_SECONDS: Final = 15
# Each call to a host that hangs holds a job process for as long as a call may take, and all other work with it.
_hanging: Final[dict[str, CircuitBreaker]] = {}


def send(outbound: OutboundMessage) -> str:
    """Post the message. Raises NotReachable, PermanentFailure or RetryLater."""
    settings = current_settings()
    own = outbound.contact.gchat_webhook
    webhook = own or settings.gchat_webhook_url
    if not webhook:
        raise NotReachable("No Google Chat webhook is configured.")
    body = orjson.dumps({"text": text(outbound, shared=not own)})
    host = urlsplit(webhook).netloc
    breaker = _hanging.setdefault(host, CircuitBreaker("gchat", first=LEFT_ALONE_SECONDS, longest=120))
    if breaker.is_open:
        reason = "The webhook's host has not responded recently."
        raise RetryLater(reason, after_seconds=LEFT_ALONE_SECONDS, counts_as_attempt=False)
    try:
        response = http_client.post_json(
            _with_request_id(webhook, outbound),
            body,
            allowed=settings.gchat_allowed_hosts,
            timeout=settings.outbound_timeout_seconds,
        )
    except http_client.NotAllowed as error:
        raise PermanentFailure(str(error)) from error
    except http_client.Unreachable as error:
        if isinstance(error, http_client.TimedOut):
            breaker.failed()
        raise RetryLater(str(error)) from error
    breaker.succeeded()
    return _judge(response)


def text(outbound: OutboundMessage, *, shared: bool) -> str:
    """Return the message in Google Chat's markup, users' texts without any. In a shared room it names the recipient."""
    title, body, name = (
        _plain(part) for part in (outbound.words.title, outbound.words.body, outbound.contact.firstname)
    )
    lines = [f"*{title}*", body]
    if shared:
        lines.insert(0, translations.say(outbound.contact.language, "mail.recipient", name=name))
    if outbound.words.action:
        lines.append(f"<{outbound.words.url}|{outbound.words.action}>")
    return "\n".join(line for line in lines if line)


def _judge(response: http_client.Response) -> str:
    """Accept only JSON with a 2xx status: an HTML page comes from a proxy in between."""
    if 200 <= response.status < 300:
        if response.content_type == "text/html":
            raise RetryLater(f"The webhook responded with {response.status} and an HTML page.")
        return str(response.status)
    if response.status in RETRYABLE or response.status >= 500:
        raise RetryLater(f"The webhook responded with {response.status}.", after_seconds=response.retry_after)
    raise PermanentFailure(f"The webhook responded with {response.status}.")


def _with_request_id(webhook: str, outbound: OutboundMessage) -> str:
    """Add a requestId, under which Google keeps one message: a retry after a crash adds none. Others may ignore it."""
    if urlsplit(webhook).hostname != GOOGLE:
        return webhook
    request_id = outbound.message_id.strip("<>").partition("@")[0]
    return f"{webhook}{'&' if '?' in webhook else '?'}requestId={request_id}"


def _plain(value: str) -> str:
    return "".join(char for char in value if char not in "*_~`<>|")
