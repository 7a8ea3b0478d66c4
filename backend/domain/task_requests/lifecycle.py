"""The state table of requests: states, actions, who may perform them, from which state to which, and the effects.

Screens, errors, documentation and tests follow it. Plain Python: it imports no framework.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple


class Status(StrEnum):
    REQUESTED = "requested"
    ACCEPTED = "accepted"
    COMPLETED = "completed"
    CLOSED = "closed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class Action(StrEnum):
    """The actions on a request. ``move`` is the edit of its date; clients see it as "edit" too.

    Those from ``on_time`` to ``undo_step`` are about the visit, those on price lines about what it costs; the status
    stays ``accepted``. Those on offers are about a request whose price is agreed by offer.
    """

    CREATE = "create"
    EDIT = "edit"
    MOVE = "move"
    ACCEPT = "accept"
    REJECT = "reject"
    RELEASE = "release"
    ON_TIME = "on_time"
    ON_THE_WAY = "on_the_way"
    RUNNING_LATE = "running_late"
    ARRIVE = "arrive"
    START = "start"
    UNDO_STEP = "undo_step"
    PROPOSE_LINE = "propose_line"
    APPROVE_LINE = "approve_line"
    DECLINE_LINE = "decline_line"
    WITHDRAW_LINE = "withdraw_line"
    MAKE_OFFER = "make_offer"
    WITHDRAW_OFFER = "withdraw_offer"
    ACCEPT_OFFER = "accept_offer"
    COMPLETE = "complete"
    CLOSE = "close"
    CANCEL = "cancel"
    REVIEW = "review"
    OPEN = "open"
    EXPIRE = "expire"

    @property
    def public(self) -> str:
        """Return the name used in histories, ``allowed_actions``, ``visit_actions`` and ``price_actions``."""
        return "edit" if self is Action.MOVE else self.value


class Record(StrEnum):
    """Entries of a request's history that leave the request itself as it is, and are no actions of the state table."""

    ADD_PHOTO = "add_photo"
    DELETE_PHOTO = "delete_photo"

    @property
    def public(self) -> str:
        """Return the name used in histories."""
        return self.value


class Relation(StrEnum):
    """The relation of a user to one request."""

    CUSTOMER = "its customer"
    PROFESSIONAL = "its professional"
    CANDIDATE = "a professional who sees the open request and offers the task"
    VIEWER = "a professional who sees the open request and does not offer the task"
    MISSED = "a professional who could have seen it while it was open"
    NONE = "a user who may not see it"
    ADMIN = "an admin"
    SYSTEM = "the system: housekeeping and the command line"


# The steps of a visit in their order: each may be skipped, none repeated, and none follows a later one.
STEPS: Final = (Action.ON_THE_WAY, Action.ARRIVE, Action.START)
VISIT_ACTIONS: Final = frozenset({Action.ON_TIME, *STEPS, Action.RUNNING_LATE, Action.UNDO_STEP})
LINE_ACTIONS: Final = frozenset({Action.PROPOSE_LINE, Action.APPROVE_LINE, Action.DECLINE_LINE, Action.WITHDRAW_LINE})
OFFER_ACTIONS: Final = frozenset({Action.MAKE_OFFER, Action.WITHDRAW_OFFER, Action.ACCEPT_OFFER})
PRICE_ACTIONS: Final = LINE_ACTIONS | OFFER_ACTIONS
VISIBLE_TO: Final = frozenset(
    {Relation.CUSTOMER, Relation.PROFESSIONAL, Relation.CANDIDATE, Relation.VIEWER, Relation.ADMIN}
)


class Need(StrEnum):
    """What an action requires besides the state."""

    REASON = "a reason"
    CHANGES = "changed remarks, address or pincode"
    COMING_DATE = "a date far enough ahead"
    OFFERED_TASK = "an active task; if a professional is asked, one who offers it"
    NOT_PASSED = "the date has not passed"
    FREE_TIME = "no other accepted request of the professional at that time"
    PASSED = "the date has passed"
    UNANSWERED = "the professional asked did not respond in time, or is blocked"
    FIRST_REVIEW = "no review yet, within 30 days of the end"
    NEXT_STEP = "neither this step of the visit nor a later one was taken"
    REMINDED = "from the reminder of the visit until its planned time"
    NOT_SET_OFF = "no step of the visit was taken"
    NOT_ARRIVED = "the professional has not arrived"
    START_CODE = "the start code from the professional, where the policy is offered or required"
    OWN_STEP = "the last step of the visit, by who took it, within two minutes"
    STARTED = "a started visit, where the start code is required and the request is accepted"
    UNDECIDED = "an undecided price line"
    ALL_DECIDED = "no undecided price line"
    APPROVAL_CODE = "the approval code from the professional"
    FIXED_PRICE = "a fixed price"
    BY_OFFER = "a price by offer"
    LIVE_OFFER = "an offer that has not ended, of a professional who is still active"


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the table. ``target`` is None if the state does not change."""

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
    *,
    needs: tuple[Need, ...] = (),
    tells: tuple[str, ...] = (),
    follows: str = "",
) -> Rule:
    relations = who if isinstance(who, tuple) else (who,)
    return Rule(action, frozenset(relations), frozenset(sources), target, needs, tells, follows)


_S, _R, _N = Status, Relation, Need

TABLE: Final[tuple[Rule, ...]] = (
    _rule(
        Action.CREATE,
        _R.CUSTOMER,
        (None,),
        _S.REQUESTED,
        needs=(_N.OFFERED_TASK, _N.COMING_DATE),
        tells=("request_new to the professional asked, else to the nearest who offer the task",),
        follows="Name, price and duration of the task are kept. One professional may be asked first, for some time.",
    ),
    _rule(
        Action.EDIT,
        _R.CUSTOMER,
        (_S.REQUESTED, _S.ACCEPTED),
        None,
        needs=(_N.CHANGES,),
        tells=("request_changed to its professional or the one asked",),
    ),
    _rule(
        Action.MOVE,
        _R.CUSTOMER,
        (_S.REQUESTED, _S.ACCEPTED),
        _S.REQUESTED,
        needs=(_N.COMING_DATE,),
        tells=("request_changed to its professional or the one asked",),
        follows="The same professional is asked first. The times of the visit and its start code are cleared; "
        "its price lines are withdrawn. Offers end.",
    ),
    _rule(
        Action.ACCEPT,
        _R.CANDIDATE,
        (_S.REQUESTED,),
        _S.ACCEPTED,
        needs=(_N.FIXED_PRICE, _N.NOT_PASSED, _N.FREE_TIME),
        tells=("request_accepted to the customer",),
        follows="The professional sees the customer's name, address and phone; other professionals see it no longer.",
    ),
    _rule(
        Action.MAKE_OFFER,
        _R.CANDIDATE,
        (_S.REQUESTED,),
        None,
        needs=(_N.BY_OFFER, _N.NOT_PASSED),
        tells=("request_offer_made to the customer",),
        follows="One offer of each professional, five at a time; a new one replaces the own one. The professional "
        "asked keeps the request to themselves until the offer ends.",
    ),
    _rule(
        Action.WITHDRAW_OFFER,
        _R.CANDIDATE,
        (_S.REQUESTED,),
        None,
        needs=(_N.BY_OFFER,),
        tells=("request_offer_withdrawn to the customer",),
    ),
    _rule(
        Action.ACCEPT_OFFER,
        _R.CUSTOMER,
        (_S.REQUESTED,),
        _S.ACCEPTED,
        needs=(_N.BY_OFFER, _N.NOT_PASSED, _N.LIVE_OFFER, _N.FREE_TIME),
        tells=("request_offer_accepted to its professional", "request_offer_ended to the others"),
        follows="The price is that of the offer. As after accept.",
    ),
    _rule(
        Action.REJECT,
        _R.CANDIDATE,
        (_S.REQUESTED,),
        None,
        needs=(_N.REASON,),
        tells=("request_rejected to the customer, if this professional was asked",),
        follows="Hidden from that professional and open to the others.",
    ),
    _rule(
        Action.RELEASE,
        (_R.PROFESSIONAL, _R.SYSTEM),
        (_S.ACCEPTED,),
        _S.REQUESTED,
        needs=(_N.REASON,),
        tells=("request_released to the customer",),
        follows="Open to all. The times of the visit and its start code are cleared; its price lines are withdrawn. "
        "A price by offer ends. "
        "The system releases it when the professional is blocked or no longer approved.",
    ),
    _rule(
        Action.ON_TIME,
        _R.PROFESSIONAL,
        (_S.ACCEPTED,),
        None,
        needs=(_N.REMINDED, _N.NOT_SET_OFF),
        tells=("request_on_time to the customer",),
        follows="Repeating it changes nothing and notifies nobody. An earlier estimated time of arrival is cleared.",
    ),
    _rule(
        Action.ON_THE_WAY,
        _R.PROFESSIONAL,
        (_S.ACCEPTED,),
        None,
        needs=(_N.NEXT_STEP,),
        tells=("request_on_the_way to the customer",),
        follows="With an estimated time of arrival, if one is given.",
    ),
    _rule(
        Action.RUNNING_LATE,
        _R.PROFESSIONAL,
        (_S.ACCEPTED,),
        None,
        needs=(_N.NOT_ARRIVED,),
        tells=("request_running_late to the customer",),
        follows="Replaces the estimated time of arrival, and takes back on_time. Can be repeated.",
    ),
    _rule(
        Action.ARRIVE,
        _R.PROFESSIONAL,
        (_S.ACCEPTED,),
        None,
        needs=(_N.NEXT_STEP,),
        tells=("request_arrived to the customer",),
    ),
    _rule(
        Action.START,
        (_R.PROFESSIONAL, _R.CUSTOMER),
        (_S.ACCEPTED,),
        None,
        needs=(_N.NEXT_STEP, _N.START_CODE),
        tells=("request_started to the other side",),
        follows="The customer needs no code.",
    ),
    _rule(
        Action.UNDO_STEP,
        (_R.PROFESSIONAL, _R.CUSTOMER),
        (_S.ACCEPTED,),
        None,
        needs=(_N.OWN_STEP,),
        tells=("request_step_undone to the other side",),
        follows="The step's time is cleared; the history keeps both entries.",
    ),
    _rule(
        Action.PROPOSE_LINE,
        _R.PROFESSIONAL,
        (_S.ACCEPTED,),
        None,
        tells=("request_line_proposed to the customer",),
        follows="Costs nothing until it is approved.",
    ),
    _rule(
        Action.APPROVE_LINE,
        (_R.CUSTOMER, _R.PROFESSIONAL),
        (_S.ACCEPTED,),
        None,
        needs=(_N.UNDECIDED, _N.APPROVAL_CODE),
        tells=("request_line_approved to the other side",),
        follows="The line counts in the total. The customer needs no code.",
    ),
    _rule(
        Action.DECLINE_LINE,
        _R.CUSTOMER,
        (_S.ACCEPTED,),
        None,
        needs=(_N.UNDECIDED,),
        tells=("request_line_declined to the professional",),
    ),
    _rule(
        Action.WITHDRAW_LINE,
        _R.PROFESSIONAL,
        (_S.ACCEPTED,),
        None,
        needs=(_N.UNDECIDED,),
        tells=("request_line_withdrawn to the customer",),
    ),
    _rule(
        Action.COMPLETE,
        (_R.PROFESSIONAL, _R.CUSTOMER),
        (_S.ACCEPTED,),
        _S.COMPLETED,
        needs=(_N.STARTED, _N.ALL_DECIDED),
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
        needs=(_N.STARTED, _N.ALL_DECIDED),
        tells=("request_closed to the professional",),
        follows="From accepted it also completes the request.",
    ),
    _rule(
        Action.CANCEL,
        (_R.CUSTOMER, _R.SYSTEM),
        (_S.REQUESTED, _S.ACCEPTED),
        _S.CANCELLED,
        needs=(_N.REASON,),
        tells=("request_cancelled to its professional or the one asked",),
        follows="Marked late when it was accepted (or moved away) within the task's free cancellation time. "
        "Undecided price lines are withdrawn, offers end. "
        "The system cancels it when the customer is blocked.",
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
    """Return the rows of one action."""
    return (rule for rule in TABLE if rule.action is action)


def sources_of(action: Action) -> frozenset[Status | None]:
    """Return the states in which any user may perform the action."""
    return frozenset().union(*(rule.sources for rule in rules_for(action)))


def rule_of(action: Action, relation: Relation, status: Status | None) -> Rule | None:
    """Return the row that allows the action to this relation in this state, or None."""
    return next((r for r in rules_for(action) if relation in r.who and status in r.sources), None)


class Facts(NamedTuple):
    """Facts besides the state.

    ``passed``: the date has passed. ``reminded``: the professional was reminded of the visit, and its time has not
    come. ``reviewable``: a review is still possible. ``last_step``: the step of the visit
    that was taken last. ``undoable``: this user took it, less than two minutes ago. ``must_start``: the work can be
    completed only after the visit has started. ``undecided``: there are undecided price lines. ``by_offer``: the price
    is agreed by offer.
    """

    passed: bool = False
    reminded: bool = False
    reviewable: bool = True
    last_step: Action | None = None
    undoable: bool = False
    must_start: bool = False
    undecided: bool = False
    by_offer: bool = False


NO_FACTS: Final = Facts()


def allowed_actions(status: Status, relation: Relation, facts: Facts = NO_FACTS) -> list[str]:
    """Return the public names of the actions that this relation may perform now, in the table's order."""
    allowed = (rule for rule in TABLE if relation in rule.who and status in rule.sources and meets_needs(rule, facts))
    return list(dict.fromkeys(rule.action.public for rule in allowed))


def meets_needs(rule: Rule, facts: Facts) -> bool:
    """Return whether the facts satisfy those needs of the rule that do not depend on what the caller sends."""
    unmet = {
        Need.NOT_PASSED: facts.passed,
        Need.FIRST_REVIEW: not facts.reviewable,
        Need.NEXT_STEP: rule.action in STEPS and not is_next(rule.action, facts.last_step),
        Need.REMINDED: not facts.reminded,
        Need.NOT_SET_OFF: facts.last_step is not None,
        Need.NOT_ARRIVED: facts.last_step in (Action.ARRIVE, Action.START),
        Need.OWN_STEP: not facts.undoable,
        Need.STARTED: facts.must_start,
        Need.UNDECIDED: not facts.undecided,
        Need.ALL_DECIDED: facts.undecided,
        Need.FIXED_PRICE: facts.by_offer,
        Need.BY_OFFER: not facts.by_offer,
    }
    return not any(unmet.get(need, False) for need in rule.needs)


def is_next(step: Action, last_step: Action | None) -> bool:
    """Return whether a step of the visit may follow the last one: each may be skipped, none repeated."""
    return last_step is None or STEPS.index(step) > STEPS.index(last_step)
