"""Notifications, preferences and the delivery log over HTTP."""

import pytest

from backend.core.db.session import transaction
from backend.domain.notifications import create, preferences
from tests.factories.jobs import deliveries, work
from tests.factories.users import User, Users


def notify(user: User, times: int = 1) -> None:
    with transaction():
        for _ in range(times):
            create.notify(user.id, "request_accepted", request_id=7, params={"task": "Plumbing"})


def test_notifications_list_is_paginated_newest_first(users: Users) -> None:
    asha, other = users.customer(), users.customer()
    notify(asha, 3)
    notify(other)
    first = asha.get("/notifications?limit=2")
    assert first.json["unread_count"] == 3
    assert first.json["items"][0]["title"] == "Accepted: Plumbing"
    assert (first.json["items"][0]["read"], first.json["items"][0]["request_id"]) == (False, 7)
    second = asha.get(first.headers["Link"].split(">")[0].strip("<"))
    ids = [row["id"] for page in (first, second) for row in page.json["items"]]
    assert ids == sorted(ids, reverse=True)
    assert (len(ids), second.json["next_cursor"]) == (3, None)
    assert asha.get("/notifications?cursor=nonsense").status_code == 422


def test_notifications_read_marks_only_own(users: Users) -> None:
    asha, other = users.customer(), users.customer()
    notify(asha, 3)
    notify(other)
    ids = [row["id"] for row in asha.get("/notifications").json["items"]]
    theirs = other.get("/notifications").json["items"][0]["id"]
    assert asha.post("/notifications/read", {"ids": [ids[0], theirs, 10**12]}).json == {"unread_count": 2}
    assert other.get("/notifications").json["unread_count"] == 1
    assert [row["read"] for row in asha.get("/notifications").json["items"]] == [True, False, False]
    assert len(asha.get("/notifications?unread=1").json["items"]) == 2
    assert len(asha.get("/notifications?unread=true").json["items"]) == 2
    read = asha.get("/notifications?unread=0").json
    assert (len(read["items"]), read["unread_count"]) == (1, 2)
    assert asha.post("/notifications/read", {"all": True}).json == {"unread_count": 0}


def test_notifications_empty_page_has_number_of_unread_ones(users: Users) -> None:
    asha = users.customer()
    assert asha.get("/notifications").json == {"items": [], "next_cursor": None, "unread_count": 0}
    notify(asha, 2)
    empty = asha.get("/notifications?unread=0").json
    assert (empty["items"], empty["unread_count"]) == ([], 2)


@pytest.mark.parametrize("body", [{}, {"ids": []}, {"all": False}, {"ids": [1], "all": True}, {"ids": ["x"]}])
def test_notifications_read_without_ids_or_all_is_rejected(users: Users, body: dict[str, object]) -> None:
    assert users.customer().post("/notifications/read", body).status_code == 422


def test_preferences_default_to_mail_and_return_what_was_saved(users: Users) -> None:
    asha = users.customer()
    why = {
        "sms": {"code": "sms_not_set_up", "message": "SMS is not set up."},
        "chat": {"code": "chat_not_set_up", "message": "Chat messages are not set up."},
        "push": {"code": "no_push_device", "message": "Push notifications are not turned on for any device."},
    }
    assert asha.get("/me/preferences").json == {
        "channels": ["mail"],
        "gchat_webhook": None,
        "chat_id": None,
        "quiet_hours": None,
        "kinds": {},
        "unavailable": why,
    }
    chosen = {
        "channels": ["gchat", "sms", "mail"],
        "gchat_webhook": "https://chat.googleapis.com/v1/spaces/A/messages?key=k&token=t",
        "chat_id": "@asha",
        "quiet_hours": {"from": "22:00", "to": "07:00"},
        "kinds": {"reminder": [], "request_accepted": ["sms"]},
    }
    assert asha.put("/me/preferences", chosen).json == {**chosen, "unavailable": why}
    read = asha.get("/me/preferences").json
    assert read == {**chosen, "unavailable": why}
    assert asha.put("/me/preferences", read).json == read, "what was read can be sent back"
    assert asha.put("/me/preferences", {"channels": ["mail"]}).json["gchat_webhook"] is None


def test_preferences_without_kinds_keep_unsubscriptions(users: Users) -> None:
    asha = users.customer()
    with transaction():
        preferences.unsubscribe(asha.id, "reminder")
    assert asha.put("/me/preferences", {"channels": ["gchat"]}).json["kinds"] == {"reminder": []}
    assert asha.get("/me/preferences").json["kinds"] == {"reminder": []}
    assert asha.put("/me/preferences", {"channels": ["gchat"], "kinds": {}}).json["kinds"] == {}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"channels": ["pigeon"]}, "channels.0"),
        ({"channels": ["mail", "mail"]}, "channels"),
        ({"channels": "mail"}, "channels"),
        ({"gchat_webhook": "https://evil.example/hook"}, "gchat_webhook"),
        ({"gchat_webhook": "http://chat.googleapis.com/hook"}, "gchat_webhook"),
        ({"gchat_webhook": "https://chat.googleapis.com@evil.example/"}, "gchat_webhook"),
        ({"gchat_webhook": "https://chat.googleapis.com:8443/"}, "gchat_webhook"),
        ({"gchat_webhook": "file:///etc/passwd"}, "gchat_webhook"),
        ({"gchat_webhook": "http://[::1"}, "gchat_webhook"),
        ({"quiet_hours": {"from": "22:00", "to": "22:00"}}, "quiet_hours.to"),
        ({"quiet_hours": {"from": "25:00", "to": "07:00"}}, "quiet_hours.from"),
        ({"kinds": {"password_reset": []}}, "kinds.password_reset.key"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_preferences_with_invalid_field_name_it(users: Users, change: dict[str, object], field: str) -> None:
    answer = users.customer().put("/me/preferences", {"channels": ["mail"], **change})
    assert answer.status_code == 422
    assert field in answer.json["errors"], answer.json


def test_deliveries_for_admins_list_failures_and_resend_them(users: Users) -> None:
    admin, asha = users.admin(), users.customer()
    asha.put("/me/preferences", {"channels": ["gchat"]})
    notify(asha)
    work()
    (row,) = admin.get(f"/deliveries?state=failed&account_id={asha.id}").json["items"]
    assert row["error"] == "No Google Chat webhook is configured."
    assert "params" not in row
    one = admin.get(f"/deliveries/{row['id']}").json
    assert [attempt["outcome"] for attempt in one["tries"]] == ["refused"]
    assert admin.post(f"/deliveries/{row['id']}/resend").status_code == 202
    assert admin.post(f"/deliveries/{row['id']}/resend").json["code"] == "not_failed"
    work()
    assert deliveries()[0].attempts == 2
    assert asha.get("/deliveries").status_code == 403
    assert admin.get("/deliveries/999").status_code == 404
    assert admin.get("/deliveries?state=lost").status_code == 422
