"""Price lines: what they amount to, who decides about them, and what the end of an acceptance does to them."""

import json
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import func, literal_column, select, text
from sqlalchemy.exc import ProgrammingError

from backend.core.db.session import db, transaction
from tests.factories.price_lines import EXTRA, code_of, decide, lines, propose, total_of, wrong
from tests.factories.requests import WHY, at, do, notified_kinds
from tests.factories.users import Users
from tests.factories.visits import Visit, pass_minutes

PRICE = Decimal("499.00")


@pytest.fixture
def visit(users: Users) -> Visit:
    return Visit(users)


def test_proposed_line_costs_nothing_until_customer_approves_it(visit: Visit) -> None:
    line = propose(visit)
    assert (line["state"], line["amount"], "approval_code" in line) == ("proposed", "250.00", False)
    assert total_of(visit) == PRICE
    approved = decide(visit, visit.asha, line, "approve")
    assert (approved.status_code, approved.json["state"], approved.json["by_code"]) == (200, "approved", False)
    seen = visit.seen_by(visit.ravi)
    assert (seen["price"], seen["total"]) == ("499.00", "749.00")
    listed = lines(visit, visit.ravi)
    assert (listed["price"], listed["total"], len(listed["items"])) == ("499.00", "749.00", 1)


def test_contact_details_in_texts_are_hidden_where_setting_says_masked(visit: Visit, users: Users) -> None:
    assert propose(visit, title="Tap, call 98765 43210")["title"] == "Tap, call 98765 43210"
    users.admin().patch("/settings", {"contact": "masked"})
    line = propose(visit, title="Pipe, call nine eight seven six five 43210", reason="Call 98765 43210")
    assert (line["title"], line["reason"]) == ("Pipe, call •••", "Call •••")
    assert [entry["changes"]["title"] for entry in visit.seen_by(visit.asha)["history"][-1:]] == ["Pipe, call •••"]


def test_each_step_is_in_the_history_and_told_to_the_other_side(visit: Visit) -> None:
    first, second, third = (propose(visit, title=title) for title in ("Tap", "Pipe", "Valve"))
    assert notified_kinds(visit.asha)[0] == "request_line_proposed"
    decide(visit, visit.asha, first, "approve")
    assert notified_kinds(visit.ravi)[0] == "request_line_approved"
    decide(visit, visit.asha, second, "decline")
    assert notified_kinds(visit.ravi)[0] == "request_line_declined"
    decide(visit, visit.ravi, third, "withdraw")
    assert notified_kinds(visit.asha)[0] == "request_line_withdrawn"
    entries = [entry for entry in visit.seen_by(visit.asha)["history"] if entry["action"].endswith("_line")]
    steps = [("propose_line", "Tap"), ("propose_line", "Pipe"), ("propose_line", "Valve"), ("approve_line", "Tap"),
             ("decline_line", "Pipe"), ("withdraw_line", "Valve")]  # fmt: skip
    assert [(entry["action"], entry["changes"]["title"]) for entry in entries] == steps
    assert {entry["changes"]["amount"] for entry in entries} == {"250.00"}


@pytest.mark.parametrize(
    ("kind", "quantity", "unit_amount", "amount"),
    [
        ("extra", "1.5", "33.33", "50.00"),  # 49.995
        ("material", "0.333", "10.00", "3.33"),
        ("material", 3, 12.5, "37.50"),
        ("discount", "1", "99.99", "-99.99"),
        ("discount", "0.5", "0.01", "-0.01"),  # 0.005
    ],
)
def test_amounts_are_exact_and_rounded_half_up(
    visit: Visit, kind: str, quantity: Any, unit_amount: Any, amount: str
) -> None:
    line = propose(visit, kind=kind, quantity=quantity, unit_amount=unit_amount)
    assert line["amount"] == amount
    assert decide(visit, visit.asha, line, "approve").status_code == 200
    assert total_of(visit) == PRICE + Decimal(amount)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"kind": "tip"}, "kind"),
        ({"title": " "}, "title"),
        ({"title": "x" * 101}, "title"),
        ({"quantity": "0"}, "quantity"),
        ({"quantity": "1.0001"}, "quantity"),
        ({"quantity": "-1"}, "quantity"),
        ({"quantity": "10001"}, "quantity"),
        ({"quantity": True}, "quantity"),
        ({"quantity": "1e2"}, "quantity"),
        ({"unit_amount": "0"}, "unit_amount"),
        ({"unit_amount": "-5"}, "unit_amount"),
        ({"unit_amount": "1.001"}, "unit_amount"),
        ({"quantity": "0.001", "unit_amount": "0.01"}, "quantity"),
        ({"quantity": "10000", "unit_amount": "10000000"}, "quantity"),
        ({"amount": "5.00"}, "amount"),
    ],
)
def test_invalid_line_names_the_field(visit: Visit, changes: dict[str, Any], field: str) -> None:
    refused = visit.ravi.post(f"{visit.path}/price_lines", {**EXTRA, **changes})
    assert (refused.status_code, list(refused.json["errors"])) == (422, [field])


def test_discount_never_takes_the_total_below_zero(visit: Visit) -> None:
    too_much = visit.ravi.post(f"{visit.path}/price_lines", {**EXTRA, "kind": "discount", "unit_amount": "499.01"})
    assert (too_much.status_code, too_much.json["code"]) == (409, "discount_too_large")
    first, second = (propose(visit, kind="discount", unit_amount="499.00") for _ in range(2))
    assert decide(visit, visit.asha, first, "approve").status_code == 200
    assert visit.seen_by(visit.asha)["total"] == "0.00"
    refused = decide(visit, visit.asha, second, "approve")
    assert (refused.status_code, refused.json["code"]) == (409, "discount_too_large")
    assert total_of(visit) == 0


def test_work_cannot_be_completed_or_closed_with_an_undecided_line(visit: Visit) -> None:
    line = propose(visit)
    for who, verb in ((visit.asha, "complete"), (visit.ravi, "complete"), (visit.asha, "close")):
        refused = who.post(f"{visit.path}/{verb}")
        assert (refused.status_code, refused.json["code"]) == (409, "line_undecided")
        assert verb not in visit.seen_by(who)["allowed_actions"]
    assert visit.asha.patch(visit.path, {"status": "completed"}).json["code"] == "line_undecided"
    decide(visit, visit.asha, line, "decline")
    assert do(visit.ravi, f"{visit.path}/complete")["total"] == "499.00"
    late = visit.ravi.post(f"{visit.path}/price_lines", EXTRA)
    assert (late.status_code, late.json["code"]) == (409, "invalid_transition")


def test_line_is_decided_once(visit: Visit) -> None:
    line, other = propose(visit), propose(visit)
    assert decide(visit, visit.asha, line, "decline").status_code == 200
    for who, verb in ((visit.asha, "approve"), (visit.asha, "decline"), (visit.ravi, "withdraw")):
        refused = decide(visit, who, line, verb)
        assert (refused.status_code, refused.json["code"]) == (409, "line_decided")
    decide(visit, visit.ravi, other, "withdraw")
    assert decide(visit, visit.asha, other, "approve").json["code"] == "line_decided", "and with none left"
    assert visit.asha.post(f"{visit.path}/price_lines/{other['id'] + 1}/approve").status_code == 404


def test_price_actions_follow_the_state_table(visit: Visit) -> None:
    assert visit.seen_by(visit.ravi)["price_actions"] == ["propose_line"]
    assert visit.seen_by(visit.asha)["price_actions"] == []
    propose(visit)
    assert visit.seen_by(visit.ravi)["price_actions"] == ["propose_line", "approve_line", "withdraw_line"]
    assert visit.seen_by(visit.asha)["price_actions"] == ["approve_line", "decline_line"]


def test_line_of_another_request_is_not_found(visit: Visit) -> None:
    line = propose(visit)
    other = visit.market.bring_to("accepted", visit.asha, visit.ravi, date_of_request=at(days=3))
    assert visit.asha.post(f"/requests/{other['id']}/price_lines/{line['id']}/approve").status_code == 404


def test_professional_approves_with_the_code_that_only_the_customer_sees(visit: Visit, users: Users) -> None:
    line, other = propose(visit), propose(visit, title="Pipe")
    code = code_of(visit, line)
    assert (len(code), code.isdigit(), code != code_of(visit, other)) == (4, True, True)
    for who in (visit.ravi, users.admin()):
        assert all("approval_code" not in item for item in lines(visit, who)["items"])
    missing = decide(visit, visit.ravi, line, "approve")
    assert (missing.status_code, missing.json["code"]) == (422, "code_required")
    for attempt in (wrong(code), code_of(visit, other)):
        refused = decide(visit, visit.ravi, line, "approve", {"code": attempt})
        assert (refused.status_code, refused.json["code"]) == (422, "wrong_code")
    approved = decide(visit, visit.ravi, line, "approve", {"code": code})
    assert (approved.status_code, approved.json["by_code"]) == (200, True)
    assert notified_kinds(visit.asha)[0] == "request_line_approved"
    assert lines(visit, visit.asha)["items"][0]["approval_code"] is None
    assert visit.seen_by(visit.asha)["history"][-1]["changes"]["by_code"] is True


def test_approval_code_is_in_no_table(visit: Visit) -> None:
    line = propose(visit)
    code = code_of(visit, line)
    decide(visit, visit.ravi, line, "approve", {"code": wrong(code)})
    decide(visit, visit.ravi, line, "approve", {"code": code})
    for table in ("notifications", "deliveries", "request_events", "audit_entries", "jobs", "task_requests",
                  "price_lines"):  # fmt: skip
        rows = db.session.execute(select(func.to_jsonb(literal_column("t"))).select_from(text(f"{table} t"))).scalars()
        assert all(f'"{code}"' not in json.dumps(row) for row in rows), table


def test_five_wrong_codes_lock_all_lines_of_the_request_for_fifteen_minutes(visit: Visit) -> None:
    line = propose(visit)
    codes = [decide(visit, visit.ravi, line, "approve", {"code": wrong(code_of(visit, line))}) for _ in range(5)]
    assert [answer.status_code for answer in codes] == [422] * 5
    decide(visit, visit.ravi, line, "withdraw")
    again = propose(visit)
    locked = decide(visit, visit.ravi, again, "approve", {"code": code_of(visit, again)})
    assert (locked.status_code, locked.json["code"]) == (429, "too_many_tries"), "a new line gives no new tries"
    assert 14 * 60 < int(locked.headers["Retry-After"]) <= 15 * 60
    assert decide(visit, visit.asha, again, "approve").status_code == 200, "the customer needs no code"
    pass_minutes(15.1)
    third = propose(visit)
    assert decide(visit, visit.ravi, third, "approve", {"code": code_of(visit, third)}).status_code == 200


def test_release_withdraws_lines_and_they_do_not_count_for_the_next(visit: Visit) -> None:
    approved, undecided = propose(visit, title="Tap"), propose(visit, title="Pipe")
    decide(visit, visit.asha, approved, "approve")
    do(visit.ravi, f"{visit.path}/release", WHY)
    assert (total_of(visit), {item["state"] for item in lines(visit, visit.asha)["items"]}) == (PRICE, {"withdrawn"})
    next_one = visit.market.professional()
    do(next_one, f"{visit.path}/accept")
    assert next_one.get(f"{visit.path}/price_lines").json["items"] == []
    assert next_one.get(visit.path).json["total"] == "499.00"
    assert decide(visit, visit.asha, undecided, "approve").json["code"] == "line_decided"
    do(next_one, f"{visit.path}/complete")


def test_new_date_withdraws_lines(visit: Visit) -> None:
    propose(visit)
    decide(visit, visit.asha, propose(visit), "approve")
    assert visit.asha.patch(visit.path, {"date_of_request": at(days=4)}).json["total"] == "499.00"
    assert {item["state"] for item in lines(visit, visit.asha)["items"]} == {"withdrawn"}
    do(visit.ravi, f"{visit.path}/accept")
    assert visit.seen_by(visit.ravi)["price_actions"] == ["propose_line"]


def test_cancellation_withdraws_undecided_lines_only(visit: Visit) -> None:
    propose(visit, title="Pipe")
    decide(visit, visit.asha, propose(visit, title="Tap"), "approve")
    assert do(visit.asha, f"{visit.path}/cancel", WHY)["total"] == "749.00"
    assert {item["title"]: item["state"] for item in lines(visit, visit.asha)["items"]} == {
        "Pipe": "withdrawn",
        "Tap": "approved",
    }


def test_block_of_either_side_ends_the_lines(visit: Visit, users: Users) -> None:
    decide(visit, visit.asha, propose(visit, title="Tap"), "approve")
    propose(visit)
    admin = users.admin()
    do(admin, f"/users/{visit.ravi.id}/block", {"reason": "fraud"})
    seen = visit.seen_by(visit.asha)
    assert (seen["status"], seen["total"]) == ("requested", "499.00")
    assert {item["state"] for item in lines(visit, visit.asha)["items"]} == {"withdrawn"}
    next_one = visit.market.professional()
    do(next_one, f"{visit.path}/accept")
    do(next_one, f"{visit.path}/price_lines", EXTRA)
    do(admin, f"/users/{visit.asha.id}/block", {"reason": "fraud"})
    assert admin.get(f"{visit.path}/price_lines").json["items"][-1]["state"] == "withdrawn"


def test_cap_limits_what_lines_add_to_the_agreed_price(users: Users) -> None:
    visit = Visit(users, {"extra_work_cap_percent": 50})
    over = visit.ravi.post(f"{visit.path}/price_lines", {**EXTRA, "unit_amount": "249.51"})
    assert (over.status_code, over.json["code"]) == (409, "line_above_cap")
    first, second = propose(visit, unit_amount="249.50"), propose(visit, unit_amount="0.01")
    assert decide(visit, visit.asha, first, "approve").status_code == 200
    assert decide(visit, visit.asha, second, "approve").json["code"] == "line_above_cap"
    discount = propose(visit, kind="discount", unit_amount="0.01")
    assert decide(visit, visit.asha, discount, "approve").status_code == 200
    assert decide(visit, visit.asha, second, "approve").status_code == 200
    assert lines(visit, visit.ravi)["cap_percent"] == 50


def test_reasons_of_the_marketplace_are_required_where_it_names_any(users: Users) -> None:
    visit = Visit(users, {"extra_work_reasons": "Found during the work\n\n Customer asked for more "})
    allowed = ["Found during the work", "Customer asked for more"]
    assert lines(visit, visit.ravi)["reasons"] == allowed
    for reason in (None, "Because"):
        refused = visit.ravi.post(f"{visit.path}/price_lines", {**EXTRA, "reason": reason})
        assert (refused.status_code, list(refused.json["errors"])) == (422, ["reason"])
    assert propose(visit, reason=allowed[1])["reason"] == allowed[1]
    assert propose(visit, kind="discount", unit_amount="5")["reason"] is None


def test_twenty_undecided_lines_are_the_most(visit: Visit) -> None:
    for number in range(20):
        propose(visit, title=f"Part {number}")
    refused = visit.ravi.post(f"{visit.path}/price_lines", EXTRA)
    assert (refused.status_code, refused.json["code"]) == (409, "too_many_lines")


def test_proposal_with_the_same_idempotency_key_is_made_once(visit: Visit) -> None:
    answers = [
        visit.ravi.post(f"{visit.path}/price_lines", EXTRA, headers={"Idempotency-Key": "line-1"}).json["id"]
        for _ in range(2)
    ]
    assert answers[0] == answers[1]
    assert len(lines(visit, visit.asha)["items"]) == 1


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE price_lines SET unit_amount = 1, amount = 1",
        "UPDATE price_lines SET title = 'Other'",
        "UPDATE price_lines SET state = 'declined'",
        "UPDATE price_lines SET state = 'proposed', decided_at = NULL, decided_by = NULL",
        "UPDATE price_lines SET state = 'withdrawn', withdrawn_at = now(), decided_at = now()",
        "DELETE FROM price_lines",
        "TRUNCATE price_lines",
    ],
)
def test_database_refuses_to_change_a_decided_line(visit: Visit, change: str) -> None:
    decide(visit, visit.asha, propose(visit), "approve")
    with pytest.raises(ProgrammingError, match="never changed"), transaction():
        db.session.execute(text(change))


def test_stale_version_is_refused(visit: Visit) -> None:
    version = visit.asha.get(visit.path).headers["ETag"]
    line = propose(visit)
    path = f"{visit.path}/price_lines/{line['id']}/approve"
    assert visit.asha.post(path, headers={"If-Match": version}).status_code == 412
    assert visit.asha.post(path, headers={"If-Match": visit.asha.get(visit.path).headers["ETag"]}).status_code == 200
