"""Concurrent calls on one conversation: nothing is lost, doubled, or written after its end."""

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text

from backend.core.db.session import db, transaction
from backend.core.errors import DomainError
from backend.core.security.authz import Actor, Role
from backend.domain.conversations import actions
from backend.domain.conversations.models import ConversationMessage
from backend.domain.notifications.models import Delivery
from backend.domain.task_requests import actions as requests
from tests.factories.crowd import at_once
from tests.factories.requests import RequestMarket
from tests.factories.users import Users

pytestmark = pytest.mark.faults
WRITERS = 12


@pytest.fixture
def market(users: Users) -> RequestMarket:
    return RequestMarket(users)


def accepted(market: RequestMarket, users: Users) -> tuple[Actor, Actor, int]:
    """Return customer, professional and the id of an accepted request."""
    asha, ravi = users.customer(), market.professional()
    request_id = market.bring_to("accepted", asha, ravi)["id"]
    return Actor(id=asha.id, role=Role.CUSTOMER), Actor(id=ravi.id, role=Role.PROFESSIONAL), request_id


def outcome(work: Any) -> list[str]:
    try:
        with transaction():
            work()
    except DomainError as error:
        return [error.code]
    return ["done"]


def unread(side: str) -> int:
    found = db.session.execute(text(f"SELECT {side}_unread FROM conversations")).scalar_one()  # noqa: S608 - a side
    db.session.rollback()
    return int(found)


@pytest.mark.parametrize("end", ["release", "cancel"])
def test_messages_racing_the_end_are_all_before_it(
    wide_app: Flask, market: RequestMarket, users: Users, end: str
) -> None:
    customer, professional, request_id = accepted(market, users)

    def stop() -> list[str]:
        if end == "release":
            return outcome(partial(requests.release, professional, request_id=request_id, reason="Ill today"))
        return outcome(partial(requests.cancel, customer, request_id=request_id, reason="Not needed"))

    def send(number: int) -> list[str]:
        return outcome(partial(actions.write, customer, request_id=request_id, body=f"Message {number}"))

    works = [partial(send, number) for number in range(WRITERS)]
    results = [codes[0] for codes in at_once(wide_app, [*works[:6], stop, *works[6:]])]
    assert results.pop(6) == "done"
    allowed = {"done", "conversation_closed"} if end == "release" else {"done"}
    assert set(results) <= allowed
    written = list(db.session.execute(select(ConversationMessage.created_at)).scalars())
    assert len(written) == Counter(results)["done"]
    db.session.rollback()
    if end == "release":
        assert send(WRITERS) == ["conversation_closed"]
    if written:
        assert unread("professional") == len(written)


def test_messages_sent_concurrently_have_ids_in_order_of_reading(
    wide_app: Flask, market: RequestMarket, users: Users
) -> None:
    """A reader who continues after the last id that they saw misses no message."""
    customer, professional, request_id = accepted(market, users)
    with transaction():
        actions.write(customer, request_id=request_id, body="First")

    def send(actor: Actor, number: int) -> list[str]:
        return outcome(partial(actions.write, actor, request_id=request_id, body=f"{actor.id}:{number}"))

    def follow() -> list[str]:
        seen: list[str] = []
        last = 0
        while len(seen) < 1 + 2 * WRITERS:
            new = select(ConversationMessage.id, ConversationMessage.body).where(ConversationMessage.id > last)
            found = db.session.execute(new.order_by(ConversationMessage.id)).all()
            seen += [row.body for row in found]
            last = found[-1].id if found else last
            db.session.rollback()
        return seen

    works = [partial(send, actor, number) for number in range(WRITERS) for actor in (customer, professional)]
    results = at_once(wide_app, [*works, follow])
    seen = results.pop()
    assert [codes for codes in results if codes != ["done"]] == []
    ordered = list(db.session.execute(select(ConversationMessage.body).order_by(ConversationMessage.id)).scalars())
    assert seen == ordered
    assert unread("professional") == 1 + WRITERS
    assert unread("customer") == WRITERS


def test_message_sent_concurrently_with_same_key_is_written_once(
    wide_app: Flask, market: RequestMarket, users: Users
) -> None:
    asha, ravi = users.customer(), market.professional()
    request_id = market.bring_to("accepted", asha, ravi)["id"]
    headers = {**asha.headers, "Idempotency-Key": "the-same"}

    def send() -> list[tuple[int, Any]]:
        path = f"/requests/{request_id}/messages"
        answer = wide_app.test_client().post(path, json={"body": "Hello"}, headers=headers)
        return [(answer.status_code, (answer.json or {}).get("id"))]

    answers = [result[0] for result in at_once(wide_app, [send] * 10)]
    assert {status for status, _ in answers} <= {201, 409}
    assert len({message_id for status, message_id in answers if status == 201}) == 1
    assert len(asha.get(f"/requests/{request_id}/messages").json["items"]) == 1
    assert unread("professional") == 1


@pytest.mark.parametrize("turn", range(4))
def test_parts_of_a_number_sent_concurrently_are_not_both_shown(
    wide_app: Flask, market: RequestMarket, users: Users, turn: int
) -> None:
    asha, ravi = users.customer(), market.professional()
    request_id = market.ask(asha, professional_id=ravi.id)["id"]
    customer = Actor(id=asha.id, role=Role.CUSTOMER)
    if turn % 2:
        with transaction():
            actions.write(customer, request_id=request_id, body="Hello")
    parts = ["98765", "43210"] * 3
    works = [partial(outcome, partial(actions.write, customer, request_id=request_id, body=body)) for body in parts]
    assert at_once(wide_app, works) == [["done"]] * len(parts)
    bodies = list(db.session.execute(select(ConversationMessage.body).order_by(ConversationMessage.id)).scalars())
    shown = "".join(body for body in bodies if body.isdigit())
    assert "9876543210" not in shown
    assert unread("professional") == len(bodies)


@pytest.mark.parametrize("turn", range(4))
def test_reading_concurrent_with_writing_keeps_count_correct(
    wide_app: Flask, market: RequestMarket, users: Users, turn: int
) -> None:
    customer, professional, request_id = accepted(market, users)
    with transaction():
        first = actions.write(customer, request_id=request_id, body="First").id

    def send(number: int) -> list[str]:
        return outcome(partial(actions.write, customer, request_id=request_id, body=f"Message {number}"))

    def read() -> list[str]:
        return outcome(partial(actions.mark_read, professional, request_id=request_id, up_to=first))

    works: list[Callable[[], Any]] = [*(partial(send, number) for number in range(WRITERS)), read, read]
    results = at_once(wide_app, works if turn % 2 else works[::-1])
    assert [codes for codes in results if codes != ["done"]] == []
    assert unread("professional") == WRITERS
    with transaction():
        assert actions.mark_read(professional, request_id=request_id, up_to=2**62) == 0
    assert unread("professional") == 0


def test_messages_sent_concurrently_are_announced_once(wide_app: Flask, market: RequestMarket, users: Users) -> None:
    customer, professional, request_id = accepted(market, users)
    works = [
        partial(outcome, partial(actions.write, customer, request_id=request_id, body=f"Message {number}"))
        for number in range(WRITERS)
    ]
    assert [codes for codes in at_once(wide_app, works) if codes != ["done"]] == []
    sent_to = list(db.session.execute(select(Delivery.account_id).where(Delivery.kind == "request_messages")).scalars())
    assert sent_to == [professional.id]


def test_report_settled_concurrently_is_settled_once(wide_app: Flask, market: RequestMarket, users: Users) -> None:
    customer, _, request_id = accepted(market, users)
    admin = Actor(id=users.admin().id, role=Role.ADMIN)
    with transaction():
        actions.write(customer, request_id=request_id, body="Hello")
        actions.report(customer, request_id=request_id, reason="Rude")
    report_id = db.session.execute(text("SELECT id FROM conversation_reports")).scalar_one()
    db.session.rollback()
    works = [partial(outcome, partial(actions.settle, admin, report_id=report_id, note=None))] * 6
    codes = Counter(code for found in at_once(wide_app, works) for code in found)
    assert codes == {"done": 1, "report_settled": 5}
