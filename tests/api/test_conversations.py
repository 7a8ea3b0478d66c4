"""Conversations over HTTP: who reads and writes, what is hidden, what is unread, reports and their readers."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import text

from backend.api.rate_limits import RateLimits
from backend.core.clock import now
from backend.core.db.session import db, transaction
from tests.factories.queries import count_queries
from tests.factories.requests import WHY, RequestMarket, at, do
from tests.factories.users import User, Users

PHONE = "98765 43210"


@pytest.fixture
def market(users: Users) -> RequestMarket:
    return RequestMarket(users)


def say(who: User, request: dict[str, Any], body: str, **more: Any) -> dict[str, Any]:
    """Write a message, which must succeed."""
    return do(who, f"/requests/{request['id']}/messages", {"body": body, **more})


def read(who: User, request: dict[str, Any], query: str = "") -> list[str]:
    """Return the texts of a conversation."""
    answer = who.get(f"/requests/{request['id']}/messages{query}")
    assert answer.status_code == 200, answer.json
    return [message["body"] for message in answer.json["items"]]


def code_of(who: User, request: dict[str, Any], body: dict[str, Any]) -> tuple[int, str | None]:
    """Write a message, which must fail; return status and code."""
    answer = who.post(f"/requests/{request['id']}/messages", body)
    return answer.status_code, (answer.json or {}).get("code")


def audited(action: str) -> list[Any]:
    found = db.session.execute(
        text("SELECT actor_id, subject_id, after FROM audit_entries WHERE action = :action ORDER BY id"),
        {"action": action},
    ).all()
    db.session.rollback()
    return list(found)


def test_message_has_fields_of_contract_and_is_read_by_both(market: RequestMarket, users: Users) -> None:
    asha, ravi = users.customer(), market.professional()
    request = market.bring_to("accepted", asha, ravi)
    answer = asha.post(f"/requests/{request['id']}/messages", {"body": "  The gate is green \r\n "})
    assert answer.status_code == 201
    assert answer.json | {"id": 0, "created_at": ""} == {
        "id": 0,
        "author_id": asha.id,
        "author_role": "customer",
        "body": "The gate is green",
        "masked": False,
        "created_at": "",
        "read": False,
        "photo_id": None,
    }
    assert ravi.get(f"/requests/{request['id']}/messages").json == {"items": [answer.json], "next_cursor": None}
    say(ravi, request, "On my way")
    assert read(asha, request) == read(ravi, request) == ["The gate is green", "On my way"]


@pytest.mark.parametrize("body", [{}, {"body": ""}, {"body": " \u200b "}, {"body": "x" * 2001}, {"body": 3}, {"x": 1}])
def test_message_with_invalid_body_is_rejected(market: RequestMarket, users: Users, body: dict[str, Any]) -> None:
    asha, ravi = users.customer(), market.professional()
    request = market.bring_to("accepted", asha, ravi)
    assert code_of(asha, request, body)[0] == 422
    assert asha.post(f"/requests/{request['id']}/messages", {"body": "x" * 2000}).status_code == 201


def test_conversation_opens_when_asked_or_accepted_only(market: RequestMarket, users: Users) -> None:
    asha, ravi, sita = users.customer(), market.professional(), market.professional()
    for_all = market.ask(asha)
    assert read(asha, for_all) == []
    assert code_of(asha, for_all, {"body": "Hello"}) == (409, "conversation_closed")
    assert code_of(ravi, for_all, {"body": "Hello"}) == (404, "not_found")
    asked = market.ask(asha, professional_id=ravi.id)
    say(asha, asked, "Can you come?")
    say(ravi, asked, "Yes")
    assert code_of(sita, asked, {"body": "I can"}) == (404, "not_found")
    do(ravi, f"/requests/{for_all['id']}/accept")
    say(ravi, for_all, "Accepted")


@pytest.mark.parametrize("end", ["complete", "close", "cancel"])
def test_conversation_closes_seven_days_after_end(market: RequestMarket, users: Users, end: str) -> None:
    asha, ravi = users.customer(), market.professional()
    request = market.bring_to("accepted", asha, ravi)
    do(asha, f"/requests/{request['id']}/{end}", WHY if end == "cancel" else None)
    say(ravi, request, "Thank you")
    with time_machine.travel(now() + timedelta(days=6, hours=23), tick=False):
        asha = users.sign_in(asha.username)
        say(asha, request, "One question")
    with time_machine.travel(now() + timedelta(days=7, minutes=1), tick=False):
        asha = users.sign_in(asha.username)
        assert code_of(asha, request, {"body": "Another"}) == (409, "conversation_closed")
        assert read(asha, request) == ["Thank you", "One question"]


def test_conversation_of_expired_request_closes_after_seven_days(market: RequestMarket, users: Users) -> None:
    asha, ravi = users.customer(), market.professional()
    request = market.ask(asha, professional_id=ravi.id)
    say(asha, request, "Can you come?")
    with transaction():
        expired = text("UPDATE task_requests SET status = 'expired', asked_until = NULL, expired_at = :at")
        db.session.execute(expired, {"at": now() - timedelta(days=6)})
    say(ravi, request, "Sorry, I was away")
    with transaction():
        db.session.execute(text("UPDATE task_requests SET expired_at = :at"), {"at": now() - timedelta(days=8)})
    assert code_of(ravi, request, {"body": "Hello?"}) == (409, "conversation_closed")


def test_contact_details_are_hidden_until_acceptance(market: RequestMarket, users: Users) -> None:
    asha, ravi = users.customer(), market.professional()
    request = market.ask(asha, professional_id=ravi.id)
    hidden = say(asha, request, f"Call {PHONE} or asha@example.org, PIN 560001")
    assert (hidden["body"], hidden["masked"]) == ("Call ••• or •••, PIN 560001", True)
    assert say(ravi, request, "It costs ₹1,200")["masked"] is False
    do(ravi, f"/requests/{request['id']}/accept")
    shown = say(asha, request, f"Call {PHONE}")
    assert (shown["body"], shown["masked"]) == (f"Call {PHONE}", False)
    assert read(ravi, request)[0] == hidden["body"], "what was hidden stays hidden"
    kept = db.session.execute(text("SELECT count(*) FROM messages WHERE body LIKE '%example.org%'")).scalar_one()
    assert kept == 0
    edited = asha.patch(f"/requests/{request['id']}", {"date_of_request": at(days=3)})
    assert edited.json["status"] == "requested"
    assert say(asha, request, f"Call {PHONE}")["masked"] is True, "a new date withdraws the acceptance"


def test_number_in_parts_is_hidden_until_acceptance(market: RequestMarket, users: Users) -> None:
    asha, ravi = users.customer(), market.professional()
    request = market.ask(asha, professional_id=ravi.id)
    assert say(asha, request, "98765")["masked"] is False
    say(ravi, request, "Yes?")
    say(asha, request, "Two fans")
    hidden = say(asha, request, "43210, after 10:30")
    assert (hidden["body"], hidden["masked"]) == ("•••, after 10:30", True)
    assert say(asha, request, "43210")["masked"] is True, "what was hidden is not forgotten"
    assert say(ravi, request, "43210")["masked"] is False, "the parts are of two users"
    assert ravi.get(f"/requests/{request['id']}").json["unread_messages"] == 4
    do(ravi, f"/requests/{request['id']}/accept")
    assert say(asha, request, "43210")["body"] == "43210"


def test_contact_details_and_phones_are_hidden_where_setting_says_masked(market: RequestMarket, users: Users) -> None:
    asha, ravi = users.customer(phone="+919876543210"), market.professional(phone="+919876543211")
    admin = users.admin()
    request = market.bring_to("accepted", asha, ravi)
    path = f"/requests/{request['id']}"
    assert ravi.get(path).json["customer"]["phone"] == "+919876543210"
    assert admin.get("/settings").json["contact"] == "shown"
    assert admin.patch("/settings", {"contact": "perhaps"}).status_code == 422
    assert admin.patch("/settings", {"contact": "masked"}).json["contact"] == "masked"
    assert say(asha, request, f"Call {PHONE}")["masked"] is True
    for reader in (asha, ravi):
        for shown in (reader.get(path).json, reader.get("/requests?scope=mine").json["items"][0]):
            assert shown["customer"]["phone"] is None
            assert shown["professional"]["phone"] is None
            assert shown["customer"]["firstname"]
    assert admin.get(path).json["customer"]["phone"] == "+919876543210"
    other = market.ask(asha, date_of_request=at(days=5))
    assert do(ravi, f"/requests/{other['id']}/accept")["customer"]["phone"] is None
    latest = asha.get("/notifications").json["items"][0]
    assert (latest["kind"], latest["request_id"]) == ("request_accepted", other["id"])
    assert "98765" not in latest["body"]
    assert admin.patch("/settings", {"contact": "shown"}).status_code == 200
    assert ravi.get(path).json["customer"]["phone"] == "+919876543210"


def test_released_professional_reads_only_own_conversation(market: RequestMarket, users: Users) -> None:
    asha, ravi, sita = users.customer(), market.professional(), market.professional()
    request = market.bring_to("accepted", asha, ravi)
    say(asha, request, "The gate is green")
    do(ravi, f"/requests/{request['id']}/release", WHY)
    assert code_of(ravi, request, {"body": "One more thing"}) == (409, "conversation_closed")
    assert code_of(asha, request, {"body": "Why?"}) == (409, "conversation_closed")
    do(sita, f"/requests/{request['id']}/accept")
    assert ravi.get(f"/requests/{request['id']}").status_code == 404
    say(sita, request, "I am coming instead")
    assert read(ravi, request) == ["The gate is green"]
    assert read(sita, request) == ["I am coming instead"]
    assert ravi.get(f"/requests/{request['id']}/messages?professional_id={sita.id}").status_code == 422
    assert [item["professional_id"] for item in ravi.get("/me/conversations").json["items"]] == [ravi.id]
    assert not ravi.get("/me/conversations").json["items"][0]["current"]
    theirs = ravi.get(f"/requests/{request['id']}/conversations").json["items"]
    assert [(one["professional_id"], one["open"]) for one in theirs] == [(ravi.id, False)]


def test_customer_with_several_conversations_names_the_professional(market: RequestMarket, users: Users) -> None:
    asha, ravi, sita = users.customer(), market.professional(), market.professional()
    request = market.bring_to("accepted", asha, ravi)
    say(asha, request, "The gate is green")
    do(ravi, f"/requests/{request['id']}/release", WHY)
    do(sita, f"/requests/{request['id']}/accept")
    path = f"/requests/{request['id']}/messages"
    for answer in (
        asha.get(path),
        asha.post(path, {"body": "Hello"}),
        asha.post(f"{path}/read", {"up_to": 1}),
        asha.post(f"{path}/report", WHY),
    ):
        assert answer.status_code == 422
        assert answer.json["code"] == "professional_id_required"
        assert str(sita.id) in answer.json["errors"]["professional_id"][0]
    say(asha, request, "Hello", professional_id=sita.id)
    assert read(asha, request, f"?professional_id={sita.id}") == ["Hello"]
    assert code_of(asha, request, {"body": "x", "professional_id": ravi.id}) == (409, "conversation_closed")
    assert code_of(asha, request, {"body": "x", "professional_id": asha.id}) == (422, "no_such_conversation")
    listed = asha.get(f"/requests/{request['id']}/conversations").json["items"]
    assert [(one["professional_id"], one["open"]) for one in listed] == [(sita.id, True), (ravi.id, False)]


def test_unread_messages_are_counted_per_request_and_in_all(market: RequestMarket, users: Users) -> None:
    asha, ravi = users.customer(), market.professional()
    first = market.bring_to("accepted", asha, ravi)
    second = market.ask(asha, professional_id=ravi.id, date_of_request=at(days=4))
    ids = [say(asha, first, f"Message {number}")["id"] for number in range(3)]
    say(asha, second, "And here")
    mine = {item["id"]: item["unread_messages"] for item in ravi.get("/requests?scope=mine").json["items"]}
    assert mine == {first["id"]: 3}
    assert [item["unread_messages"] for item in ravi.get("/requests").json["items"]] == [1]
    assert ravi.get(f"/requests/{first['id']}").json["unread_messages"] == 3
    assert asha.get(f"/requests/{first['id']}").json["unread_messages"] == 0
    assert ravi.get("/me/conversations?limit=1").json["unread_count"] == 4
    assert len(ravi.get("/me/conversations?unread=1").json["items"]) == 2
    path = f"/requests/{first['id']}/messages"
    assert ravi.post(f"{path}/read", {"up_to": ids[1]}).json == {"unread_count": 1}
    assert [message["read"] for message in asha.get(path).json["items"]] == [True, True, False]
    assert ravi.post(f"{path}/read", {"up_to": ids[0]}).json == {"unread_count": 1}, "it never goes back"
    assert ravi.post(f"{path}/read", {"up_to": 2**62}).json == {"unread_count": 0}
    say(asha, first, "A new one")
    assert ravi.get("/me/conversations").json["unread_count"] == 2, "ids that do not exist yet are not read"


def test_messages_are_paged_both_ways(market: RequestMarket, users: Users) -> None:
    asha, ravi = users.customer(), market.professional()
    request = market.bring_to("accepted", asha, ravi)
    for number in range(5):
        say(asha if number % 2 else ravi, request, str(number))
    for order, wanted in (("oldest", "01234"), ("newest", "43210")):
        found, query = "", f"?limit=2&order={order}"
        while True:
            page = asha.get(f"/requests/{request['id']}/messages{query}").json
            found += "".join(message["body"] for message in page["items"])
            if page["next_cursor"] is None:
                break
            query = f"?limit=2&order={order}&cursor={page['next_cursor']}"
        assert found == wanted
    page = asha.get(f"/requests/{request['id']}/messages?limit=2").json
    swapped = asha.get(f"/requests/{request['id']}/messages?order=newest&cursor={page['next_cursor']}")
    assert swapped.status_code == 422


def test_my_conversations_are_paged_by_last_message(market: RequestMarket, users: Users) -> None:
    asha, ravi = users.customer(), market.professional()
    requests = [market.bring_to("accepted", asha, ravi, date_of_request=at(days=day)) for day in range(1, 4)]
    for request in requests:
        say(ravi, request, f"About {request['id']}")
    say(asha, requests[0], "Thanks")
    first = asha.get("/me/conversations?limit=2").json
    rest = asha.get(f"/me/conversations?limit=2&cursor={first['next_cursor']}").json
    found = [(item["request_id"], item["last_body"]) for item in first["items"] + rest["items"]]
    latest = [requests[0], requests[2], requests[1]]
    assert [request_id for request_id, _ in found] == [request["id"] for request in latest]
    assert found[0][1] == "Thanks"
    assert rest["next_cursor"] is None


def test_message_with_idempotency_key_is_written_once(market: RequestMarket, users: Users, app: Flask) -> None:
    asha, ravi = users.customer(), market.professional()
    request = market.bring_to("accepted", asha, ravi)
    headers = {**asha.headers, "Idempotency-Key": "message-1"}
    path = f"/requests/{request['id']}/messages"
    first, again = (app.test_client().post(path, json={"body": "Hello"}, headers=headers) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json == again.json
    assert read(ravi, request) == ["Hello"]
    other = app.test_client().post(path, json={"body": "Goodbye"}, headers=headers)
    assert other.status_code == 422


def test_blocked_professional_leaves_a_closed_conversation(market: RequestMarket, users: Users) -> None:
    asha, ravi, admin = users.customer(), market.professional(), users.admin()
    request = market.bring_to("accepted", asha, ravi)
    say(asha, request, "Hello")
    do(admin, f"/users/{ravi.id}/block", {"reason": "other"})
    assert code_of(ravi, request, {"body": "Hello"}) == (403, "account_blocked")
    assert code_of(asha, request, {"body": "Hello?"}) == (409, "conversation_closed")
    assert read(asha, request) == ["Hello"]


def test_admin_reads_conversation_only_while_reported_and_each_reading_is_audited(
    market: RequestMarket, users: Users
) -> None:
    asha, ravi, admin = users.customer(), market.professional(), users.admin()
    request = market.bring_to("accepted", asha, ravi)
    path = f"/requests/{request['id']}/messages"
    assert asha.post(f"{path}/report", WHY).json["code"] == "conversation_empty"
    say(ravi, request, "Pay me in cash")
    assert admin.get(path).status_code == 404
    assert asha.post(f"{path}/report", {"reason": "x"}).status_code == 422
    assert asha.post(f"{path}/report", WHY).status_code == 204
    assert asha.post(f"{path}/report", WHY).json["code"] == "conversation_already_reported"
    assert ravi.post(f"{path}/report", WHY).status_code == 204
    assert admin.post(path, {"body": "Hello"}).status_code == 403
    for _ in range(2):
        assert read(admin, request) == ["Pay me in cash"]
    about = [(admin.id, request["id"], {"professional_id": ravi.id})] * 2
    assert [tuple(row) for row in audited("conversation_viewed")] == about
    assert [one["reported"] for one in admin.get(f"/requests/{request['id']}/conversations").json["items"]] == [True]
    reports = admin.get("/conversation_reports").json["items"]
    assert [(one["reporter_id"], one["reason"]) for one in reports] == [
        (ravi.id, WHY["reason"]),
        (asha.id, WHY["reason"]),
    ]
    for report in reports:
        assert read(admin, request) == ["Pay me in cash"]
        settled = admin.post(f"/conversation_reports/{report['id']}/settle", {"note": "Warned"})
        assert settled.status_code == 204
    assert admin.post(f"/conversation_reports/{reports[0]['id']}/settle").json["code"] == "report_settled"
    assert admin.post("/conversation_reports/999999/settle").status_code == 404
    assert admin.get(path).status_code == 404
    assert admin.get("/conversation_reports").json["items"] == []
    assert [one["note"] for one in admin.get("/conversation_reports?settled=1").json["items"]] == ["Warned"] * 2
    assert len(audited("conversation_report_settled")) == 2
    assert asha.post(f"{path}/report", WHY).status_code == 204, "after a settlement it can be reported again"


def test_reading_that_cannot_be_audited_shows_nothing(market: RequestMarket, users: Users, app: Flask) -> None:
    asha, ravi, admin = users.customer(), market.professional(), users.admin()
    request = market.bring_to("accepted", asha, ravi)
    say(ravi, request, "Pay me in cash")
    assert asha.post(f"/requests/{request['id']}/messages/report", WHY).status_code == 204
    with transaction():  # refused with COMMIT only, when the text has already been read
        db.session.execute(
            text("""
            CREATE CONSTRAINT TRIGGER refused AFTER INSERT ON audit_entries DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION refuse_change()""")
        )
    try:
        with app.test_request_context():
            app.testing = False
            answer = admin.get(f"/requests/{request['id']}/messages")
        assert answer.status_code >= 500
        assert "cash" not in answer.get_data(as_text=True)
    finally:
        app.testing = True
        with transaction():
            db.session.execute(text("DROP TRIGGER refused ON audit_entries"))


def test_messages_can_be_neither_changed_nor_deleted(market: RequestMarket, users: Users) -> None:
    asha, ravi = users.customer(), market.professional()
    request = market.bring_to("accepted", asha, ravi)
    say(asha, request, "Hello")
    for statement in ("UPDATE messages SET body = 'x'", "DELETE FROM messages"):
        with pytest.raises(Exception, match="append-only"), transaction():
            db.session.execute(text(statement))
        db.session.rollback()
    assert read(ravi, request) == ["Hello"]


def test_messages_are_limited_per_account_and_request(
    market: RequestMarket, users: Users, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    asha, ravi = users.customer(), market.professional()
    first = market.bring_to("accepted", asha, ravi)
    second = market.bring_to("accepted", asha, ravi, date_of_request=at(days=4))
    limited = replace(app.extensions["settings"], message_rate_limit="3 per hour", conversation_rate_limit="2 per hour")
    monkeypatch.setitem(app.extensions, "rate_limits", RateLimits(limited))
    say(asha, first, "One")
    say(asha, first, "Two")
    refused = asha.post(f"/requests/{first['id']}/messages", {"body": "Three"})
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) > 0
    assert code_of(asha, second, {"body": "Four"})[0] == 429, "the account's own limit"
    say(ravi, first, "The other side is not limited")


def test_lists_read_unread_messages_without_a_query_per_row(market: RequestMarket, users: Users) -> None:
    asha, ravi = users.customer(), market.professional()
    numbers = []
    for number in range(1, 4):
        request = market.bring_to("accepted", asha, ravi, date_of_request=at(days=number))
        say(ravi, request, "Hello")
        asha.get("/requests")
        with count_queries() as counted:
            assert len(asha.get("/requests").json["items"]) == number
        numbers.append(counted.number)
    assert len(set(numbers)) == 1
