"""The table of messages: each kind's title, body, button, template and channels, by language.

A body is a sequence of sentences; a sentence with a missing value is left out. Values are plain text: templates escape.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from string import Formatter
from typing import Final
from zoneinfo import ZoneInfo

from backend.core.config import current_settings

REQUEST_PAGE: Final = "/app/requests/{request_id}"
# Values that users typed. Messages are sent in the marketplace's name, so these must not look like its own text.
TYPED: Final = ("professional", "customer", "silent", "gone", "remarks", "reason", "comment")
NAMES: Final = ("username",)  # typed by a user in every kind of message, of accounts too
QUOTED: Final = ("remarks", "reason", "comment")
TYPED_IN: Final = "request_"
SCHEME: Final = re.compile(r"\b([a-z][a-z0-9+.-]*):(?=//)", re.IGNORECASE)
OTHER_SCHEME: Final = re.compile(r"\b(mailto|tel|sms|upi|intent|whatsapp|javascript|data):(?=\S)", re.IGNORECASE)
# Vowel signs of Indian scripts are no letters to a regular expression, but hosts contain them and end with them.
DOT_IN_HOST: Final = re.compile(
    r"(?<=[^\s.])[.\u3002\uff0e\uff61](?=[^\W\d_][^\s.,;:!?])|(?<=\bwww)[.\u3002\uff0e\uff61]", re.IGNORECASE
)
TIMES: Final = ("date", "expires")  # the only values parsed as times; others that look like one were typed by a user


@dataclass(frozen=True, slots=True)
class Message:
    """The texts and delivery rules of one kind.

    ``account`` messages are always sent, by ``channel`` only, and not shown in the app. ``mandatory`` messages are
    shown in the app and always emailed as well, because a user who cannot sign in would not see them otherwise.
    ``follows`` names the kind whose channel preferences also apply to this one.
    """

    title: str
    body: tuple[str, ...]
    action: str = ""
    path: str = "/app/"
    template: str = "notification"
    in_app: bool = True
    account: bool = False
    channel: str = "mail"
    mandatory: bool = False
    follows: str = ""
    unsubscribable: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph of an email, and the user's text quoted below it."""

    text: str
    quote: str = ""

    @property
    def quoted(self) -> str:
        """Return the quote in plain-text notation (RFC 3676, 4.5)."""
        return "\n".join(f"> {line}".rstrip() for line in self.quote.splitlines())


@dataclass(frozen=True, slots=True)
class RenderedMessage:
    """A message with its values filled in. ``blocks`` is the body in paragraphs, with users' texts quoted."""

    title: str
    body: str
    action: str
    url: str
    blocks: tuple[Block, ...] = ()


ENGLISH: Final[dict[str, Message]] = {
    "approved": Message(
        "Your account is approved",
        (
            "We checked your document and approved it. You can now accept requests.",
            "The approval is valid until {expires}.",
        ),
        "View requests",
        mandatory=True,
    ),
    "rejected": Message(
        "Your document was not approved",
        ("Reason: {reason}", "You can upload another document at any time."),
        "Upload another document",
        "/app/approval",
        mandatory=True,
    ),
    "photo_approved": Message(
        "Your photo is approved",
        ("Customers now see it on your public profile.",),
        "View profile",
        "/app/my-profile",
    ),
    "photo_rejected": Message(
        "Your photo was not approved",
        ("Reason: {reason}", "You can upload another photo at any time."),
        "Upload another photo",
        "/app/my-profile",
    ),
    "blocked": Message(
        "Your account is blocked",
        ("Reason: {reason}", "{note}", "You cannot use {market} while your account is blocked. To appeal, contact us."),
        mandatory=True,
    ),
    "unblocked": Message("Your account is unblocked", ("You can use {market} again.",), "Sign in", mandatory=True),
    "request_new": Message(
        "New request: {task}",
        ("For {date}, pincode {pincode}.", "Remarks: {remarks}", "Accept or decline the request."),
        "View request",
        REQUEST_PAGE,
    ),
    "requests_waiting": Message(
        "{more}",
        ("We sent you {limit} messages about new requests within an hour. Your inbox shows the other requests.",),
        "View inbox",
        "/app/inbox",
        in_app=False,
        follows="request_new",
    ),
    "request_accepted": Message(
        "Accepted: {task}",
        ("{professional} accepted your request for {date}.", "Phone: {phone}"),
        "See the request",
        REQUEST_PAGE,
    ),
    "request_rejected": Message(
        "{professional} declined your request: {task}",
        ("Reason: {reason}", "Your request is now open to all professionals near you who offer this task."),
        "See the request",
        REQUEST_PAGE,
    ),
    "request_released": Message(
        "{professional} released your request: {task}",
        ("Reason: {reason}", "Your request is open to other professionals again. You do not need to do anything."),
        "See the request",
        REQUEST_PAGE,
    ),
    "request_opened": Message(
        "Your request is now open to all professionals: {task}",
        (
            "{silent} did not respond in time.",
            "{gone} is no longer available on {market}.",
            "All professionals near you who offer this task can now accept it.",
        ),
        "See the request",
        REQUEST_PAGE,
    ),
    "request_changed": Message(
        "Request changed: {task}",
        ("The customer changed: {changes}", "Date: {date}", "Check whether the request still suits you."),
        "See the request",
        REQUEST_PAGE,
    ),
    "request_completed": Message(
        "Completed: {task}",
        ("The request for {date} was marked as completed.", "Close the request if everything is in order."),
        "See the request",
        REQUEST_PAGE,
    ),
    "request_closed": Message(
        "Closed: {task}",
        ("The request for {date} was closed.", "Closing remarks: {remarks}"),
        "See the request",
        REQUEST_PAGE,
    ),
    "request_cancelled": Message(
        "Cancelled: {task}",
        ("The request for {date} was cancelled.", "Reason: {reason}"),
        "See the request",
        REQUEST_PAGE,
    ),
    "request_expired": Message(
        "Expired: {task}",
        (
            "No professional accepted your request before {date}.",
            "You can send it again with another date. A request is more likely to be accepted if you send it earlier.",
        ),
        "View request",
        REQUEST_PAGE,
    ),
    "request_reviewed": Message(
        "New review, {rating} of 5 stars: {task}",
        ("{customer} wrote: {comment}", "You can reply once."),
        "Read and reply",
        REQUEST_PAGE,
    ),
    "export_done": Message(
        "Your export is ready",
        ("The file has {rows}.", "You can download it until {expires}."),
        "Download export",
        "/app/admin/exports",
    ),
    "export_failed": Message(
        "Your export failed",
        ("Reason: {reason}", "Start the export again. If it fails again, check the failed jobs."),
        "View exports",
        "/app/admin/exports",
    ),
    "admin_account_changed": Message(
        "{change}: {username}",
        (
            "If you did not expect this, contact {username}.",
            "You can sign the admin out on all devices, or block the account.",
        ),
        "View activity",
        "/app/admin/audit?subject_id={account_id}",
    ),
    "reminder": Message(
        "{waiting_title}",
        ("{waiting_body}", "{visit_body}", "Accept or decline requests promptly, so that customers can plan."),
        "View inbox",
        "/app/inbox",
        template="reminder",
        in_app=False,
        unsubscribable=True,
    ),
    "report": Message(
        "Your monthly report: {month}",
        ("Requested: {requested}. Closed: {closed}. Spent: {spent}.",),
        "View report",
        "/app/reports/{period}",
        template="report",
        in_app=False,
        unsubscribable=True,
    ),
    "password_reset": Message(
        "Reset your password",
        (
            "We received a request to reset the password of {username}.",
            "The link works once and expires after {minutes} minutes.",
            "If you did not request this, ignore this email. Your password stays the same.",
        ),
        "Reset password",
        "{link}",
        in_app=False,
        account=True,
    ),
    "password_changed": Message(
        "Your password was changed",
        ("All other sessions were signed out.", "If you did not change it, reset your password immediately."),
        "Reset password",
        "/app/password/forgot",
        in_app=False,
        account=True,
    ),
    "email_confirmation": Message(
        "Confirm your email",
        ("Welcome to {market}. Confirm that this email is yours.", "We send you no other emails until you do."),
        "Confirm email",
        "{link}",
        in_app=False,
        account=True,
    ),
    "email_changed": Message(
        "Your email was changed",
        (
            "The email of {username} was changed. Emails about this account now go to another address.",
            "If you did not change it, use the link to change it back. It works once, within {days} days.",
            "It also signs the account out on all devices.",
            "During these {days} days, password reset links are sent to this address.",
        ),
        "Change email back",
        "{link}",
        in_app=False,
        account=True,
    ),
    "email_left": Message(
        "Your email was changed",
        ("Emails about {username} now go to another address, not to this one.",),
        in_app=False,
        account=True,
    ),
    "email_restored": Message(
        "Your email was changed back",
        (
            "Emails about {username} come to this address again. The account was signed out on all devices.",
            "If someone else had changed the email, reset your password too.",
        ),
        "Reset password",
        "/app/password/forgot",
        in_app=False,
        account=True,
    ),
    "email_in_use": Message(
        "You already have an account",
        (
            "Someone, perhaps you, entered this email for another account on {market}.",
            "It already belongs to your account, so nothing was changed. Sign in, or reset your password.",
            "If this was not you, ignore this email.",
        ),
        "Sign in",
        "/app/sign-in",
        in_app=False,
        account=True,
    ),
    "phone_code": Message(
        "{code} is your {market} code. It is valid for {minutes} minutes. Do not share it.",
        (),
        in_app=False,
        account=True,
        channel="sms",
    ),
    "document_expiring": Message(
        "Your approval expires on {expires}",
        (
            "Upload a new document before then to keep accepting requests.",
            "When the approval expires, the requests you accepted for later dates are released to other professionals.",
        ),
        "Upload a new document",
        "/app/approval",
        in_app=False,
        account=True,
    ),
    "document_expired": Message(
        "Your approval has expired",
        (
            "It was valid until {expires}.",
            "Requests you accepted for later dates were released to other professionals. We notified the customers.",
            "Upload a new document to accept requests again.",
        ),
        "Upload a new document",
        "/app/approval",
        in_app=False,
        account=True,
    ),
}
LANGUAGES: Final[dict[str, dict[str, Message]]] = {"en": ENGLISH}
FALLBACKS: Final[dict[str, str]] = {
    "task": "a task",
    "professional": "The professional",
    "customer": "The customer",
    "rating": "some",
    "code": "This",
    "more": "More requests are waiting",
    "minutes": "some",
    "expires": "an upcoming date",
    "waiting_title": "Check your inbox for new requests",
    "month": "the past month",
    "change": "An admin's account changed",
    "username": "an admin",
}


def message(kind: str, *, language: str = "en") -> Message:
    """Return the message of a kind. Raises KeyError for an unknown kind, which is a programming error."""
    return LANGUAGES[language][kind]


def render(
    kind: str,
    params: Mapping[str, object],
    *,
    request_id: int | None = None,
    language: str = "en",
    without_links: bool = False,
) -> RenderedMessage:
    """Return title, body and link of a message with these values.

    ``without_links`` is for messages that leave the app; see :func:`unlinked`.
    """
    template = message(kind, language=language)
    values = _values(params, request_id)
    is_typed = kind.startswith(TYPED_IN)
    if without_links:
        typed = (*TYPED, *NAMES) if is_typed else NAMES
        values |= {name: unlinked(values[name]) for name in typed if name in values}
    sentences = [sentence for sentence in template.body if _complete(sentence, values)]
    body = " ".join(_ended(sentence.format_map(values)) for sentence in sentences)
    blocks = _blocks(sentences, values, quoted=QUOTED if is_typed else ())
    path = template.path.format_map(values) if _complete(template.path, values) else "/app/"
    url = path if path.startswith(("http://", "https://")) else current_settings().public_url + path
    return RenderedMessage(template.title.format_map({**FALLBACKS, **values}), body, template.action, url, blocks)


def unlinked(typed: str) -> str:
    """Return a user's text so that no mail program turns it into a link: ``https[:]//evil[.]example``.

    It stays readable, but a reader would have to type the address to follow it.
    """
    found = OTHER_SCHEME.sub(r"\1[:]", SCHEME.sub(r"\1[:]", typed))
    return DOT_IN_HOST.sub("[.]", found)


def _blocks(sentences: Sequence[str], values: Mapping[str, str], *, quoted: Sequence[str]) -> tuple[Block, ...]:
    """Return the body in paragraphs; a paragraph ends where a user's text follows."""
    blocks: list[Block] = []
    texts: list[str] = []
    for sentence in sentences:
        name = next((name for name in quoted if sentence.endswith(f"{{{name}}}")), None)
        if name is None:
            texts.append(_ended(sentence.format_map(values)))
            continue
        texts.append(sentence.removesuffix(f"{{{name}}}").strip().format_map(values))
        blocks.append(Block(" ".join(texts), values[name]))
        texts = []
    return (*blocks, Block(" ".join(texts))) if texts else tuple(blocks)


def _values(params: Mapping[str, object], request_id: int | None) -> dict[str, str]:
    values = {name: text for name, value in params.items() if (text := _text(value, is_time=name in TIMES))}
    values["market"] = current_settings().market_name
    if request_id is not None:
        values["request_id"] = str(request_id)
    return values


def _ended(sentence: str) -> str:
    """Return the sentence with a full stop, which a user's text may lack."""
    return sentence if sentence.endswith((".", "!", "?", "…", "।")) else f"{sentence}."


def _complete(sentence: str, values: Mapping[str, str]) -> bool:
    return all(name in values for _, name, _, _ in Formatter().parse(sentence) if name)


def _text(value: object, *, is_time: bool = False) -> str:
    """Return a value for display: times in the marketplace's time zone, lists with commas."""
    if value is None:
        return ""
    if isinstance(value, (list, tuple)):
        return ", ".join(_text(part) for part in value)
    if is_time:
        time = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
        return format_time(time, current_settings().zone)
    return str(value).strip()


def format_time(value: datetime, zone: ZoneInfo) -> str:
    """Return a time for display in this time zone: "Tue 1 Dec 2026, 10:00"."""
    there = value.astimezone(zone)
    return f"{there:%a} {there.day} {there:%b %Y, %H:%M}"
