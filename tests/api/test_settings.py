"""The marketplace's settings and task policies over HTTP."""

from typing import Any

import pytest
from sqlalchemy import select

from backend.core.db.session import db
from backend.domain.audit.models import AuditEntry
from tests.factories.requests import RequestMarket, at
from tests.factories.tasks import make_task
from tests.factories.users import Users


def test_settings_changes_apply_at_once_and_are_audited(users: Users) -> None:
    admin = users.admin()
    first = admin.get("/settings").json
    assert (first["min_notice_minutes"], first["travel_buffer_minutes"], first["reminder_at"]) == (0, 0, "18:00")
    changed = admin.patch("/settings", {"answer_within_minutes": 30, "reminder_at": "19:30"}).json
    assert (changed["answer_within_minutes"], changed["reminder_at"]) == (30, "19:30")
    assert admin.get("/settings").json == changed
    entry = db.session.execute(select(AuditEntry).where(AuditEntry.action == "settings_changed")).scalar_one()
    assert entry.before == {"answer_within_minutes": 120, "reminder_at": "18:00"}
    assert entry.after == {"answer_within_minutes": 30, "reminder_at": "19:30"}


@pytest.mark.parametrize(
    "body",
    [
        {"answer_within_minutes": 0},
        {"answer_within_minutes": "30"},
        {"reminder_at": "25:00"},
        {"reminder_at": "1800"},
        {"travel_buffer_minutes": -1},
        {"day_begins_at": "21:00"},
        {"colour": "red"},
    ],
)
def test_settings_with_invalid_values_are_rejected(users: Users, body: dict[str, Any]) -> None:
    assert users.admin().patch("/settings", body).status_code == 422


def test_settings_for_other_roles_are_rejected(users: Users) -> None:
    assert users.customer().get("/settings").json["code"] == "role_not_allowed"
    assert users.professional().patch("/settings", {}).json["code"] == "role_not_allowed"


def test_task_policy_overrides_settings_for_its_task(users: Users) -> None:
    market, admin, asha = RequestMarket(users), users.admin(), users.customer()
    path = f"/tasks/{market.task_id}/policy"
    assert asha.get(path).json["min_notice_minutes"] == 0
    assert admin.put(path, {"min_notice_minutes": 120}).json["own"]["min_notice_minutes"] == 120
    refused = asha.post("/requests", market.body(date_of_request=at(minutes=90)))
    assert (refused.status_code, refused.json["code"], list(refused.json["errors"])) == (
        422,
        "too_soon",
        ["date_of_request"],
    )
    assert asha.post("/requests", market.body(date_of_request=at(minutes=130))).status_code == 201
    assert asha.put(path, {}).json["code"] == "role_not_allowed"
    assert admin.put(path, {}).json["min_notice_minutes"] == 0
    assert admin.put("/tasks/999/policy", {}).status_code == 404


def test_task_policy_of_draft_is_hidden_from_non_admins(users: Users) -> None:
    draft = make_task(name="Draft", isactive=0)
    path = f"/tasks/{draft.id}/policy"
    for caller in (users.customer(), users.professional()):
        assert (caller.get(path).status_code, caller.get(path).json["code"]) == (404, "not_found")
    assert users.admin().get(path).status_code == 200


def test_settings_with_outdated_if_match_return_stale(users: Users) -> None:
    admin = users.admin()
    tag = admin.get("/settings").headers["ETag"]
    assert admin.patch("/settings", {"tell_nearest": 3}, headers={"If-Match": tag}).status_code == 200
    refused = admin.patch("/settings", {"tell_nearest": 4}, headers={"If-Match": tag})
    assert (refused.status_code, refused.json["code"]) == (412, "stale")
    again = admin.get("/settings")
    assert again.json["tell_nearest"] == 3
    assert admin.patch("/settings", {"tell_nearest": 4}, headers={"If-Match": again.headers["ETag"]}).status_code == 200
