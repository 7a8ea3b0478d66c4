"""The marketplace's settings: typed, with defaults, changed by admins at run time."""

import json
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import time
from typing import Final, TypedDict

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert

from backend.core.config import current_settings
from backend.core.db.session import db
from backend.core.errors import Invalid, Stale
from backend.core.security.authz import Actor
from backend.domain.audit.actions import record
from backend.domain.market.models import MarketSetting

WEEK: Final = 7 * 24 * 60
BOUNDS: Final[dict[str, tuple[int, int]]] = {
    "answer_within_minutes": (1, WEEK),
    "min_notice_minutes": (0, WEEK),
    "free_cancel_minutes": (0, WEEK),
    "travel_buffer_minutes": (0, 240),
    "tell_nearest": (0, 50),
    "extra_work_cap_percent": (0, 1000),
    "offer_valid_hours": (1, 720),
}
CHOICES: Final[dict[str, tuple[str, ...]]] = {
    "start_code": ("off", "offered", "required"),
    "contact": ("shown", "masked"),
    "visit_reminders": ("off", "on"),
}


StoredValue = int | str  # times of day are strings such as "18:00"


@dataclass(frozen=True, slots=True)
class MarketSettings:
    """The settings. Times of day are in the marketplace's time zone.

    ``answer_within_minutes``: how long a requested professional may respond before the request opens to all.
    ``min_notice_minutes``: a date must be at least this far ahead. ``free_cancel_minutes``: cancelling an accepted
    request later than this before its start is marked late. ``travel_buffer_minutes``: kept free after each request.
    ``tell_nearest``: how many professionals are notified of a new request open to all. ``day_begins_at`` and
    ``day_ends_at``: default working hours. ``start_code``: whether professionals need a code from the customer to start
    a visit, and whether the work can be completed only after a start ("required").
    ``contact``: whether customer and professional see each other's phone once
    the request is accepted (``shown``); ``masked``: never, and contact details in their messages are hidden.
    ``visit_reminders``: whether both sides are reminded of a visit, at ``reminder_at`` the evening before, and two
    hours before. ``extra_work_cap_percent``: how much the approved price lines may add to the agreed price, in percent
    of it; 0: any amount. ``extra_work_reasons``: the reasons from which professionals choose one for a price line, one
    on each line of text; empty: they need none. ``offer_valid_hours``: how long an offer is valid that does not say so.
    """

    reminder_at: time
    answer_within_minutes: int = 120
    min_notice_minutes: int = 0
    free_cancel_minutes: int = 120
    travel_buffer_minutes: int = 0
    tell_nearest: int = 10
    day_begins_at: time = time(8)
    day_ends_at: time = time(20)
    start_code: str = "off"
    contact: str = "shown"
    visit_reminders: str = "off"
    extra_work_cap_percent: int = 0
    extra_work_reasons: str = ""
    offer_valid_hours: int = 48

    @property
    def allowed_reasons(self) -> tuple[str, ...]:
        """Return the reasons of ``extra_work_reasons``."""
        return tuple(line.strip() for line in self.extra_work_reasons.splitlines() if line.strip())

    def as_dict(self) -> dict[str, StoredValue]:
        """Return the settings as plain values; times of day are strings such as "18:00"."""
        return {name: _to_stored(value) for name, value in asdict(self).items()}


class SettingsChanges(TypedDict, total=False):
    """New values of settings, by their names."""

    reminder_at: time
    answer_within_minutes: int
    min_notice_minutes: int
    free_cancel_minutes: int
    travel_buffer_minutes: int
    tell_nearest: int
    day_begins_at: time
    day_ends_at: time
    start_code: str
    contact: str
    visit_reminders: str
    extra_work_cap_percent: int
    extra_work_reasons: str
    offer_valid_hours: int


def get() -> MarketSettings:
    """Return the current settings."""
    rows = db.session.execute(select(MarketSetting.name, MarketSetting.value)).all()
    return of_rows({row.name: row.value for row in rows})


def of_rows(rows: Mapping[str, StoredValue]) -> MarketSettings:
    """Return the settings of the table's rows, for a query that also reads other things."""
    reminder_at = _time(rows, "reminder_at", current_settings().reminder_at)
    usual = MarketSettings(reminder_at)
    return MarketSettings(
        reminder_at=reminder_at,
        answer_within_minutes=_number(rows, "answer_within_minutes", usual.answer_within_minutes),
        min_notice_minutes=_number(rows, "min_notice_minutes", usual.min_notice_minutes),
        free_cancel_minutes=_number(rows, "free_cancel_minutes", usual.free_cancel_minutes),
        travel_buffer_minutes=_number(rows, "travel_buffer_minutes", usual.travel_buffer_minutes),
        tell_nearest=_number(rows, "tell_nearest", usual.tell_nearest),
        day_begins_at=_time(rows, "day_begins_at", usual.day_begins_at),
        day_ends_at=_time(rows, "day_ends_at", usual.day_ends_at),
        start_code=_choice(rows, "start_code", usual.start_code),
        contact=_choice(rows, "contact", usual.contact),
        visit_reminders=_choice(rows, "visit_reminders", usual.visit_reminders),
        extra_work_cap_percent=_number(rows, "extra_work_cap_percent", usual.extra_work_cap_percent),
        offer_valid_hours=_number(rows, "offer_valid_hours", usual.offer_valid_hours),
        extra_work_reasons=str(rows.get("extra_work_reasons", usual.extra_work_reasons)),
    )


def version_of(settings: MarketSettings) -> int:
    """Return a version that changes with every setting."""
    return zlib.crc32(json.dumps(settings.as_dict(), sort_keys=True).encode())


def change(actor: Actor, *, changes: SettingsChanges, expected_version: int | None = None) -> MarketSettings:
    """Change settings. Raises Invalid for a value out of bounds, or Stale."""
    # Of two concurrent admins, the second reads what the first wrote. Readers do not wait.
    db.session.execute(text("LOCK TABLE market_settings IN SHARE ROW EXCLUSIVE MODE"))
    before = get()
    if expected_version is not None and expected_version != version_of(before):
        raise Stale("The settings have changed since you loaded them. Load them again, then repeat your change.")
    for name, value in changes.items():
        if name in CHOICES:
            check_choice(name, value)
        if isinstance(value, int) and not BOUNDS[name][0] <= value <= BOUNDS[name][1]:
            raise Invalid.field(name, f"Must be from {BOUNDS[name][0]} to {BOUNDS[name][1]}.")
    after = replace(before, **changes)
    if after.day_begins_at >= after.day_ends_at:
        raise Invalid.field("day_ends_at", "Must be later than day_begins_at.")
    differing = [name for name in changes if getattr(after, name) != getattr(before, name)]
    different = {name: _to_stored(getattr(after, name)) for name in differing}
    if not different:
        return before
    statement = insert(MarketSetting).values([{"name": name, "value": value} for name, value in different.items()])
    db.session.execute(
        statement.on_conflict_do_update(index_elements=["name"], set_={"value": statement.excluded.value})
    )
    was = {name: _to_stored(getattr(before, name)) for name in different}
    record(actor, "settings_changed", subject_kind="market", before=was, after=different)
    return after


def check_choice(name: str, value: object) -> None:
    """Raise Invalid for a value that the setting does not have."""
    if value not in CHOICES[name]:
        raise Invalid.field(name, f"Must be one of: {', '.join(CHOICES[name])}.")


def _to_stored(value: int | str | time) -> StoredValue:
    return value.isoformat("minutes") if isinstance(value, time) else value


def _number(rows: Mapping[str, StoredValue], name: str, default: int) -> int:
    value = rows.get(name)
    return value if isinstance(value, int) else default


def _choice(rows: Mapping[str, StoredValue], name: str, default: str) -> str:
    value = rows.get(name)
    return value if isinstance(value, str) and value in CHOICES[name] else default


def _time(rows: Mapping[str, StoredValue], name: str, default: time) -> time:
    value = rows.get(name)
    return time.fromisoformat(value) if isinstance(value, str) else default
