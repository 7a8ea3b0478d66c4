"""THE TABLE of messages: each kind's title, body, button, template and channels, by language.

A body is a row of sentences; one whose values are not all there is left out. Values are plain text: templates escape.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from string import Formatter
from typing import Any, Final
from zoneinfo import ZoneInfo

from backend.core.config import current_settings

REQUEST_PAGE: Final = "/app/requests/{request_id}"
# Words of customers and professionals. They go out under the marketplace's name, so nobody may take them for its own.
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
MOMENTS: Final = ("date", "expires")  # the values that are times; whatever else looks like one was typed by someone


@dataclass(frozen=True, slots=True)
class Message:
    """What is said of one kind.

    ``account`` messages always go, by ``channel`` only, and never show in the app. ``mandatory`` ones show in the app
    and always go by mail as well, whatever the person chose: who cannot sign in would learn of them nowhere else.
    ``follows`` is the kind whose choice of channels this one shares.
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
    """A paragraph of a mail, and what someone wrote below it."""

    text: str
    quote: str = ""

    @property
    def quoted(self) -> str:
        """Return the quote as plain text marks one (RFC 3676, 4.5)."""
        return "\n".join(f"> {line}".rstrip() for line in self.quote.splitlines())


@dataclass(frozen=True, slots=True)
class RenderedMessage:
    """A message with its values filled in. ``blocks`` is the body in paragraphs, with people's words set apart."""

    title: str
    body: str
    action: str
    url: str
    blocks: tuple[Block, ...] = ()


ENGLISH: Final[dict[str, Message]] = {
    "approved": Message(
        "You are approved",
        (
            "Your document was checked and approved. You can accept requests from now on.",
            "The approval is good until {expires}.",
        ),
        "See requests near you",
        mandatory=True,
    ),
    "rejected": Message(
        "Your document was not approved",
        ("Reason: {reason}", "You can hand in another document at any time."),
        "Hand in another document",
        "/app/approval",
        mandatory=True,
    ),
    "blocked": Message(
        "Your account is blocked",
        ("Reason: {reason}", "{note}", "You cannot use {market} while it is. Write to its admins to object."),
        mandatory=True,
    ),
    "unblocked": Message("Your account is unblocked", ("You can use {market} as before.",), "Sign in", mandatory=True),
    "request_new": Message(
        "New request for you: {task}",
        ("Wanted on {date} at pincode {pincode}.", "Remarks: {remarks}", "Accept or reject it: the customer waits."),
        "Accept or reject",
        REQUEST_PAGE,
    ),
    "requests_waiting": Message(
        "{more}",
        ("They came after {limit} messages about new requests within an hour. Your inbox shows all of them.",),
        "See requests",
        "/app/inbox",
        in_app=False,
        follows="request_new",
    ),
    "request_accepted": Message(
        "Accepted: {task}",
        ("{professional} will come on {date}.", "Phone: {phone}"),
        "See the request",
        REQUEST_PAGE,
    ),
    "request_rejected": Message(
        "{professional} cannot take your request: {task}",
        ("Reason: {reason}", "It is now open to all professionals who do this task near you."),
        "See the request",
        REQUEST_PAGE,
    ),
    "request_released": Message(
        "{professional} had to give back your request: {task}",
        ("Reason: {reason}", "It is open to other professionals again; you need not do anything."),
        "See the request",
        REQUEST_PAGE,
    ),
    "request_opened": Message(
        "Your request is now open to all: {task}",
        (
            "There was no answer from {silent} in time.",
            "{gone} is no longer on this market.",
            "Every professional near you can take it now.",
        ),
        "See the request",
        REQUEST_PAGE,
    ),
    "request_changed": Message(
        "Changed by the customer: {task}",
        ("What changed: {changes}", "It is wanted on {date}.", "Look whether it still suits you."),
        "See the request",
        REQUEST_PAGE,
    ),
    "request_completed": Message(
        "Completed: {task}",
        ("The work of {date} is marked as completed.", "Close the request when all is well."),
        "See the request",
        REQUEST_PAGE,
    ),
    "request_closed": Message(
        "Closed: {task}",
        ("The request of {date} is closed.", "Closing remarks: {remarks}"),
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
        "Nobody could take your request: {task}",
        ("The date, {date}, has passed.", "Ask again with another date; more time ahead helps."),
        "Ask again",
        REQUEST_PAGE,
    ),
    "request_reviewed": Message(
        "You were given {rating} of 5 stars: {task}",
        ("{customer} wrote: {comment}", "You can reply once."),
        "Read and reply",
        REQUEST_PAGE,
    ),
    "export_done": Message(
        "Your export is ready",
        ("It has {rows}.", "It can be downloaded until {expires}."),
        "Download it",
        "/app/admin/exports",
    ),
    "export_failed": Message(
        "Your export could not be made",
        ("Reason: {reason}", "Start it again; if it fails again, see the jobs page."),
        "See exports",
        "/app/admin/exports",
    ),
    "admin_account_changed": Message(
        "{change}: {username}",
        (
            "If you did not expect this, ask {username}.",
            "You can sign an admin out on every device, or block the account.",
        ),
        "See the activity",
        "/app/admin/audit?subject_id={account_id}",
    ),
    "reminder": Message(
        "{waiting_title}",
        ("{waiting_body}", "{visit_body}", "Accept or reject, so that customers know where they stand."),
        "See what waits",
        "/app/inbox",
        template="reminder",
        in_app=False,
        unsubscribable=True,
    ),
    "report": Message(
        "Your month with {market}: {month}",
        ("Asked for: {requested}. Closed: {closed}. Spent: {spent}.",),
        "Read the report",
        "/app/reports/{period}",
        template="report",
        in_app=False,
        unsubscribable=True,
    ),
    "password_reset": Message(
        "Choose a new password",
        (
            "Someone, hopefully you, asked for a new password of {username}.",
            "The link works once, within {minutes} minutes.",
            "If it was not you, ignore this email: nothing changes.",
        ),
        "Choose a new password",
        "{link}",
        in_app=False,
        account=True,
    ),
    "password_changed": Message(
        "Your password was changed",
        ("All other sessions were signed out.", "If it was not you, ask for a new password at once."),
        "Ask for a new password",
        "/app/password/forgot",
        in_app=False,
        account=True,
    ),
    "email_confirmation": Message(
        "Confirm your mail address",
        ("Welcome to {market}. Confirm that this address is yours.", "Until then no other mail reaches you."),
        "Confirm",
        "{link}",
        in_app=False,
        account=True,
    ),
    "email_changed": Message(
        "Your email was changed",
        (
            "The email of {username} was changed. Emails about this account now go to another address.",
            "If you did not change it, change it back: the link works once, within {days} days.",
            "It also signs the account out on every device.",
            "For those {days} days, links to reset the password come to this address.",
        ),
        "Change it back",
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
            "Emails about {username} come to this address again. The account was signed out on every device.",
            "If you did not make the change that was undone, choose a new password too.",
        ),
        "Choose a new password",
        "/app/password/forgot",
        in_app=False,
        account=True,
    ),
    "email_in_use": Message(
        "You already have an account",
        (
            "Someone, perhaps you, entered this email for another account of {market}.",
            "It belongs to your account already, so nothing was changed. Sign in, or reset your password.",
            "If it was not you, ignore this email.",
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
        "Your approval ends on {expires}",
        (
            "Hand in a new document before then, so that you can go on accepting requests.",
            "What you accepted for later days is given back to the market when the approval ends.",
        ),
        "Hand in a new document",
        "/app/approval",
        in_app=False,
        account=True,
    ),
    "document_expired": Message(
        "Your approval has ended",
        (
            "It was good until {expires}.",
            "What you had accepted for later is open to other professionals, and its customers were told.",
            "Hand in a new document to accept requests again.",
        ),
        "Hand in a new document",
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
    "expires": "a day soon",
    "waiting_title": "It is time for a visit",
    "month": "the past month",
    "change": "An admin's account changed",
    "username": "an admin",
}


def message(kind: str, *, language: str = "en") -> Message:
    """What is said of a kind. Raises KeyError for one that the table does not know: a programming error."""
    return LANGUAGES[language][kind]


def render(
    kind: str,
    params: Mapping[str, Any],
    *,
    request_id: int | None = None,
    language: str = "en",
    without_links: bool = False,
) -> RenderedMessage:
    """Title, body and link of a message with these values.

    ``without_links``: for what leaves the app; see :func:`unlinked`.
    """
    said = message(kind, language=language)
    values = _values(params, request_id)
    is_typed = kind.startswith(TYPED_IN)
    if without_links:
        typed = (*TYPED, *NAMES) if is_typed else NAMES
        values |= {name: unlinked(values[name]) for name in typed if name in values}
    sentences = [sentence for sentence in said.body if _complete(sentence, values)]
    body = " ".join(_ended(sentence.format_map(values)) for sentence in sentences)
    blocks = _blocks(sentences, values, quoted=QUOTED if is_typed else ())
    path = said.path.format_map(values) if _complete(said.path, values) else "/app/"
    url = path if path.startswith(("http://", "https://")) else current_settings().public_url + path
    return RenderedMessage(said.title.format_map({**FALLBACKS, **values}), body, said.action, url, blocks)


def unlinked(typed: str) -> str:
    """Return what someone typed so that no mail program makes a link of it: ``https[:]//evil[.]example``.

    People read it as before; whoever trusts an address still has to type it.
    """
    found = OTHER_SCHEME.sub(r"\1[:]", SCHEME.sub(r"\1[:]", typed))
    return DOT_IN_HOST.sub("[.]", found)


def _blocks(sentences: Sequence[str], values: Mapping[str, str], *, quoted: Sequence[str]) -> tuple[Block, ...]:
    """The body in paragraphs: one ends where someone's own words follow."""
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


def _values(params: Mapping[str, Any], request_id: int | None) -> dict[str, str]:
    values = {name: text for name, value in params.items() if (text := _text(value, is_moment=name in MOMENTS))}
    values["market"] = current_settings().market_name
    if request_id is not None:
        values["request_id"] = str(request_id)
    return values


def _ended(sentence: str) -> str:
    """With a full stop, where what people typed has none."""
    return sentence if sentence.endswith((".", "!", "?", "…", "।")) else f"{sentence}."


def _complete(sentence: str, values: Mapping[str, str]) -> bool:
    return all(name in values for _, name, _, _ in Formatter().parse(sentence) if name)


def _text(value: Any, *, is_moment: bool = False) -> str:
    """A value as people read it: moments in the market's zone, lists with commas."""
    if value is None:
        return ""
    if isinstance(value, (list, tuple)):
        return ", ".join(_text(part) for part in value)
    if is_moment:
        return moment(value if isinstance(value, datetime) else datetime.fromisoformat(value), current_settings().zone)
    return str(value).strip()


def moment(value: datetime, zone: ZoneInfo) -> str:
    """A moment as people of the market read it: "Tue 1 Dec 2026, 10:00"."""
    there = value.astimezone(zone)
    return f"{there:%a} {there.day} {there:%b %Y, %H:%M}"
