"""Limits of a visit at their boundary and one beyond it: the error names field and limit, in English and in Hindi."""

import re
from decimal import Decimal
from typing import Final

import pytest

from backend.core.db.session import db, transaction
from backend.domain.conversations.models import ConversationMessage
from backend.domain.photos.models import RequestPhoto
from tests.factories.offers import Quote
from tests.factories.photos import send_message_photo, send_photo
from tests.factories.price_lines import EXTRA, propose
from tests.factories.requests import RequestMarket
from tests.factories.users import User, Users
from tests.factories.visits import Visit

DEVANAGARI: Final = re.compile("[\u0900-\u097f]")
LONG: Final = {
    "a letter": "x",
    "a vowel sign": "\u0915\u093f",
    "an emoji": "\U0001f600",
    "a flag": "\U0001f1ee\U0001f1f3",
}


@pytest.fixture
def visit(users: Users) -> Visit:
    return Visit(users)


def in_both_languages(who: User, path: str, body: object) -> dict[str, str]:
    """Make a refused call in both languages; return the message of each, which must differ in language only."""
    answers = {language: who.post(path, body, headers={"Accept-Language": language}) for language in ("en", "hi")}
    assert {answer.json["code"] for answer in answers.values()} == {answers["en"].json["code"]}
    assert not DEVANAGARI.search(answers["en"].json["detail"])
    assert DEVANAGARI.search(answers["hi"].json["detail"]), answers["hi"].json
    return {language: answer.json["detail"] for language, answer in answers.items()}


@pytest.mark.parametrize("unit", LONG.values(), ids=LONG.keys())
def test_message_of_two_thousand_characters_counts_code_points(visit: Visit, unit: str) -> None:
    body = (unit * 2000)[:2000]
    sent = visit.asha.post(f"{visit.path}/messages", {"body": body})
    assert (sent.status_code, sent.json["body"]) == (201, body)
    said = in_both_languages(visit.asha, f"{visit.path}/messages", {"body": f"{body}x"})
    assert all(detail.startswith("body: ") and re.search("2,?000", detail) for detail in said.values()), said


def add_photos(visit: Visit, who: User, phase: str, slots: range) -> None:
    """Add rows of photos without files, for messages with their messages."""
    with transaction():
        for slot in slots:
            key, message = f"{phase}-{slot}", None
            if phase == "message":
                message = ConversationMessage(
                    request_id=visit.id, professional_id=visit.ravi.id, author_id=who.id, author_role=who.role,
                    body="", masked=False,
                )  # fmt: skip
                db.session.add(message)
                db.session.flush()
            photo = RequestPhoto(
                request_id=visit.id, author_id=who.id, author_role=who.role, phase=phase, slot=slot, width=1, height=1,
                size=1, sha256=key, store_key=key, thumb_size=1, thumb_sha256=key, thumb_store_key=f"{key}-thumb",
                message_id=message and message.id, professional_id=message and visit.ravi.id,
            )  # fmt: skip
            db.session.add(photo)


def test_twelfth_photo_of_a_phase_is_the_last_and_error_says_what_to_do(visit: Visit) -> None:
    add_photos(visit, visit.ravi, "before", range(2, 13))
    assert send_photo(visit.ravi, visit.id, "before").status_code == 201
    refused = send_photo(visit.ravi, visit.id, "before")
    assert refused.json["detail"] == "You can add up to 12 photos here. Delete one first."
    hindi = send_photo(visit.ravi, visit.id, "before", headers={"Accept-Language": "hi"})
    assert "12" in hindi.json["detail"]
    assert DEVANAGARI.search(hindi.json["detail"])


def test_checklist_of_twenty_points_is_the_longest(users: Users) -> None:
    market, admin = RequestMarket(users), users.admin()
    path = f"/tasks/{market.task_id}/checklist"
    points = [{"text": f"Point {number}"} for number in range(21)]
    assert admin.put(path, {"points": points[:20]}).status_code == 200
    for language in ("en", "hi"):
        refused = admin.put(path, {"points": points}, headers={"Accept-Language": language})
        assert (refused.status_code, list(refused.json["errors"])) == (422, ["points"])
        assert "20" in refused.json["detail"]
        assert bool(DEVANAGARI.search(refused.json["detail"])) == (language == "hi"), refused.json["detail"]


def test_sixth_offer_is_refused_and_error_says_what_to_do(users: Users) -> None:
    quote = Quote(users)
    for who in (quote.ravi, *(quote.market.professional() for _ in range(4))):
        assert quote.offer(who)["state"] == "live"
    said = in_both_languages(quote.sita, f"{quote.path}/offers", {"amount": "700.00"})
    assert said["en"] == "This request already has 5 offers. Try again when one has ended."
    assert "5" in said["hi"]


@pytest.mark.parametrize(("percent", "most"), [(1, "4.99"), (20, "99.80"), (33, "164.67"), (100, "499.00")])
def test_cap_in_percent_is_exact_to_the_last_paisa(users: Users, percent: int, most: str) -> None:
    visit = Visit(users, {"extra_work_cap_percent": percent})
    over = {**EXTRA, "unit_amount": str(Decimal(most) + Decimal("0.01"))}
    said = in_both_languages(visit.ravi, f"{visit.path}/price_lines", over)
    assert said["en"] == f"Price lines may add at most {percent} percent to the agreed price. Propose a smaller amount."
    assert str(percent) in said["hi"]
    assert propose(visit, unit_amount=most)["amount"] == most


def test_photos_in_messages_beyond_the_limit_are_sent_with_the_request(visit: Visit) -> None:
    first = send_message_photo(visit.asha, visit.id)
    assert first.status_code == 201
    add_photos(visit, visit.asha, "message", range(2, 49))
    refused = send_message_photo(visit.asha, visit.id)
    assert (refused.status_code, refused.json["code"]) == (409, "too_many_photos")
    assert refused.json["detail"] == (
        "You can send up to 48 photos in the messages of a request. Add further photos to the request."
    )
