"""Notifications: rows in the app, deliveries and jobs, written together or not at all."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select

from backend.core import clock
from backend.core.db.session import db, transaction
from backend.core.queue import Job
from backend.domain.notifications import create, preferences
from backend.domain.notifications.create import Note
from backend.domain.notifications.messages import render
from backend.domain.notifications.models import Delivery, Notification
from tests.factories.users import Users


def count(model: type) -> int:
    return db.session.execute(select(func.count()).select_from(model)).scalar_one()


def test_notify_writes_notification_delivery_and_job(users: Users) -> None:
    asha = users.customer()
    before = count(Job)
    with transaction():
        at = datetime(2026, 12, 1, 4, 30, tzinfo=UTC)
        params = {"task": "Plumbing", "date": at, "professional": "Ravi"}
        create.notify(asha.id, "request_accepted", request_id=7, params=params)
    row = db.session.execute(select(Notification)).scalar_one()
    assert (row.title, row.body) == (None, None), "worded when it is read"
    shown = render(row.kind, row.params, request_id=row.request_id)
    assert shown.title == "Accepted: Plumbing"
    assert shown.body == "Ravi accepted your request for Tue 1 Dec 2026, 10:00 am."
    assert row.request_id == 7
    delivery = db.session.execute(select(Delivery)).scalar_one()
    assert (delivery.channel, delivery.state, delivery.notification_id) == ("mail", "waiting", row.id)
    assert delivery.message_id.endswith("@localhost.localdomain>")
    assert count(Job) == before + 1


def test_notify_in_failed_transaction_writes_nothing(users: Users) -> None:
    asha = users.customer()

    def change() -> None:
        with transaction():
            create.notify(asha.id, "approved")
            raise RuntimeError("the change failed")

    with pytest.raises(RuntimeError):
        change()
    assert (count(Notification), count(Delivery)) == (0, 0)


def test_notify_at_frozen_time_writes_no_delivery(users: Users) -> None:
    asha = users.customer()
    with transaction(), clock.frozen_at(datetime(2026, 1, 1, tzinfo=UTC)):
        create.notify(asha.id, "approved")
    assert (count(Notification), count(Delivery)) == (1, 0)


def test_notify_many_writes_one_delivery_per_account(users: Users) -> None:
    both = [users.customer(), users.customer()]
    with transaction():
        create.notify_many([Note(one.id, "approved", params={}) for one in both])
    rows = db.session.execute(select(Delivery.account_id, Notification.account_id).join(Notification)).all()
    assert sorted(rows) == [(one.id, one.id) for one in both]


def test_post_with_same_subject_sends_once_across_channels(users: Users) -> None:
    asha = users.customer()
    reminder = create.Outgoing(asha.id, "reminder", "2026-12-01")
    with transaction():
        assert create.post([reminder]) == 1
    with transaction():
        preferences.put(asha.id, preferences.Choice(channels=("gchat",)))
        assert create.post([reminder]) == 0


def test_notify_of_kind_without_channels_is_shown_only_in_app(users: Users) -> None:
    asha = users.customer()
    with transaction():
        preferences.put(asha.id, preferences.Choice(kinds={"request_accepted": []}))
        create.notify(asha.id, "request_accepted", request_id=7)
        create.send_account_mail(asha.id, "password_changed")
    assert count(Notification) == 1
    assert db.session.execute(select(Delivery.kind)).scalars().all() == ["password_changed"]


@pytest.mark.parametrize(
    ("clock", "expected"),
    [("21:59", None), ("22:00", (2, "07:00")), ("23:30", (2, "07:00")), ("06:59", (1, "07:00")), ("07:00", None)],
)
def test_quiet_hours_delay_message_until_their_end(users: Users, clock: str, expected: tuple[int, str] | None) -> None:
    choice = preferences.Choice(quiet_hours={"from": "22:00", "to": "07:00"})
    at = datetime.fromisoformat(f"2026-12-01T{clock}:00+05:30")
    found = choice.not_before(at)
    assert (found and (found.day, f"{found:%H:%M}")) == expected


ALWAYS_MAILED = ("approved", "rejected", "blocked", "unblocked")


@pytest.mark.parametrize("kind", ALWAYS_MAILED)
def test_notify_of_account_decision_is_mailed_despite_preferences(users: Users, kind: str) -> None:
    asha = users.customer()
    quiet = {"from": "00:00", "to": "23:59"}
    with transaction():
        preferences.put(asha.id, preferences.Choice(channels=(), kinds={kind: []}, quiet_hours=quiet))
        create.notify(asha.id, kind)
    (delivery,) = db.session.execute(select(Delivery)).scalars()
    assert (delivery.channel, delivery.not_before) == ("mail", None)


def test_notify_of_account_decision_uses_chosen_channel_and_mails_once(users: Users) -> None:
    asha, ravi = users.customer(), users.customer()
    with transaction():
        preferences.put(asha.id, preferences.Choice(channels=("gchat", "mail")))
        create.notify(asha.id, "blocked")
        create.notify(ravi.id, "blocked")
    rows = db.session.execute(select(Delivery.account_id, Delivery.channel, Delivery.next_channels)).all()
    assert sorted(map(tuple, rows)) == [(asha.id, "gchat", []), (asha.id, "mail", []), (ravi.id, "mail", [])]
