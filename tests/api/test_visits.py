"""The steps of a visit over HTTP: order, reported times, undo, notifications, and what clears them."""

from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine

from backend.core.clock import now
from tests.factories.requests import WHY, at, do, notified_kinds
from tests.factories.users import Users
from tests.factories.visits import Visit, accept_hours_ago, pass_minutes

TIMES = ("on_the_way_at", "arrived_at", "started_at", "eta_at")


def times(visit: Visit) -> dict[str, bool]:
    """Return which times of the visit are set."""
    seen = visit.seen_by(visit.asha)
    return {name: seen[name] is not None for name in TIMES}


def history(visit: Visit) -> list[dict[str, Any]]:
    return list(visit.seen_by(visit.asha)["history"])


@pytest.fixture
def visit(users: Users) -> Visit:
    return Visit(users)


def test_visit_steps_set_times_and_keep_status_accepted(visit: Visit) -> None:
    set_off = visit.call(visit.ravi, "on_the_way", {"eta_minutes": 25})
    assert set_off.status_code == 200, set_off.json
    assert (set_off.json["status"], set_off.json["arrived_at"]) == ("accepted", None)
    expected = now() + timedelta(minutes=25)
    assert abs((expected - _time(set_off.json["eta_at"])).total_seconds()) < 30
    assert visit.call(visit.ravi, "arrive").json["arrived_at"] is not None
    started = visit.call(visit.ravi, "start")
    assert (started.status_code, started.json["status"]) == (200, "accepted")
    seen = visit.asha.get(visit.path).json
    assert seen["accepted_at"] <= seen["on_the_way_at"] <= seen["arrived_at"] <= seen["started_at"]
    assert [entry["action"] for entry in seen["history"]][2:] == ["on_the_way", "arrive", "start"]
    assert {(entry["from"], entry["to"]) for entry in seen["history"][2:]} == {("accepted", "accepted")}
    assert do(visit.ravi, f"{visit.path}/complete")["started_at"] == seen["started_at"]


def test_visit_steps_notify_other_side(visit: Visit) -> None:
    for step, body in (("on_the_way", None), ("running_late", {"eta_minutes": 30}), ("arrive", None), ("start", None)):
        do(visit.ravi, f"{visit.path}/{step}", body)
    do(visit.ravi, f"{visit.path}/undo_step")
    told = ["request_step_undone", "request_started", "request_arrived", "request_running_late", "request_on_the_way"]
    assert notified_kinds(visit.asha)[:5] == told
    do(visit.asha, f"{visit.path}/start")
    assert notified_kinds(visit.ravi)[0] == "request_started"
    newest = visit.ravi.get("/notifications").json["items"][0]
    assert newest["body"] == "Asha confirmed that you are there."
    undone = visit.asha.get("/notifications").json["items"][0]
    assert undone["body"] == "Ravi (Rao and Sons) undid this step: started."


def test_visit_steps_may_be_skipped_and_never_repeated(visit: Visit) -> None:
    assert visit.call(visit.ravi, "arrive").status_code == 200
    for step in ("on_the_way", "arrive"):
        refused = visit.call(visit.ravi, step)
        assert (refused.status_code, refused.json["code"]) == (409, "invalid_transition")
        assert refused.json["detail"] == (
            "The professional has already arrived. Possible actions: release, start, undo_step, propose_line, complete."
        )
    assert visit.call(visit.ravi, "running_late", {"eta_minutes": 5}).status_code == 409
    assert visit.call(visit.ravi, "start").status_code == 200
    assert visit.call(visit.asha, "start").status_code == 409


def test_visit_step_of_request_that_is_not_accepted_is_refused(visit: Visit) -> None:
    do(visit.ravi, f"{visit.path}/complete")
    refused = visit.call(visit.ravi, "arrive")
    assert refused.json["code"] == "invalid_transition"
    assert refused.json["detail"] == "A visit needs an accepted request. Its status is completed."


def test_running_late_replaces_estimate_before_and_after_setting_off(visit: Visit) -> None:
    first = do(visit.ravi, f"{visit.path}/running_late", {"eta_minutes": 60})
    assert (first["on_the_way_at"], first["eta_at"] is not None) == (None, True)
    assert do(visit.ravi, f"{visit.path}/on_the_way")["eta_at"] == first["eta_at"]
    later = do(visit.ravi, f"{visit.path}/running_late", {"eta_minutes": 90})
    assert later["eta_at"] > first["eta_at"]
    assert history(visit)[-1]["changes"] == {"eta_at": _plain(later["eta_at"])}


@pytest.mark.parametrize("minutes", [0, 241, -5, "20", 1.5, True])
def test_on_the_way_with_invalid_estimate_names_field(visit: Visit, minutes: object) -> None:
    refused = visit.call(visit.ravi, "on_the_way", {"eta_minutes": minutes})
    assert (refused.status_code, list(refused.json["errors"])) == (422, ["eta_minutes"])
    assert visit.call(visit.ravi, "running_late", {}).status_code == 422


def test_undo_step_clears_last_step_only_and_keeps_history(visit: Visit) -> None:
    do(visit.ravi, f"{visit.path}/on_the_way", {"eta_minutes": 10})
    do(visit.ravi, f"{visit.path}/arrive")
    undone = do(visit.ravi, f"{visit.path}/undo_step")
    assert (undone["on_the_way_at"] is not None, undone["arrived_at"]) == (True, None)
    assert "undo_step" not in undone["visit_actions"]
    assert visit.call(visit.ravi, "undo_step").status_code == 409
    entries = history(visit)
    assert [entry["action"] for entry in entries][2:] == ["on_the_way", "arrive", "undo_step"]
    assert entries[-1]["changes"] == {"step": "arrive"}
    assert do(visit.ravi, f"{visit.path}/arrive")["arrived_at"] is not None


def test_undo_step_of_on_the_way_clears_estimate(visit: Visit) -> None:
    do(visit.ravi, f"{visit.path}/on_the_way", {"eta_minutes": 10})
    do(visit.ravi, f"{visit.path}/undo_step")
    assert not any(times(visit).values())


def test_undo_step_is_possible_for_two_minutes_by_who_took_it(visit: Visit) -> None:
    do(visit.asha, f"{visit.path}/start")
    refused = visit.call(visit.ravi, "undo_step")
    assert refused.status_code == 409
    assert refused.json["detail"].startswith("Only the last step of the visit can be undone, within two minutes")
    pass_minutes(1.9)
    assert "undo_step" in visit.asha.get(visit.path).json["visit_actions"]
    pass_minutes(0.2)
    assert "undo_step" not in visit.asha.get(visit.path).json["visit_actions"]
    assert visit.call(visit.asha, "undo_step").status_code == 409
    assert times(visit)["started_at"]


@pytest.mark.parametrize("how", ["move", "release"])
def test_move_and_release_clear_timeline_and_history_keeps_it(visit: Visit, how: str) -> None:
    for step in ("on_the_way", "arrive", "start"):
        do(visit.ravi, f"{visit.path}/{step}")
    if how == "move":
        assert visit.asha.patch(visit.path, {"date_of_request": at(days=3)}).status_code == 200
    else:
        do(visit.ravi, f"{visit.path}/release", WHY)
    assert not any(times(visit).values())
    assert {"on_the_way", "arrive", "start"} <= {entry["action"] for entry in history(visit)}
    do(visit.ravi, f"{visit.path}/accept")
    seen = visit.ravi.get(visit.path).json
    assert {"on_the_way", "arrive", "start"} <= set(seen["visit_actions"])


def test_block_of_professional_clears_timeline(visit: Visit, users: Users) -> None:
    do(visit.ravi, f"{visit.path}/on_the_way", {"eta_minutes": 10})
    do(users.admin(), f"/users/{visit.ravi.id}/block", {"reason": "other"})
    assert visit.asha.get(visit.path).json["status"] == "requested"
    assert not any(times(visit).values())


def test_reported_time_is_kept_beside_time_of_receipt(visit: Visit) -> None:
    accept_hours_ago(5)
    reported = now() - timedelta(hours=2)
    answer = do(visit.ravi, f"{visit.path}/on_the_way", {"at": reported.isoformat(), "eta_minutes": 30})
    assert _time(answer["on_the_way_at"]) == reported
    assert _time(answer["eta_at"]) == reported + timedelta(minutes=30)
    entry = history(visit)[-1]
    assert _time(entry["changes"]["reported_at"]) == reported
    assert _time(entry["at"]) > reported + timedelta(hours=1)
    assert "undo_step" in answer["visit_actions"], "two minutes from the receipt"


@pytest.mark.parametrize(
    ("hours", "message"),
    [
        (-0.1, "Must not be in the future."),
        (3, "Must not be before the previous step of the visit."),
        (6, "Must not be before the request was accepted."),
        (13, "Must not be before the request was accepted."),
    ],
)
def test_reported_time_that_cannot_be_is_refused(visit: Visit, hours: float, message: str) -> None:
    accept_hours_ago(5)
    do(visit.ravi, f"{visit.path}/on_the_way", {"at": (now() - timedelta(hours=2)).isoformat()})
    refused = visit.call(visit.ravi, "arrive", {"at": (now() - timedelta(hours=hours)).isoformat()})
    assert (refused.status_code, refused.json["errors"]) == (422, {"at": [message]})


def test_reported_time_may_be_as_old_as_setting_says(visit: Visit) -> None:
    accept_hours_ago(48)
    refused = visit.call(visit.ravi, "arrive", {"at": (now() - timedelta(hours=12.1)).isoformat()})
    assert refused.json["errors"] == {"at": ["Must be within the last 12 hours."]}
    assert visit.call(visit.ravi, "arrive", {"at": "2030-01-01T10:00:00"}).status_code == 422
    assert visit.call(visit.ravi, "arrive", {"at": (now() - timedelta(hours=11.9)).isoformat()}).status_code == 200


def test_completion_reported_later_has_reported_time_and_is_done_once(visit: Visit) -> None:
    accept_hours_ago(5)
    start, end = now() - timedelta(hours=2), now() - timedelta(hours=1)
    do(visit.ravi, f"{visit.path}/start", {"at": start.isoformat()})
    early = visit.call(visit.ravi, "complete", {"at": (start - timedelta(minutes=1)).isoformat()})
    assert early.json["errors"] == {"at": ["Must not be before the previous step of the visit."]}
    key = {"Idempotency-Key": "queued-2"}
    done = [visit.call(visit.ravi, "complete", {"at": end.isoformat()}, headers=key) for _ in range(2)]
    assert [(answer.status_code, _time(answer.json["completed_at"])) for answer in done] == [(200, end)] * 2
    entries = [entry for entry in history(visit) if entry["action"] == "complete"]
    assert [_time(entry["changes"]["reported_at"]) for entry in entries] == [end]
    assert _time(entries[0]["at"]) > end + timedelta(minutes=59)


def test_visit_step_with_same_key_is_taken_once(visit: Visit) -> None:
    key = {"Idempotency-Key": "queued-1"}
    first = visit.call(visit.ravi, "on_the_way", {"eta_minutes": 15}, headers=key)
    again = visit.call(visit.ravi, "on_the_way", {"eta_minutes": 15}, headers=key)
    assert (first.status_code, again.status_code) == (200, 200)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert first.json == again.json
    assert visit.call(visit.ravi, "on_the_way", {"eta_minutes": 20}, headers=key).status_code == 422
    assert [entry["action"] for entry in history(visit)].count("on_the_way") == 1


def test_visit_step_with_stale_version_is_refused(visit: Visit) -> None:
    tag = visit.ravi.get(visit.path).headers["ETag"]
    assert visit.call(visit.ravi, "on_the_way", headers={"If-Match": tag}).status_code == 200
    assert visit.call(visit.ravi, "arrive", headers={"If-Match": tag}).status_code == 412


def test_visit_steps_of_other_users_are_refused(visit: Visit, users: Users) -> None:
    other, stranger, admin = visit.market.professional(), users.customer(), users.admin()
    found = [visit.call(who, "start").status_code for who in (other, stranger, admin)]
    assert found == [404, 404, 403]
    assert visit.call(visit.asha, "arrive").status_code == 403
    assert not any(times(visit).values())


def test_completion_is_not_before_reported_start(visit: Visit) -> None:
    with time_machine.travel(now() + timedelta(minutes=5), tick=False):
        do(visit.asha, f"{visit.path}/start")
    done = do(visit.ravi, f"{visit.path}/complete")
    assert done["completed_at"] == done["started_at"]


def _time(value: str) -> datetime:
    return datetime.fromisoformat(value)


def _plain(value: str) -> str:
    return str(_time(value).isoformat())
