"""THE STATE TABLE of requests: states, actions, who may do them, from which state, to which, and what follows.

Screens, errors, documentation and tests follow it. Plain Python: it imports no framework.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Status(StrEnum):
    REQUESTED = "requested"
    ACCEPTED = "accepted"
    COMPLETED = "completed"
    CLOSED = "closed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class Action(StrEnum):
    """What can be done to a request. ``move`` is the edit of its date; outside it is called "edit" as well."""

    CREATE = "create"
    EDIT = "edit"
    MOVE = "move"
    ACCEPT = "accept"
    REJECT = "reject"
    RELEASE = "release"
    COMPLETE = "complete"
    CLOSE = "close"
    CANCEL = "cancel"
    REVIEW = "review"
    OPEN = "open"
    EXPIRE = "expire"

    @property
    def public(self) -> str:
        """Its name in histories and in ``allowed_actions``."""
        return "edit" if self is Action.MOVE else self.value


class Relation(StrEnum):
    """What someone is to one request."""

    CUSTOMER = "its customer"
    PROFESSIONAL = "its professional"
    CANDIDATE = "a professional who sees it waiting and does the task"
    VIEWER = "a professional who sees it waiting and does not do the task"
    MISSED = "a professional who could have seen it while it waited"
    NONE = "someone who may not see it"
    ADMIN = "an admin"
    SYSTEM = "the system: housekeeping and the command line"


VISIBLE_TO: Final = frozenset(
    {Relation.CUSTOMER, Relation.PROFESSIONAL, Relation.CANDIDATE, Relation.VIEWER, Relation.ADMIN}
)


class Need(StrEnum):
    """What an action asks for beside the state."""

    REASON = "a reason"
    CHANGES = "other remarks, address or pincode"
    COMING_DATE = "a date that lies far enough ahead"
    OFFERED_TASK = "a task that is offered; a professional who does it, if one is asked for"
    NOT_PASSED = "the date has not passed"
    FREE_TIME = "no other accepted request of the professional at that time"
    PASSED = "the date has passed"
    UNANSWERED = "the professional asked for did not answer in time, or is blocked"
    FIRST_REVIEW = "no review yet, within 30 days of the end"


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the table. ``target`` is None where the request stays in its state."""

    action: Action
    who: frozenset[Relation]
    sources: frozenset[Status | None]
    target: Status | None
    needs: tuple[Need, ...] = ()
    tells: tuple[str, ...] = ()
    follows: str = ""


def _rule(
    action: Action,
    who: Relation | tuple[Relation, ...],
    sources: tuple[Status | None, ...],
    target: Status | None,
    **rest: object,
) -> Rule:
    people = who if isinstance(who, tuple) else (who,)
    return Rule(action, frozenset(people), frozenset(sources), target, **rest)  # type: ignore[arg-type]  # the rest goes on by name


_S, _R, _N = Status, Relation, Need

TABLE: Final[tuple[Rule, ...]] = (
    _rule(
        Action.CREATE,
        _R.CUSTOMER,
        (None,),
        _S.REQUESTED,
        needs=(_N.OFFERED_TASK, _N.COMING_DATE),
        tells=("request_new to the professional asked for, else to the nearest who do the task",),
        follows="Name, price and time of the task are kept. Asked of one professional until they answer or time is up.",
    ),
    _rule(
        Action.EDIT,
        _R.CUSTOMER,
        (_S.REQUESTED, _S.ACCEPTED),
        None,
        needs=(_N.CHANGES,),
        tells=("request_changed to its professional or the one asked for",),
    ),
    _rule(
        Action.MOVE,
        _R.CUSTOMER,
        (_S.REQUESTED, _S.ACCEPTED),
        _S.REQUESTED,
        needs=(_N.COMING_DATE,),
        tells=("request_changed to its professional or the one asked for",),
        follows="Asked of the same professional first.",
    ),
    _rule(
        Action.ACCEPT,
        _R.CANDIDATE,
        (_S.REQUESTED,),
        _S.ACCEPTED,
        needs=(_N.NOT_PASSED, _N.FREE_TIME),
        tells=("request_accepted to the customer",),
        follows="The professional sees the customer's name, address and phone; nobody else sees the request any more.",
    ),
    _rule(
        Action.REJECT,
        _R.CANDIDATE,
        (_S.REQUESTED,),
        None,
        needs=(_N.REASON,),
        tells=("request_rejected to the customer, when the professional was the one asked for",),
        follows="Hidden from that professional, open to the others.",
    ),
    _rule(
        Action.RELEASE,
        (_R.PROFESSIONAL, _R.SYSTEM),
        (_S.ACCEPTED,),
        _S.REQUESTED,
        needs=(_N.REASON,),
        tells=("request_released to the customer",),
        follows="Open to all. The market does it when the professional is blocked or no longer approved.",
    ),
    _rule(
        Action.COMPLETE,
        (_R.PROFESSIONAL, _R.CUSTOMER),
        (_S.ACCEPTED,),
        _S.COMPLETED,
        tells=("request_completed to the other side",),
        follows="Before or after the date. The professional's time is free again.",
    ),
    _rule(
        Action.CLOSE,
        _R.PROFESSIONAL,
        (_S.COMPLETED,),
        _S.CLOSED,
        tells=("request_closed to the customer",),
    ),
    _rule(
        Action.CLOSE,
        _R.CUSTOMER,
        (_S.ACCEPTED, _S.COMPLETED),
        _S.CLOSED,
        tells=("request_closed to the professional",),
        follows="From accepted it completes the request as well.",
    ),
    _rule(
        Action.CANCEL,
        (_R.CUSTOMER, _R.SYSTEM),
        (_S.REQUESTED, _S.ACCEPTED),
        _S.CANCELLED,
        needs=(_N.REASON,),
        tells=("request_cancelled to its professional or the one asked for",),
        follows="Marked late when it was accepted (or moved away) within the task's free cancellation time. "
        "The market does it when the customer is blocked.",
    ),
    _rule(
        Action.REVIEW,
        _R.CUSTOMER,
        (_S.COMPLETED, _S.CLOSED),
        None,
        needs=(_N.FIRST_REVIEW,),
        tells=("request_reviewed to the professional",),
        follows="Counts in the ratings of professional and task.",
    ),
    _rule(
        Action.OPEN,
        _R.SYSTEM,
        (_S.REQUESTED,),
        None,
        needs=(_N.UNANSWERED,),
        tells=("request_opened to the customer",),
        follows="Open to all.",
    ),
    _rule(
        Action.EXPIRE,
        _R.SYSTEM,
        (_S.REQUESTED,),
        _S.EXPIRED,
        needs=(_N.PASSED,),
        tells=("request_expired to the customer",),
    ),
)

REASONS: Final[dict[Action, tuple[str, ...]]] = {
    Action.REJECT: ("not_free", "too_far", "not_my_work", "other"),
    Action.RELEASE: ("ill", "not_free", "too_far", "customer_not_reached", "other"),
    Action.CANCEL: ("not_needed", "other_date", "found_someone_else", "price", "professional_not_reached", "other"),
}


def rules_for(action: Action) -> Iterator[Rule]:
    """The rows of one action."""
    return (rule for rule in TABLE if rule.action is action)


def sources_of(action: Action) -> frozenset[Status | None]:
    """The states in which anyone at all may do it."""
    return frozenset().union(*(rule.sources for rule in rules_for(action)))


def rule_of(action: Action, relation: Relation, status: Status | None) -> Rule | None:
    """The row that lets this relation do it from this state, if there is one."""
    return next((r for r in rules_for(action) if relation in r.who and status in r.sources), None)


@dataclass(frozen=True, slots=True)
class Facts:
    """What the state alone does not tell: whether the date has passed, and whether a review may still be given."""

    passed: bool = False
    reviewable: bool = True


def allowed_actions(status: Status, relation: Relation, facts: Facts = Facts()) -> list[str]:
    """What this relation may do now, by public names, in the table's order."""
    names: dict[str, None] = {}
    for rule in TABLE:
        if relation not in rule.who or status not in rule.sources:
            continue
        if Need.NOT_PASSED in rule.needs and facts.passed:
            continue
        if Need.FIRST_REVIEW in rule.needs and not facts.reviewable:
            continue
        names[rule.action.public] = None
    return list(names)
