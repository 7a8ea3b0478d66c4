"""The kinds of messages with their delivery rules, and their texts in the reader's language.

The texts are in ``messages.toml`` of each language. A body is a sequence of sentences; a sentence with a missing value
is left out. Values are plain text: templates escape. A value that is worded itself (a number of requests, a month, an
amount) is stored as data, so that it can be worded in any language; see :func:`phrase`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache, partial
from string import Formatter
from typing import Final

from backend.core import text_tables, translations
from backend.core.config import current_settings
from backend.core.text_tables import DEFAULT
from backend.core.translations import format_money, format_month, format_time

REQUEST_PAGE: Final = "/app/requests/{request_id}"
# Values that users typed. Messages are sent in the marketplace's name, so these must not look like its own text.
TYPED: Final = ("author", "professional", "customer", "silent", "gone", "remarks", "reason", "comment", "line")
NAMES: Final = ("username",)  # typed by a user in every kind of message, of accounts too
QUOTED: Final = ("remarks", "reason", "comment")
TYPED_IN: Final = "request_"
SCHEME: Final = re.compile(r"\b([a-z][a-z0-9+.-]*):(?=//)", re.IGNORECASE)
OTHER_SCHEME: Final = re.compile(r"\b(mailto|tel|sms|upi|intent|whatsapp|javascript|data):(?=\S)", re.IGNORECASE)
# Vowel signs of Indian scripts are no letters to a regular expression, but hosts contain them and end with them.
DOT_IN_HOST: Final = re.compile(
    r"(?<=[^\s.])[.\u3002\uff0e\uff61](?=[^\W\d_][^\s.,;:!?])|(?<=\bwww)[.\u3002\uff0e\uff61]", re.IGNORECASE
)
# What a reminder of a visit lets its reader do at once, by the value that only their side's message has.
CHOICES: Final = {"customer": ("on_time", "running_late", "release"), "professional": ("cancel",)}
TIMES: Final = ("date", "expires")  # the only values parsed as times; others that look like one were typed by a user


@dataclass(frozen=True, slots=True)
class Message:
    """The delivery rules of one kind.

    ``account`` messages are always sent, by ``channel`` only, and not shown in the app. ``mandatory`` messages are
    shown in the app and always emailed as well, because a user who cannot sign in would not see them otherwise.
    ``about_visit`` messages are not sent once the visit has started or no longer takes place as told; they offer
    choices (see `CHOICES`).
    ``follows`` names the kind whose channel preferences also apply to this one.
    """

    path: str = "/app/"
    template: str = "notification"
    in_app: bool = True
    account: bool = False
    channel: str = "mail"
    mandatory: bool = False
    follows: str = ""
    about_visit: bool = False
    unsubscribable: bool = False


@dataclass(frozen=True, slots=True)
class Words:
    """The texts of one kind in one language, with placeholders."""

    title: str
    body: tuple[str, ...]
    action: str


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
class Choice:
    """One of several things to do about a message: the page opens with it, and nothing is done by opening it."""

    name: str
    label: str
    url: str


@dataclass(frozen=True, slots=True)
class RenderedMessage:
    """A message with its values filled in. ``blocks`` is the body in paragraphs, with users' texts quoted."""

    title: str
    body: str
    action: str
    url: str
    blocks: tuple[Block, ...] = ()
    choices: tuple[Choice, ...] = ()


KINDS: Final[dict[str, Message]] = {
    "approved": Message(mandatory=True),
    "rejected": Message(path="/app/approval", mandatory=True),
    "photo_approved": Message(path="/app/my-profile"),
    "photo_rejected": Message(path="/app/my-profile"),
    "blocked": Message(mandatory=True),
    "unblocked": Message(mandatory=True),
    "request_new": Message(path=REQUEST_PAGE),
    "requests_waiting": Message(path="/app/inbox", in_app=False, follows="request_new"),
    "request_accepted": Message(path=REQUEST_PAGE),
    "request_rejected": Message(path=REQUEST_PAGE),
    "request_released": Message(path=REQUEST_PAGE),
    "request_opened": Message(path=REQUEST_PAGE),
    "request_changed": Message(path=REQUEST_PAGE),
    "request_on_time": Message(path=REQUEST_PAGE),
    "request_on_the_way": Message(path=REQUEST_PAGE),
    "request_running_late": Message(path=REQUEST_PAGE),
    "request_arrived": Message(path=REQUEST_PAGE),
    "request_started": Message(path=REQUEST_PAGE),
    "request_step_undone": Message(path=REQUEST_PAGE),
    "request_offer_made": Message(path=REQUEST_PAGE),
    "request_offer_withdrawn": Message(path=REQUEST_PAGE),
    "request_offer_accepted": Message(path=REQUEST_PAGE),
    "request_offer_ended": Message(path=REQUEST_PAGE),
    "request_line_proposed": Message(path=REQUEST_PAGE),
    "request_line_approved": Message(path=REQUEST_PAGE),
    "request_line_declined": Message(path=REQUEST_PAGE),
    "request_line_withdrawn": Message(path=REQUEST_PAGE),
    "request_due_tomorrow": Message(path=REQUEST_PAGE, about_visit=True, unsubscribable=True),
    "request_due_soon": Message(
        path=REQUEST_PAGE, about_visit=True, unsubscribable=True, follows="request_due_tomorrow"
    ),
    "request_completed": Message(path=REQUEST_PAGE),
    "request_closed": Message(path=REQUEST_PAGE),
    "request_cancelled": Message(path=REQUEST_PAGE),
    "request_expired": Message(path=REQUEST_PAGE),
    "request_reviewed": Message(path=REQUEST_PAGE),
    "request_messages": Message(
        path="/app/requests/{request_id}/messages?professional_id={professional_id}", in_app=False
    ),
    "export_done": Message(path="/app/admin/exports"),
    "export_failed": Message(path="/app/admin/exports"),
    "admin_account_changed": Message(path="/app/admin/audit?subject_id={account_id}"),
    "reminder": Message(path="/app/inbox", template="reminder", in_app=False, unsubscribable=True),
    "report": Message(path="/app/reports/{period}", template="report", in_app=False, unsubscribable=True),
    "password_reset": Message(path="{link}", in_app=False, account=True),
    "password_changed": Message(path="/app/password/forgot", in_app=False, account=True),
    "email_confirmation": Message(path="{link}", in_app=False, account=True),
    "email_changed": Message(path="{link}", in_app=False, account=True),
    "email_left": Message(in_app=False, account=True),
    "email_restored": Message(path="/app/password/forgot", in_app=False, account=True),
    "email_in_use": Message(path="/app/sign-in", in_app=False, account=True),
    "phone_code": Message(in_app=False, account=True, channel="sms"),
    "document_expiring": Message(path="/app/approval", in_app=False, account=True),
    "document_expired": Message(path="/app/approval", in_app=False, account=True),
}


def message(kind: str) -> Message:
    """Return the rules of a kind. Raises KeyError for an unknown kind, which is a programming error."""
    return KINDS[kind]


@cache
def words(kind: str, language: str) -> Words:
    """Return the texts of a kind."""
    texts = text_tables.table(language, "messages")[kind]
    if not isinstance(texts, Mapping):
        raise TypeError(kind)
    return Words(str(texts["title"]), tuple(texts["body"]), str(texts.get("action", "")))


def phrase(name: str, **values: object) -> dict[str, object]:
    """Return a value that is worded when the message is read: a text of ``phrases.toml`` and what is filled in."""
    return {"text": name, **values}


def amount(value: Decimal, currency: str) -> dict[str, object]:
    """Return an amount of money as a value."""
    return {"amount": f"{value:.2f}", "currency": currency}


def render(
    kind: str,
    params: Mapping[str, object],
    *,
    request_id: int | None = None,
    language: str = DEFAULT,
    without_links: bool = False,
) -> RenderedMessage:
    """Return title, body and link of a message with these values.

    ``without_links`` is for messages that leave the app; see :func:`unlinked`.
    """
    language = text_tables.supported(language)
    texts, path = words(kind, language), message(kind).path
    values = _values(params, request_id, language)
    is_typed = kind.startswith(TYPED_IN)
    if without_links:
        typed = (*TYPED, *NAMES) if is_typed else NAMES
        values |= {name: unlinked(values[name]) for name in typed if name in values}
    sentences = [sentence for sentence in texts.body if _complete(sentence, values)]
    body = " ".join(_ended(sentence.format_map(values), language) for sentence in sentences)
    blocks = _blocks(sentences, values, language, quoted=QUOTED if is_typed else ())
    path = path.format_map(values) if _complete(path, values) else "/app/"
    url = path if path.startswith(("http://", "https://")) else current_settings().public_url + path
    title = texts.title.format_map(_WithFallbacks(values, language))
    choices = [
        Choice(name, translations.say(language, f"phrases.visit_choices.{name}"), f"{url}?action={name}")
        for name in choice_names(kind, params)
    ]
    return RenderedMessage(title, body, texts.action, url, blocks, tuple(choices))


def choice_names(kind: str, params: Mapping[str, object]) -> tuple[str, ...]:
    """Return what the reader of a reminder can do at once; nothing for other kinds."""
    if not message(kind).about_visit:
        return ()
    return next((names for side, names in CHOICES.items() if side in params), ())


class _WithFallbacks(dict[str, str]):
    """The values of a title, which stays complete where one is missing."""

    def __init__(self, values: Mapping[str, str], language: str) -> None:
        super().__init__(values)
        self._language = language

    def __missing__(self, name: str) -> str:
        return translations.say(self._language, f"phrases.fallbacks.{name}")


def template_values(language: str) -> dict[str, object]:
    """Return what the templates of emails and pages word their own texts and values with."""
    language = text_tables.supported(language)
    return {"language": language, "say": partial(translations.say, language), "show": partial(_text, language)}


def unlinked(typed: str) -> str:
    """Return a user's text so that no mail program turns it into a link: ``https[:]//evil[.]example``.

    It stays readable, but a reader would have to type the address to follow it.
    """
    found = OTHER_SCHEME.sub(r"\1[:]", SCHEME.sub(r"\1[:]", typed))
    return DOT_IN_HOST.sub("[.]", found)


def _blocks(
    sentences: Sequence[str], values: Mapping[str, str], language: str, *, quoted: Sequence[str]
) -> tuple[Block, ...]:
    """Return the body in paragraphs; a paragraph ends where a user's text follows."""
    blocks: list[Block] = []
    texts: list[str] = []
    for sentence in sentences:
        name = next((name for name in quoted if sentence.endswith(f"{{{name}}}")), None)
        if name is None:
            texts.append(_ended(sentence.format_map(values), language))
            continue
        texts.append(sentence.removesuffix(f"{{{name}}}").strip().format_map(values))
        blocks.append(Block(" ".join(texts), values[name]))
        texts = []
    return (*blocks, Block(" ".join(texts))) if texts else tuple(blocks)


def _values(params: Mapping[str, object], request_id: int | None, language: str) -> dict[str, str]:
    values = _texts(params, language)
    values["market"] = current_settings().market_name
    if request_id is not None:
        values["request_id"] = str(request_id)
    return values


def _texts(params: Mapping[str, object], language: str) -> dict[str, str]:
    shown = ((name, _text(language, value, is_time=name in TIMES)) for name, value in params.items())
    return {name: text for name, text in shown if text}


def _ended(sentence: str, language: str) -> str:
    """Return the sentence with a full stop, which a user's text may lack."""
    ended = sentence.endswith((".", "!", "?", "…", "।"))
    return sentence if ended else f"{sentence}{translations.say(language, 'formats.full_stop')}"


def _complete(sentence: str, values: Mapping[str, str]) -> bool:
    return all(name in values for _, name, _, _ in Formatter().parse(sentence) if name)


def _text(language: str, value: object, *, is_time: bool = False) -> str:
    """Return a value for display: times in the marketplace's time zone, lists with commas."""
    if value is None:
        return ""
    if isinstance(value, Mapping):
        return worded(value, language)
    if isinstance(value, (list, tuple)):
        return ", ".join(_text(language, part) for part in value)
    if is_time:
        time = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
        return format_time(time, language)
    return str(value).strip()


def worded(value: Mapping[str, object], language: str = DEFAULT) -> str:
    """Return the text of a value that is stored as data; see :func:`phrase`."""
    if "amount" in value:
        return format_money(Decimal(str(value["amount"])), str(value["currency"]), language)
    if "month" in value and "text" not in value:
        return format_month(date.fromisoformat(f"{value['month']}-01"), language)
    if "time" in value:
        return _text(language, value["time"], is_time=True)
    if "text" not in value:
        return ""  # a row of a table, which templates show part by part
    number = value.get("n")
    counted: dict[str, object] = {"n": number} if isinstance(number, int) else {}
    return translations.say(language, f"phrases.{value['text']}", **{**_texts(value, language), **counted})
