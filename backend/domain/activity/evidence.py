"""The words of a PDF of evidence, in the reader's language."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from backend.core.config import current_settings
from backend.core.translations import format_exact_time, format_money, say
from backend.domain.activity.entries import Entry
from backend.domain.activity.queries import Activity
from backend.domain.task_requests.rows import RequestWithContacts

COLUMNS: Final = ("recorded", "reported", "who", "what", "details")
WIDTHS: Final = (3, 3, 3, 3, 6)
# Values that are names of the program, and the table of texts that words them.
WORDED: Final = {
    "status": "states",
    "step": "actions",
    "phase": "phases",
    "channel": "channels",
    "state": "delivery_states",
    "kind": "kinds",
    "reason_code": "reasons",
}


def document(activity: Activity, *, made_by: str, language: str) -> dict[str, object]:
    """Return the data of the template ``document``."""

    def words(key: str, **values: object) -> str:
        return say(language, f"evidence.{key}", **values)

    request, made_at = activity.row.request, format_exact_time(activity.read_at, language)
    market = current_settings().market_name
    facts = [
        ("task", request.task_name),
        ("status", words(f"states.{request.status}")),
        ("date", format_exact_time(request.date_of_request, language)),
        ("price", format_money(request.price, request.currency, language)),
        ("place", f"{request.address}, {request.pincode}"),
        ("customer", _customer(activity.row)),
        ("professional", _professional(activity.row) or words("nobody")),
        ("remarks", request.remarks),
    ]
    file = [("made_by", made_by), ("made_at", made_at), ("entries", str(len(activity.entries)))]
    notes = [words("times", zone=current_settings().market_timezone)]
    if activity.unreported_messages:
        notes.append(words("unreported", n=activity.unreported_messages))
    return {
        "language": language,
        "title": words("title", number=request.id, task=request.task_name),
        "author": market,
        "footer": words("footer", number=request.id, digest=activity.sha256),
        "sections": [
            _section(words("request"), facts=[(words(name), value) for name, value in facts if value]),
            _section(
                words("activity"),
                notes=notes,
                columns=[words(name) for name in COLUMNS],
                rows=[_row(entry, activity.row, language) for entry in activity.entries],
            ),
            _section(
                words("file"),
                facts=[(words(name), value) for name, value in file],
                notes=[words("digest", digest=activity.sha256)],
            ),
        ],
    }


def _section(
    title: str,
    *,
    facts: list[tuple[str, str]] | None = None,
    notes: list[str] | None = None,
    columns: list[str] | None = None,
    rows: list[list[str]] | None = None,
) -> dict[str, object]:
    return {
        "title": title,
        "facts": facts or [],
        "notes": notes or [],
        "columns": columns or [],
        "rows": rows or [],
        "widths": WIDTHS if columns else [],
    }


def _row(entry: Entry, row: RequestWithContacts, language: str) -> list[str]:
    details = [entry.note] if entry.note else []
    details += [
        f"{_word(language, 'values', name)}: {_value(name, value, language)}" for name, value in entry.details.items()
    ]
    return [
        format_exact_time(entry.received_at, language),
        format_exact_time(entry.at, language) if entry.at != entry.received_at else "",
        _who(entry, row, language),
        _word(language, "actions", entry.action),
        "\n".join(details),
    ]


def _who(entry: Entry, row: RequestWithContacts, language: str) -> str:
    role = _word(language, "roles", entry.actor_role or "system")
    names = {row.request.customer_id: _customer(row), row.request.professional_id: _professional(row)}
    if entry.actor_id is None:
        return role
    name = names.get(entry.actor_id)
    return f"{role}: {name}" if name else f"{role} {entry.actor_id}"


def _customer(row: RequestWithContacts) -> str:
    return f"{row.customer_firstname} {row.customer_lastname}"


def _professional(row: RequestWithContacts) -> str | None:
    return row.professional_firstname and f"{row.professional_firstname} ({row.professional_compname})"


def _value(name: str, value: object, language: str) -> str:
    if name in WORDED:
        return _word(language, WORDED[name], str(value))
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {part}" for key, part in value.items())
    if isinstance(value, (list, tuple)):
        return " → ".join(_value("", part, language) for part in value)
    if isinstance(value, bool):
        return say(language, "evidence.yes" if value else "evidence.no")
    text = str(value)
    return format_exact_time(datetime.fromisoformat(text), language) if _is_time(text) else text


def _is_time(value: str) -> bool:
    if len(value) < len("2026-11-27T10:00") or "T" not in value:
        return False
    try:
        return datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


def _word(language: str, table: str, name: str) -> str:
    """Return the word for a name of the program, or the name itself where there is none."""
    try:
        return say(language, f"evidence.{table}.{name}")
    except KeyError:
        return name.replace("_", " ")
