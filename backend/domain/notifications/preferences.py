"""Notification preferences of accounts, and unsubscribing by a link."""

import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from backend.core import http_client
from backend.core.config import current_settings
from backend.core.db.session import db
from backend.core.errors import Invalid, NotFound
from backend.core.security import signing
from backend.domain.live_updates.changes import announce_preferences
from backend.domain.notifications.messages import KINDS
from backend.domain.notifications.models import Preferences

CHANNELS: Final = ("mail", "gchat", "sms", "push", "chat")
DEFAULT_CHANNELS: Final = ("mail",)
PURPOSE: Final = "unsubscribe"
FORMER_BYTES: Final = 16
INCOMPLETE_LINK: Final = (
    "This link is incomplete. Copy the whole link, or change your notification preferences in your profile."
)


@dataclass(frozen=True, slots=True)
class Choice:
    """The preferences of one account, or the defaults."""

    channels: tuple[str, ...] = DEFAULT_CHANNELS
    gchat_webhook: str | None = None
    quiet_hours: dict[str, str] | None = None
    kinds: dict[str, list[str]] = field(default_factory=dict)
    chat_id: str | None = None

    @property
    def all_channels(self) -> set[str]:
        """Return all channels in use."""
        return {*self.channels, *(channel for channels in self.kinds.values() for channel in channels)}

    def channels_for(self, kind: str) -> tuple[str, ...]:
        """Return the channels of one kind, in order."""
        return tuple(self.kinds[kind]) if kind in self.kinds else self.channels

    def not_before(self, at: datetime) -> datetime | None:
        """Return the end of the quiet hours around a time, in the marketplace's time zone; None outside of them."""
        if not self.quiet_hours:
            return None
        begin, end = (time.fromisoformat(self.quiet_hours[name]) for name in ("from", "to"))
        there = at.astimezone(current_settings().zone)
        clock = there.timetz().replace(tzinfo=None)
        quiet = begin <= clock < end if begin <= end else clock >= begin or clock < end
        if not quiet:
            return None
        day = there.date() + timedelta(days=int(begin > end and clock >= begin))
        return datetime.combine(day, end, tzinfo=current_settings().zone).astimezone(at.tzinfo)


def of(account_ids: Iterable[int]) -> dict[int, Choice]:
    """Return the stored preferences of many accounts in one query."""
    statement = select(
        Preferences.account_id,
        Preferences.channels,
        Preferences.gchat_webhook,
        Preferences.quiet_hours,
        Preferences.kinds,
        Preferences.chat_id,
    ).where(Preferences.account_id.in_(set(account_ids)))
    return {row[0]: of_row(row[1:]) for row in db.session.execute(statement)}


def of_row(row: Sequence[Any]) -> Choice:
    """Return the preferences of their five columns, in the order of `Choice`."""
    channels, gchat_webhook, quiet_hours, kinds, chat_id = row
    return Choice(tuple(channels), gchat_webhook, quiet_hours, kinds, chat_id)


def get(account_id: int) -> Choice:
    """Return the preferences of one account."""
    return of([account_id]).get(account_id, Choice())


def choose(account_id: int, choice: Choice, *, keeps_kinds: bool = False) -> None:
    """Store preferences; see :func:`put`. Raises Invalid for a webhook that is not allowed."""
    if choice.gchat_webhook:
        try:
            http_client.check(choice.gchat_webhook, allowed=current_settings().gchat_allowed_hosts)
        except http_client.NotAllowed as error:
            raise Invalid.field("gchat_webhook", str(error)) from error
    put(account_id, choice, keeps_kinds=keeps_kinds)


def put(account_id: int, choice: Choice, *, keeps_kinds: bool = False) -> None:
    """Replace preferences. ``keeps_kinds`` keeps those for single kinds, including unsubscriptions."""
    values = {
        "channels": list(choice.channels),
        "gchat_webhook": choice.gchat_webhook,
        "quiet_hours": choice.quiet_hours,
        "kinds": choice.kinds,
        "chat_id": choice.chat_id,
    }
    row = insert(Preferences).values(account_id=account_id, **values)
    if keeps_kinds:
        del values["kinds"]
    db.session.execute(row.on_conflict_do_update(index_elements=["account_id"], set_=values))
    announce_preferences(account_id)


def unsubscribe(account_id: int, kind: str) -> None:
    """Turn off this kind on all channels."""
    row = insert(Preferences).values(account_id=account_id, kinds={kind: []})
    kinds = Preferences.kinds.op("||")(row.excluded.kinds)  # in one statement, so that concurrent changes are kept
    db.session.execute(row.on_conflict_do_update(index_elements=["account_id"], set_={"kinds": kinds}))
    announce_preferences(account_id)


def address(account_id: int, kind: str) -> str:
    """Return the URL for the email's one-click header and its unsubscribe link."""
    token = signing.signer(PURPOSE).sign(f"{account_id}.{kind}").decode()
    return f"{current_settings().public_url}/unsubscribe/{token}"


def read(token: str) -> tuple[int, str]:
    """Return the account and kind of a token. Raises NotFound for a forged one."""
    account, _, rest = token.partition(".")
    kind, _, signature = rest.partition(".")
    known = kind in KINDS and KINDS[kind].unsubscribable
    if not (known and account.isascii() and account.isdigit() and len(account) <= 19 and signature.isascii()):
        raise NotFound(INCOMPLETE_LINK)
    if not (signing.signer(PURPOSE).validate(token) or _is_former(signature, f"unsubscribe:{int(account)}:{kind}")):
        raise NotFound(INCOMPLETE_LINK)
    return int(account), kind


def unsubscribe_by_link(token: str) -> tuple[int, str]:
    """Turn off the token's kind for its account and return both. Idempotent."""
    account_id, kind = read(token)
    unsubscribe(account_id, kind)
    return account_id, kind


def _is_former(signature: str, signed: str) -> bool:
    """Return whether a link of an earlier format is ours: emails are kept for years.

    Its signature was cut to 16 bytes, in hexadecimal. At first SECRET_KEY itself signed.
    """
    settings = current_settings()
    keys = [*signing.keys(PURPOSE), *map(str.encode, (settings.secret_key, *settings.secret_key_fallbacks))]
    former = [hmac.digest(key, signed.encode(), "sha256")[:FORMER_BYTES].hex() for key in keys]
    return any(hmac.compare_digest(one, signature) for one in former)
