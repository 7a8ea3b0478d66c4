"""The activity of a request for admins, as JSON and as a PDF of evidence."""

import io
import re
from collections.abc import Collection
from typing import Any

import pytest
from pypdf import PdfReader
from sqlalchemy import text

from backend.core import child_process, pdf
from backend.core.child_process import ChildTimedOut
from backend.core.db.session import db, transaction
from backend.core.translations import say
from backend.domain.notifications.messages import KINDS
from backend.domain.notifications.preferences import CHANNELS
from backend.domain.photos.access import MESSAGE, Phase
from backend.domain.price_lines.amounts import Kind
from backend.domain.task_requests.lifecycle import REASONS, Action, Status
from tests.factories.requests import WHY, RequestMarket, at, do
from tests.factories.users import User, Users

PDF = {"Accept": "application/pdf"}
EARLIER = text("""
    UPDATE task_requests
       SET created_at = created_at - interval '1 hour', accepted_at = accepted_at - interval '1 hour'
""")


@pytest.fixture
def market(users: Users) -> RequestMarket:
    return RequestMarket(users)


def activity(admin: User, request_id: int) -> dict[str, Any]:
    answer = admin.get(f"/requests/{request_id}/activity")
    assert answer.status_code == 200, answer.json
    assert answer.headers["Cache-Control"] == "private, no-store"
    return dict(answer.json)


def evidence(admin: User, request_id: int, **headers: str) -> PdfReader:
    answer = admin.get(f"/requests/{request_id}/activity", headers={**PDF, **headers})
    assert answer.status_code == 200, answer.json
    assert answer.mimetype == "application/pdf"
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="request-{request_id}-activity.pdf"'
    return PdfReader(io.BytesIO(answer.data))


def root_of(reader: PdfReader) -> Any:
    """Return the catalogue of the file."""
    return reader.trailer["/Root"]


def words_of(reader: PdfReader) -> str:
    return re.sub(r"\s+", " ", " ".join(page.extract_text() for page in reader.pages))


def entries_of(admin: User, action: str) -> list[dict[str, Any]]:
    return list(admin.get(f"/audit?action={action}").json["items"])


def reviewed(market: RequestMarket, customer: User, professional: User) -> int:
    made = market.bring_to("accepted", customer, professional, remarks="Blue gate")
    path = f"/requests/{made['id']}"
    with transaction():  # accepted so long ago that an earlier step can be reported
        db.session.execute(EARLIER)
    do(professional, f"{path}/on_the_way", {"at": at(minutes=-5), "eta_minutes": 20})
    do(professional, f"{path}/arrive")
    do(customer, f"{path}/start")
    do(professional, f"{path}/complete")
    do(customer, f"{path}/close")
    do(customer, f"{path}/review", {"rating": 2, "comment": "The tap still drips"})
    do(professional, f"{path}/review/reply", {"reply": "I come again"})
    return int(made["id"])


def test_activity_has_every_part_in_order_with_claimed_and_recorded_times(users: Users, market: RequestMarket) -> None:
    asha, ravi, admin = users.customer(), market.professional(), users.admin()
    request_id = reviewed(market, asha, ravi)
    found = activity(admin, request_id)
    items = found["items"]
    assert [one["received_at"] for one in items] == sorted(one["received_at"] for one in items)
    actions = [one["action"] for one in items if one["source"] == "history"]
    assert actions == ["create", "accept", "on_the_way", "arrive", "start", "complete", "close", "review"]
    [way] = [one for one in items if one["action"] == "on_the_way"]
    assert way["at"] < way["received_at"]
    assert "eta_at" in way["details"]
    [review] = [one for one in items if one["action"] == "review"]
    assert (review["note"], review["details"]["rating"]) == ("The tap still drips", 2)
    [reply] = [one for one in items if one["source"] == "reviews"]
    assert (reply["action"], reply["actor_id"], reply["note"]) == ("reply", ravi.id, "I come again")
    accepted = [one["action"] for one in items].index("accept")
    told = [one["details"].get("kind") for one in items].index("request_accepted")
    assert accepted < told
    assert found["unreported_messages"] == 0
    assert activity(admin, request_id)["sha256"] == found["sha256"]


def test_messages_are_in_activity_only_while_reported_and_each_reading_is_recorded(
    users: Users, market: RequestMarket
) -> None:
    asha, ravi, admin = users.customer(), market.professional(), users.admin()
    request_id = market.bring_to("accepted", asha, ravi)["id"]
    for author in (asha, ravi):
        do(author, f"/requests/{request_id}/messages", {"body": "The gate is green"})
    before = activity(admin, request_id)
    assert (before["unreported_messages"], [one for one in before["items"] if one["source"] == "messages"]) == (2, [])
    assert "gate is green" not in words_of(evidence(admin, request_id))
    assert "2 messages are not shown" in words_of(evidence(admin, request_id))
    assert entries_of(admin, "conversation_viewed") == []
    assert asha.post(f"/requests/{request_id}/messages/report", WHY).status_code == 204
    after = activity(admin, request_id)
    assert [one["note"] for one in after["items"] if one["source"] == "messages"] == ["The gate is green"] * 2
    assert after["unreported_messages"] == 0
    assert after["sha256"] != before["sha256"]
    assert "gate is green" in words_of(evidence(admin, request_id))
    assert len(entries_of(admin, "conversation_viewed")) == 2


def test_evidence_is_accessible_and_names_its_digest_and_maker(users: Users, market: RequestMarket) -> None:
    asha, ravi, admin = users.customer(firstname="Asha"), market.professional(), users.admin(firstname="Meera")
    request_id = reviewed(market, asha, ravi)
    digest = activity(admin, request_id)["sha256"]
    reader = evidence(admin, request_id)
    root = root_of(reader)
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "en"
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert b"pdfuaid" in root["/Metadata"].get_object().get_data()
    assert reader.metadata is not None
    assert reader.metadata.title == f"Activity of request {request_id}: Plumbing"
    found = words_of(reader)
    for words in ("The tap still drips", "On the way", "Blue gate", "Meera", admin.username, digest[:20]):
        assert words in found.replace("- ", ""), words
    [made] = entries_of(admin, "evidence_made")
    assert (made["actor_id"], made["subject_id"], made["after"]["sha256"]) == (admin.id, request_id, digest)


def test_evidence_is_in_language_of_reader(users: Users, market: RequestMarket) -> None:
    asha, ravi, admin = users.customer(), market.professional(), users.admin()
    request_id = market.bring_to("cancelled", asha, ravi)["id"]
    reader = evidence(admin, request_id, **{"Accept-Language": "hi"})
    assert root_of(reader)["/Lang"] == "hi"
    assert reader.metadata is not None
    assert reader.metadata.title == f"रिक्वेस्ट {request_id} की गतिविधि: Plumbing"
    pages: list[Any] = list(reader.pages)
    fonts = {str(font["/BaseFont"]) for page in pages for font in page["/Resources"]["/Font"].values()}
    assert all("Hind" in font for font in fonts)


@pytest.mark.parametrize("language", ["en", "hi"])
def test_evidence_has_a_word_for_each_name_of_the_program(language: str) -> None:
    names: dict[str, Collection[str]] = {
        "states": [status.value for status in Status],
        "actions": [*(action.public for action in Action), "add_photo", "delete_photo", "write", "notify"],
        "phases": [*(phase.value for phase in Phase), MESSAGE],
        "channels": CHANNELS,
        "delivery_states": ["waiting", "sent", "failed", "skipped"],
        "kinds": [*(kind.value for kind in Kind), *(kind for kind in KINDS if kind.startswith("request"))],
        "reasons": {code for codes in REASONS.values() for code in codes},
    }
    for table, of_table in names.items():
        for name in of_table:
            assert say(language, f"evidence.{table}.{name}"), (table, name)


def test_evidence_takes_what_users_typed_as_plain_text(users: Users, market: RequestMarket) -> None:
    asha, ravi, admin = users.customer(), market.professional(), users.admin()
    typed = '#panic("x") *bold* $x$ \\ #read("/etc/passwd") @a <b> [c] {0} {n}'
    request_id = market.ask(asha, remarks=typed)["id"]
    do(ravi, f"/requests/{request_id}/accept")
    assert typed.replace(" ", "") in words_of(evidence(admin, request_id)).replace(" ", "")


def test_activity_is_for_admins_and_in_two_formats(users: Users, market: RequestMarket) -> None:
    asha, admin = users.customer(), users.admin()
    path = f"/requests/{market.ask(asha)['id']}/activity"
    assert asha.get(path).status_code == 403
    assert admin.get("/requests/999999/activity").status_code == 404
    assert admin.get(path, headers={"Accept": "text/csv"}).status_code == 406
    assert admin.get(path, headers={"Accept": "application/json, application/pdf;q=0.5"}).mimetype == "application/json"
    for _ in range(2):
        assert admin.get(path).status_code == 200
    assert len(entries_of(admin, "activity_viewed")) == 1


def test_evidence_that_takes_too_long_leaves_no_entry(
    users: Users, market: RequestMarket, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(*_: object, **__: object) -> None:
        raise ChildTimedOut("backend.core.pdf")

    asha, admin = users.customer(), users.admin()
    request_id = market.ask(asha)["id"]
    monkeypatch.setattr(child_process, "run", run)
    answer = admin.get(f"/requests/{request_id}/activity", headers=PDF)
    assert (answer.status_code, answer.json["detail"]) == (503, pdf.FAILED)
    assert entries_of(admin, "evidence_made") == []


def test_long_activity_goes_over_several_pages(users: Users, market: RequestMarket) -> None:
    asha, ravi, admin = users.customer(), market.professional(), users.admin()
    request_id = market.bring_to("accepted", asha, ravi)["id"]
    for number in range(40):
        assert asha.patch(f"/requests/{request_id}", {"remarks": f"Door number {number}"}).status_code == 200
    reader = evidence(admin, request_id)
    assert len(reader.pages) > 1
    found = words_of(reader)
    assert "Door number 0" in found
    assert "Door number 39" in found
