"""Live updates are published after the outermost commit, to those whom a change concerns, and never if it is undone."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask

from backend.core.db.session import db, transaction
from backend.core.events import announce
from backend.core.events.protocol import Message, Topic
from tests.factories.jobs import work
from tests.factories.photos import upload_photo
from tests.factories.requests import RequestMarket, at, do
from tests.factories.users import User, Users

Call = Callable[..., Any]


@pytest.fixture
def published(app: Flask) -> Iterator[list[Message]]:
    """Collect what is published."""
    messages: list[Message] = []
    before = app.extensions["event_publisher"]
    announce.init_app(app, publisher=messages.append)
    yield messages
    announce.init_app(app, publisher=before)


def test_events_of_one_transaction_are_one_message_after_its_commit(published: list[Message]) -> None:
    with transaction():
        announce.announce(Topic.REQUESTS, accounts=[1, None], object_id=7, version=2)
        announce.announce(Topic.REQUESTS, accounts=[1], object_id=7, version=2)
        with db.session.begin_nested():
            announce.announce(Topic.REPORTS, accounts=[2])
        assert published == []
    (message,) = published
    assert [(event.topic, event.accounts) for event in message.events] == [("requests", (1,)), ("reports", (2,))]


def test_rolled_back_change_is_not_published(published: list[Message]) -> None:
    with contextlib.suppress(LookupError), transaction():
        announce.announce(Topic.REQUESTS, accounts=[1])
        raise LookupError
    with transaction():
        savepoint = db.session.begin_nested()
        announce.announce(Topic.REQUESTS, accounts=[1])
        savepoint.rollback()
    assert published == []


def test_request_is_announced_to_both_sides_and_admins_with_its_version(users: Users, published: list[Message]) -> None:
    market = RequestMarket(users)
    customer, professional = users.customer(), market.professional()
    published.clear()
    asked = market.ask(customer)
    assert events(published, "requests") == {
        ((customer.id,), ("admin",), asked["id"], 1),
        ((), ("professional",), None, None),
    }
    published.clear()
    do(professional, f"/requests/{asked['id']}/accept")
    assert ((customer.id, professional.id), ("admin",), asked["id"], 2) in events(published, "requests")
    assert events(published, "notifications") == {((customer.id,), (), None, None)}


def test_photo_and_its_decision_are_announced_to_professional_and_admins(
    users: Users, published: list[Message]
) -> None:
    admin, professional = users.admin(), users.professional()
    expected = {((), ("admin",), professional.id, None)}
    published.clear()
    photo = upload_photo(professional)["photo"]
    assert events(published, "approvals") == expected
    published.clear()
    do(admin, f"/profile_photos/{photo['id']}/approve")
    assert events(published, "approvals") == expected
    assert ((professional.id,), (), professional.id, None) in events(published, "account")


def test_request_that_one_professional_is_asked_for_is_not_announced_to_others(
    users: Users, published: list[Message]
) -> None:
    market = RequestMarket(users)
    customer, professional = users.customer(), market.professional()
    published.clear()
    asked = market.ask(customer, professional_id=professional.id)
    assert events(published, "requests") == {((customer.id, professional.id), ("admin",), asked["id"], 1)}


def test_block_announces_each_released_request_and_ends_streams(users: Users, published: list[Message]) -> None:
    market = RequestMarket(users)
    admin, customer, professional = users.admin(), users.customer(), market.professional()
    taken = market.bring_to("accepted", customer, professional)
    published.clear()
    do(admin, f"/users/{professional.id}/block", {"reason": "fraud"})
    changed = {event for event in events(published, "requests") if event[2] == taken["id"]}
    assert changed == {(tuple(sorted((admin.id, customer.id, professional.id))), ("admin",), taken["id"], 3)}
    assert len(ended(published)) == 1


def test_approval_is_announced_to_professional_and_admins(users: Users, published: list[Message]) -> None:
    admin, professional = users.admin(), users.professional(approved=False, has_document=True)
    published.clear()
    do(admin, f"/professionals/{professional.id}/approve", {})
    assert events(published, "account") == {((professional.id,), (), professional.id, None)}
    assert events(published, "approvals") == {((), ("admin",), professional.id, None)}


def test_review_is_announced_at_each_change_to_those_who_see_it(users: Users, published: list[Message]) -> None:
    market = RequestMarket(users)
    admin, customer, professional = users.admin(), users.customer(), market.professional()
    request = market.bring_to("closed", customer, professional)
    do(customer, f"/requests/{request['id']}/review", {"rating": 4})
    steps: tuple[tuple[User, str, dict[str, str]], ...] = (
        (professional, f"/requests/{request['id']}/review/reply", {"reply": "Thank you"}),
        (professional, f"/requests/{request['id']}/review/report", {"reason": "Not my customer"}),
        (admin, f"/reviews/{request['id']}/hide", {"reason": "Not a review"}),
        (admin, f"/reviews/{request['id']}/show", {}),
    )
    for who, path, body in steps:
        published.clear()
        do(who, path, body)
        told = tuple(sorted({customer.id, professional.id})) if path.endswith("reply") else (professional.id,)
        assert events(published, "requests") == {(told, ("admin",), request["id"], None)}, path


def test_entry_of_audit_trail_is_announced_to_admins_but_not_a_read(users: Users, published: list[Message]) -> None:
    admin, customer = users.admin(), users.customer()
    published.clear()
    do(admin, f"/users/{customer.id}/block", {"reason": "fraud"})
    assert events(published, "audit") == {((), ("admin",), None, None)}
    published.clear()
    assert admin.get(f"/customers/{customer.id}").status_code == 200
    assert events(published, "audit") == set(), "a read that is announced makes pages read again without end"
    assert events(published, "audit_reads") == {((), ("admin",), None, None)}
    published.clear()
    assert admin.get(f"/customers/{customer.id}").status_code == 200
    assert published == [], "a read that is recorded already"


def test_sign_up_is_announced_to_admins_who_list_accounts(users: Users, published: list[Message]) -> None:
    for signed_up in (users.customer(), users.professional(approved=False)):
        assert ((), ("admin",), signed_up.id, None) in events(published, "users")


def test_own_changes_are_announced_to_other_devices_of_the_account(users: Users, published: list[Message]) -> None:
    professional = users.professional()
    hours: dict[str, object] = {"weekly": [{"weekday": 0, "from": "09:00", "to": "12:00"}], "exceptions": []}
    account = ((professional.id,), (), professional.id, None)
    changes: tuple[tuple[Call, str, dict[str, object], str, tuple[object, ...]], ...] = (
        (User.patch, "/me", {"firstname": "Asha"}, "account", account),
        (User.patch, "/me/profile", {"about": "By the hour"}, "account", account),
        (User.put, "/me/preferences", {"channels": []}, "account", account),
        (User.put, "/me/hours", hours, "schedule", ((professional.id,), (), None, None)),
    )
    for call, path, body, topic, expected in changes:
        published.clear()
        assert call(professional, path, body).status_code == 200, path
        assert events(published, topic) == {expected}, path
    published.clear()
    professional.patch("/me", {"compname": "Asha and Sons"})
    assert events(published, "users") == {((), ("admin",), professional.id, None)}


def test_changed_phone_is_announced_to_who_sees_it_in_accepted_request(users: Users, published: list[Message]) -> None:
    market = RequestMarket(users)
    customer, professional = users.customer(), market.professional()
    accepted = market.bring_to("accepted", customer, professional)
    market.bring_to("closed", customer, professional, date_of_request=at(days=3))
    both = tuple(sorted((customer.id, professional.id)))
    for user in (professional, customer):
        published.clear()
        assert user.patch("/me", {"phone": "+919812345678"}).status_code == 200
        assert events(published, "requests") == {(both, (), accepted["id"], None)}


def test_favourites_and_exclusions_are_announced_to_whom_they_concern(users: Users, published: list[Message]) -> None:
    market = RequestMarket(users)
    customer, professional = users.customer(), market.professional()
    market.bring_to("closed", customer, professional)
    own = {((customer.id,), (), None, None)}
    for call in (User.put, User.delete):
        published.clear()
        assert call(customer, f"/me/favourites/{professional.id}").status_code == 204
        assert events(published, "favourites") == own
    for call in (User.put, User.delete):
        published.clear()
        assert call(customer, f"/me/exclusions/{professional.id}").status_code == 204
        assert events(published, "favourites") == own
        both = tuple(sorted((customer.id, professional.id)))
        assert events(published, "requests") == {(both, (), None, None)}


def test_sign_in_and_sign_out_are_announced_to_other_devices(users: Users, published: list[Message]) -> None:
    customer = users.customer()
    expected = {((customer.id,), (), None, None)}
    published.clear()
    other = users.sign_in(customer.username)
    assert events(published, "sessions") == expected
    published.clear()
    assert other.post("/logout").status_code == 204
    assert events(published, "sessions") == expected


def test_delivery_log_is_announced_when_a_message_is_written_and_sent(users: Users, published: list[Message]) -> None:
    market = RequestMarket(users)
    customer, professional = users.customer(), market.professional()
    work(now=True)
    asked = market.ask(customer, professional_id=professional.id)
    published.clear()
    do(professional, f"/requests/{asked['id']}/accept")
    assert events(published, "deliveries") == {((), ("admin",), None, None)}
    published.clear()
    work(now=True)
    assert events(published, "deliveries") == {((), ("admin",), None, None)}


def test_changed_task_is_announced_to_everyone_who_is_signed_in(users: Users, published: list[Message]) -> None:
    admin, task = users.admin(), RequestMarket(users).task_id
    everyone = {((), ("admin", "customer", "professional"), None, None)}
    changes: tuple[tuple[Call, str, dict[str, object]], ...] = (
        (User.patch, f"/tasks/{task}", {"base_price": "450.00"}),
        (User.put, f"/tasks/{task}/checklist", {"points": [{"text": "Clean", "photo": False}], "required": False}),
    )
    for call, path, body in changes:
        published.clear()
        assert call(admin, path, body).status_code in (200, 204), path
        assert events(published, "tasks") == everyone, path


def test_every_way_to_end_sessions_ends_their_streams(users: Users, published: list[Message]) -> None:
    customer = users.customer()
    for path, body in (("/logout", None), ("/logout/everywhere", None)):
        user = users.sign_in(customer.username)
        published.clear()
        assert user.post(path, body).status_code == 204
        assert ended(published), path


def test_refused_call_publishes_nothing(users: Users, published: list[Message]) -> None:
    market = RequestMarket(users)
    customer, stranger = users.customer(), users.customer()
    asked = market.ask(customer)
    published.clear()
    assert refused(stranger, f"/requests/{asked['id']}/cancel") == 404
    assert published == []


def refused(who: User, path: str) -> int:
    status: int = who.post(path, {"reason": "Something came up"}).status_code
    return status


def events(published: list[Message], topic: str) -> set[tuple[object, ...]]:
    return {tuple(event[1:]) for message in published for event in message.events if event.topic == topic}


def ended(published: list[Message]) -> list[str]:
    return [session for message in published for session in message.ended_sessions]
