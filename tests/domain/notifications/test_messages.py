"""All notification texts against a snapshot, so that a change of wording shows in review."""

import json
import re
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from flask import Flask, render_template

from backend.core.text_tables import languages
from backend.domain.notifications.channels.mail import letter
from backend.domain.notifications.channels.message import Contact, OutboundMessage
from backend.domain.notifications.messages import KINDS, message, phrase, render, template_values, unlinked
from backend.domain.reports import wording
from backend.domain.reports.months import Month
from backend.domain.reports.statistics import MonthlyStatistics, Upcoming

SNAPSHOT = Path(__file__).parent / "messages.json"
NOTIFICATIONS = {
    "approved", "rejected", "blocked", "unblocked", "request_new", "request_accepted", "request_rejected",
    "request_released", "request_opened", "request_changed", "request_completed", "request_closed",
    "request_cancelled", "request_expired", "request_reviewed", "export_done", "export_failed", "admin_account_changed",
    "photo_approved", "photo_rejected", "request_on_the_way", "request_running_late", "request_arrived",
    "request_on_time", "request_started", "request_step_undone", "request_due_tomorrow", "request_due_soon",
    "request_offer_made", "request_offer_withdrawn", "request_offer_accepted", "request_offer_ended",
    "request_line_proposed", "request_line_approved", "request_line_declined", "request_line_withdrawn",
}  # fmt: skip
VALUES = {
    "task": "Plumbing", "date": "2026-12-01T04:30:00+00:00", "professional": "Ravi (Rao & Sons)", "customer": "Asha",
    "reason": "Too far away", "note": "Ask us.", "remarks": "Ring twice", "pincode": "560001", "phone": "+919876543210",
    "rating": 5, "comment": "Quick and kind", "changes": ["date", "address"], "rows": "12 rows", "username": "asha",
    "expires": "2026-12-08T04:30:00+00:00", "minutes": 60, "link": "https://doorstep.test/app/x?token=t",
    "email": "asha@example.org", "waiting_title": "2 requests wait", "waiting_body": "2 requests wait.",
    "change": "New admin", "days": 7, "account_id": 3,
    "visit_body": "It has been a while.", "month": "November 2026", "period": "2026-11", "requested": 3, "closed": 2,
    "spent": "998.00", "silent": "Ravi (Rao & Sons)", "gone": "Sita (Sita Works)", "code": "123456",
    "more": "7 more new requests", "limit": 60,
    "line": "New tap", "why": "The customer accepted another offer.", "amount": "₹250", "total": "₹749",
}  # fmt: skip

REMINDER = {
    "waiting_title": phrase("requests_waiting", n=2), "waiting_more": 1,
    "waiting_body": phrase("next_request", task="Plumbing", date="2026-12-01T04:30:00+00:00", pincode="560001"),
    "visit_body": phrase("not_signed_in"),
    "waiting": [{"id": 7, "task": "Plumbing", "when": {"time": "2026-12-01T04:30:00+00:00"}, "pincode": "560001"}],
}  # fmt: skip
REPORT = wording.params(
    Month(2026, 10),
    MonthlyStatistics(
        requested=1, accepted=0, completed=0, closed=0, cancelled=0, spent=Decimal(100499), currency="INR",
        professionals_met=0, reviews_given=0, upcoming_count=2, generated_at=datetime(2026, 10, 31, tzinfo=UTC),
        upcoming=(Upcoming(7, "Plumbing", "accepted", datetime(2026, 12, 1, tzinfo=UTC)),),
    ),
    unfinished=True,
)  # fmt: skip


def test_in_app_kinds_are_the_documented_ones() -> None:
    assert {kind for kind, said in KINDS.items() if said.in_app} == NOTIFICATIONS


def test_messages_match_reviewed_snapshot(app: Flask) -> None:
    """Regenerate the snapshot by running the test with an empty messages.json."""
    said = {kind: {"full": _plain(kind, VALUES), "bare": _plain(kind, {})} for kind in KINDS}
    if SNAPSHOT.stat().st_size == 0:
        SNAPSHOT.write_text(json.dumps(said, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    assert said == json.loads(SNAPSHOT.read_text(encoding="utf-8"))


def _plain(kind: str, params: dict[str, object], language: str = "en") -> list[str]:
    filled = render(kind, params, request_id=7, language=language)
    return [filled.title, filled.body, filled.action, filled.url]


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("kind", KINDS)
def test_messages_without_parameters_have_no_placeholders(app: Flask, kind: str, language: str) -> None:
    for params in (VALUES, {}):
        for text in _plain(kind, params, language):
            assert "{" not in text
            assert "None" not in text


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("kind", [kind for kind, rules in KINDS.items() if rules.channel == "mail"])
def test_mail_of_every_kind_renders_in_every_language(app: Flask, kind: str, language: str) -> None:
    written = letter(_outbound(kind, language))
    for text in (written.subject, written.text, written.html):
        assert "{" not in re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL)
        assert "None" not in text
    assert f'lang="{language}"' in written.html
    if language == "hi":
        assert "नमस्ते Asha," in written.text
        english = letter(_outbound(kind, "en"))
        prose = {line for line in english.text.splitlines() if " " in line and not line.startswith(("> ", "  http"))}
        assert not prose & set(written.text.splitlines()), "no line is left in English"


def _outbound(kind: str, language: str) -> OutboundMessage:
    worded = {
        "more": phrase("more_requests", n=7),
        "change": phrase("changes.admin_created"),
        "rows": phrase("rows", n=12),
        "why": phrase("offer_ends.chosen"),
    }
    params = {**VALUES, **worded, **REPORT, **REMINDER}
    contact = Contact(3, "Asha", "asha@example.org", True, None, False, None, language)
    shown = render(kind, params, request_id=7, language=language, without_links=True)
    return OutboundMessage(1, kind, "<1@doorstep.test>", contact, message(kind), shown, params)


def test_values_stored_as_data_are_worded_in_the_language(app: Flask) -> None:
    assert render("report", REPORT, language="hi").title == "आपकी मासिक रिपोर्ट: अक्टूबर 2026 (जारी)"
    assert render("report", REPORT).body == "Requested: 1. Closed: 0. Spent: \u20b91,00,499.00."
    assert render("export_done", {"rows": phrase("rows", n=1)}).body == "The file has 1 row."
    assert "12,34,567 पंक्तियाँ" in render("export_done", {"rows": phrase("rows", n=1234567)}, language="hi").body
    assert render("reminder", REMINDER, language="hi").title == "2 रिक्वेस्ट आपके जवाब के इंतज़ार में हैं"
    assert "मंगल, 1 दिसंबर 2026, 10:00 am" in render("request_closed", VALUES, language="hi").body


def test_values_stored_as_text_before_languages_are_shown_as_they_are(app: Flask) -> None:
    assert render("report", VALUES, language="hi").title == "आपकी मासिक रिपोर्ट: November 2026"


def test_message_with_braces_in_user_input_keeps_them(app: Flask) -> None:
    typed = "{link} {0.__class__} %s"
    assert _plain("rejected", {"reason": typed})[1].startswith(f"Reason: {typed}")


@pytest.mark.parametrize("typed", ["2026-12-01T04:30:00+00:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59"])
def test_message_with_date_in_user_input_keeps_it_as_typed(app: Flask, typed: str) -> None:
    assert f"Remarks: {typed}." in _plain("request_new", {**VALUES, "remarks": typed})[1]


@pytest.mark.parametrize("name", ["notification", "reminder"])
def test_mail_templates_render_html_escaped_and_plain_text(app: Flask, name: str) -> None:
    filled = render("request_accepted", VALUES, request_id=7, without_links=True)
    waiting = [{"id": 7, "task": "<b>Plumbing</b>", "when": "Tue 1 Dec 2026, 10:00 am", "pincode": "560001"}]
    values = {
        "words": filled,
        "firstname": "<Asha>",
        "market": "Doorstep",
        "home": "https://doorstep.test",
        **template_values("en"),
    }
    html = render_template(f"mail/{name}.html", waiting=waiting, unsubscribe="https://u.test", **values)
    plain = render_template(f"mail/{name}.txt", waiting=waiting, unsubscribe="https://u.test", **values)
    assert "&lt;Asha&gt;" in html
    assert "<b>" not in html
    assert "<Asha>" in plain
    assert "https://u.test" in html
    assert "https://u.test" in plain


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("Sign in at https://evil.example/doorstep", "Sign in at https[:]//evil[.]example/doorstep"),
        ("www.evil.example, or mailto:a@evil.example", "www[.]evil[.]example, or mailto[:]a@evil[.]example"),
        ("HTTP://1.2.3.4/x and evil\u3002example", "HTTP[:]//1.2.3.4/x and evil[.]example"),
        ("Ring twice. Gate 2.5 m, e.g. at 10.30: thanks", "Ring twice. Gate 2.5 m, e.g. at 10.30: thanks"),
        ("दो बार घंटी बजाएँ।", "दो बार घंटी बजाएँ।"),
        ("मेरी.com and दुकान.भारत", "मेरी[.]com and दुकान[.]भारत"),
        ("evil-.example, evil_.example", "evil-[.]example, evil_[.]example"),
        ("www.7.example", "www[.]7[.]example"),
    ],
)
def test_unlinked_breaks_addresses_and_keeps_other_text(typed: str, shown: str) -> None:
    assert unlinked(typed) == shown


def test_mail_quotes_user_input_without_links(app: Flask) -> None:
    typed = {**VALUES, "remarks": "Your account will be closed.\nSign in at https://evil.example/doorstep"}
    filled = render("request_new", typed, request_id=7, without_links=True)
    values = {
        "words": filled,
        "firstname": "Ravi",
        "market": "Doorstep",
        "home": "https://doorstep.test",
        **template_values("en"),
    }
    plain = render_template("mail/notification.txt", **values)
    assert "Remarks:\n> Your account will be closed.\n> Sign in at https[:]//evil[.]example/doorstep\n" in plain
    html = render_template("mail/notification.html", **values)
    quote = html.partition("<blockquote")[2].partition("</blockquote>")[0]
    assert "Your account will be closed." in quote
    assert "evil.example" not in html
    assert render("request_new", typed, request_id=7).body.count("https://evil.example") == 1, "as typed in the app"


def test_mail_title_with_link_in_name_is_unlinked(app: Flask) -> None:
    filled = render("request_rejected", {**VALUES, "professional": "Go to evil.example"}, without_links=True)
    assert filled.title == "Go to evil[.]example declined your request: Plumbing"


@pytest.mark.parametrize("kind", ["password_reset", "email_changed", "email_left", "email_restored"])
def test_account_mail_with_link_in_username_is_unlinked(app: Flask, kind: str) -> None:
    """Anyone can sign up with another user's email and a username that is a web address."""
    filled = render(kind, {**VALUES, "username": "www.evil.example"}, without_links=True)
    values = {
        "words": filled,
        "firstname": "Asha",
        "market": "Doorstep",
        "home": "https://doorstep.test",
        **template_values("en"),
    }
    for form in ("html", "txt"):
        shown = render_template(f"mail/notification.{form}", **values, account_mail=True)
        assert "www[.]evil[.]example" in shown
        assert "evil.example" not in shown
    assert "[.]" not in filled.url, "the button's own URL is unchanged"


def test_admin_notification_with_link_in_username_is_unlinked(app: Flask) -> None:
    filled = render("admin_account_changed", {**VALUES, "username": "evil.example"}, without_links=True)
    assert filled.title == "New admin: evil[.]example"
    assert "evil.example" not in filled.body
    assert render("admin_account_changed", {**VALUES, "username": "evil.example"}).title == "New admin: evil.example"
