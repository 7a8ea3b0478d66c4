"""The start code: who sees it, what it starts, how many tries it allows, and what the policies require."""

import json
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, literal_column, select, text

from backend.core.db.session import db
from tests.factories.requests import WHY, at, do
from tests.factories.users import Users
from tests.factories.visits import Visit, pass_minutes

OFFERED = {"start_code": "offered"}
REQUIRED = {"start_code": "required"}


@pytest.fixture
def visit(users: Users) -> Visit:
    return Visit(users, OFFERED)


def test_start_code_is_off_by_default(users: Users) -> None:
    visit = Visit(users)
    seen = visit.seen_by(visit.asha)
    assert (seen["start_code_policy"], seen["start_code"]) == ("off", None)
    assert visit.call(visit.ravi, "start").status_code == 200


def test_start_code_is_shown_to_its_customer_alone(visit: Visit, users: Users) -> None:
    code = visit.code
    assert (len(code), code.isdigit()) == (4, True)
    assert visit.asha.get("/requests").json["items"][0]["start_code"] == code
    for who in (visit.ravi, users.admin()):
        seen = visit.seen_by(who)
        assert seen["start_code_policy"] == "offered"
        assert "start_code" not in seen
        listed = who.get("/requests?scope=mine" if who is visit.ravi else "/requests").json["items"]
        assert [item["id"] for item in listed] == [visit.id]
        assert "start_code" not in listed[0]


def test_start_code_is_in_no_notification_delivery_or_history(visit: Visit) -> None:
    code = visit.code
    visit.call(visit.ravi, "start", {"code": visit.wrong_code})
    do(visit.ravi, f"{visit.path}/start", {"code": code})
    for table in ("notifications", "deliveries", "request_events", "audit_entries", "jobs", "task_requests"):
        rows = db.session.execute(select(func.to_jsonb(literal_column("t"))).select_from(text(f"{table} t"))).scalars()
        assert all(f'"{code}"' not in json.dumps(row) for row in rows), table


def test_professional_starts_with_code_of_customer(visit: Visit) -> None:
    missing = visit.call(visit.ravi, "start")
    assert (missing.status_code, missing.json["code"]) == (422, "code_required")
    assert list(missing.json["errors"]) == ["code"]
    wrong = visit.call(visit.ravi, "start", {"code": visit.wrong_code})
    assert (wrong.status_code, wrong.json["code"]) == (422, "wrong_code")
    right = visit.call(visit.ravi, "start", {"code": visit.code})
    assert (right.status_code, right.json["started_at"] is not None) == (200, True)
    assert visit.seen_by(visit.asha)["start_code"] is None


@pytest.mark.parametrize("code", ["12", "12345", "abcd", "\uff11\uff12\uff13\uff14", 1234, "12 4"])
def test_code_of_another_form_is_refused_and_not_counted(visit: Visit, code: object) -> None:
    for _ in range(6):
        refused = visit.call(visit.ravi, "start", {"code": code})
        assert (refused.status_code, list(refused.json["errors"])) == (422, ["code"])
    assert visit.call(visit.ravi, "start", {"code": visit.code}).status_code == 200


def test_customer_starts_without_code(visit: Visit) -> None:
    assert do(visit.asha, f"{visit.path}/start")["started_at"] is not None


def test_five_wrong_codes_lock_tries_for_fifteen_minutes(visit: Visit) -> None:
    codes = [visit.call(visit.ravi, "start", {"code": visit.wrong_code}).status_code for _ in range(5)]
    assert codes == [422] * 5
    locked = visit.call(visit.ravi, "start", {"code": visit.code})
    assert (locked.status_code, locked.json["code"]) == (429, "too_many_tries")
    assert 14 * 60 < int(locked.headers["Retry-After"]) <= 15 * 60
    pass_minutes(14.9)
    assert visit.call(visit.ravi, "start", {"code": visit.code}).status_code == 429
    pass_minutes(0.2)
    assert visit.call(visit.ravi, "start", {"code": visit.wrong_code}).status_code == 422
    assert visit.call(visit.ravi, "start", {"code": visit.code}).status_code == 200


def test_customer_starts_while_tries_are_locked(visit: Visit) -> None:
    for _ in range(5):
        visit.call(visit.ravi, "start", {"code": visit.wrong_code})
    do(visit.asha, f"{visit.path}/start")
    do(visit.asha, f"{visit.path}/undo_step")
    assert visit.call(visit.ravi, "start", {"code": visit.code}).status_code == 200


def test_corrected_code_is_taken_under_the_same_key(visit: Visit) -> None:
    key = {"Idempotency-Key": "one-start"}
    for _ in range(2):
        wrong = visit.call(visit.ravi, "start", {"code": visit.wrong_code}, headers=key)
        assert (wrong.status_code, wrong.json["code"]) == (422, "wrong_code")
    right = {"code": visit.code}
    answers = [visit.call(visit.ravi, "start", right, headers=key) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[1].headers["Idempotent-Replayed"] == "true"


def test_wrong_codes_under_one_key_are_all_counted(visit: Visit) -> None:
    wrong, key = {"code": visit.wrong_code}, {"Idempotency-Key": "many-tries"}
    found = [visit.call(visit.ravi, "start", wrong, headers=key).status_code for _ in range(6)]
    assert found == [422] * 5 + [429]


@pytest.mark.parametrize("how", ["move", "release"])
def test_code_is_new_after_move_and_release(visit: Visit, how: str) -> None:
    seen = {visit.code}
    for day in range(3, 8):  # one of 10,000 codes could be the same by chance
        if how == "move":
            assert visit.asha.patch(visit.path, {"date_of_request": at(days=day)}).status_code == 200
        else:
            do(visit.ravi, f"{visit.path}/release", WHY)
        assert visit.seen_by(visit.asha)["start_code"] is None
        do(visit.ravi, f"{visit.path}/accept")
        seen.add(visit.code)
    assert len(seen) > 3


def test_code_stays_the_same_while_accepted_and_after_undo(visit: Visit) -> None:
    code = visit.code
    do(visit.ravi, f"{visit.path}/arrive")
    do(visit.asha, f"{visit.path}/start")
    do(visit.asha, f"{visit.path}/undo_step")
    assert visit.code == code


def test_code_made_with_earlier_secret_key_is_accepted(visit: Visit, app: Flask, monkeypatch: Any) -> None:
    code, settings = visit.code, app.extensions["settings"]
    changed = replace(settings, secret_key="another-key-" * 4, secret_key_fallbacks=(settings.secret_key,))
    monkeypatch.setitem(app.extensions, "settings", changed)
    assert visit.code != code
    assert visit.call(visit.ravi, "start", {"code": code}).status_code == 200


def test_required_start_comes_before_completion(users: Users) -> None:
    visit = Visit(users, REQUIRED)
    for who, call in ((visit.ravi, "complete"), (visit.asha, "complete"), (visit.asha, "close")):
        refused = visit.call(who, call)
        assert (refused.status_code, refused.json["code"]) == (409, "visit_not_started")
        assert "start code" in refused.json["detail"]
        assert call not in visit.seen_by(who)["allowed_actions"]
    assert visit.asha.patch(visit.path, {"status": "completed"}).json["code"] == "visit_not_started"
    do(visit.ravi, f"{visit.path}/start", {"code": visit.code})
    assert "complete" in visit.seen_by(visit.ravi)["allowed_actions"]
    do(visit.ravi, f"{visit.path}/complete")
    do(visit.asha, f"{visit.path}/close")


def test_offered_code_is_not_needed_for_completion(visit: Visit) -> None:
    do(visit.ravi, f"{visit.path}/complete")


def test_policy_of_task_overrides_setting(users: Users) -> None:
    visit, admin = Visit(users), users.admin()
    policy = f"/tasks/{visit.market.task_id}/policy"
    assert admin.get(policy).json["start_code"] == "off"
    changed = admin.put(policy, REQUIRED)
    assert (changed.json["start_code"], changed.json["own"]["start_code"]) == ("required", "required")
    assert admin.put(policy, {"start_code": "always"}).status_code == 422
    assert visit.seen_by(visit.asha)["start_code_policy"] == "off", "as it was on acceptance"
    made = visit.market.bring_to("accepted", visit.asha, visit.ravi, date_of_request=at(days=9))
    assert (made["start_code_policy"], len(made["start_code"])) == ("required", 4)
    admin.put(policy, {})
    admin.patch("/settings", OFFERED)
    again = visit.market.bring_to("accepted", visit.asha, visit.ravi, date_of_request=at(days=19))
    assert again["start_code_policy"] == "offered"


def test_setting_of_start_code_is_checked_and_audited(users: Users) -> None:
    admin = users.admin()
    assert admin.get("/settings").json["start_code"] == "off"
    refused = admin.patch("/settings", {"start_code": "sometimes"})
    assert (refused.status_code, list(refused.json["errors"])) == (422, ["start_code"])
    assert admin.patch("/settings", REQUIRED).json["start_code"] == "required"
    entry = admin.get("/audit?action=settings_changed").json["items"][0]
    assert (entry["before"], entry["after"]) == ({"start_code": "off"}, REQUIRED)
