"""The expected response to each action by each relation and status, derived from the state table."""

from typing import Final

from backend.domain.task_requests.lifecycle import TABLE, Action, Facts, Relation, Status, meets_needs, rule_of

USUAL: Final = Facts()
TAKEN: Final = {Status.ACCEPTED, Status.COMPLETED, Status.CLOSED}
ROLES: Final = {
    Relation.CUSTOMER: "customer",
    Relation.PROFESSIONAL: "professional",
    Relation.CANDIDATE: "professional",
}
VERBS: Final = {
    Action.EDIT: ("patch", "", {"remarks": "Other remarks"}),
    Action.MOVE: ("patch", "", None),
    Action.ACCEPT: ("post", "/accept", None),
    Action.REJECT: ("post", "/reject", {"reason": "Something came up"}),
    Action.RELEASE: ("post", "/release", {"reason": "Something came up"}),
    Action.ON_TIME: ("post", "/on_time", None),
    Action.ON_THE_WAY: ("post", "/on_the_way", {"eta_minutes": 20}),
    Action.RUNNING_LATE: ("post", "/running_late", {"eta_minutes": 40}),
    Action.ARRIVE: ("post", "/arrive", None),
    Action.START: ("post", "/start", None),
    Action.UNDO_STEP: ("post", "/undo_step", None),
    Action.COMPLETE: ("post", "/complete", None),
    Action.CLOSE: ("post", "/close", {"remarks": "Well done"}),
    Action.CANCEL: ("post", "/cancel", {"reason": "Something came up"}),
    Action.REVIEW: ("post", "/review", {"rating": 5}),
}


def expected(
    action: Action, role: str, relation: Relation, status: Status, facts: Facts = USUAL
) -> tuple[int, str | None]:
    """Return the expected HTTP status and error code (None for success)."""
    may = {who for rule in TABLE if rule.action is action for who in rule.who}
    if role not in {ROLES[who] for who in may if who in ROLES}:
        return 403, "role_not_allowed"
    if relation is Relation.MISSED and Relation.CANDIDATE in may:
        return 409, "already_taken" if status in TAKEN else "invalid_transition"
    if relation in (Relation.NONE, Relation.MISSED):
        return 404, "not_found"
    rule = rule_of(action, relation, status)
    if rule is not None and meets_needs(rule, facts):
        return (201 if action is Action.REVIEW else 200), None
    if relation is Relation.VIEWER and Relation.CANDIDATE in may:
        return 403, "task_not_done"
    return 409, "invalid_transition"


def target(action: Action, relation: Relation, status: Status) -> Status:
    """Return the status after a successful action."""
    rule = rule_of(action, relation, status)
    assert rule is not None
    return rule.target or status
