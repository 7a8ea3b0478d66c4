"""The one way in which an action changes a request: `load` it, then `write` the change with its history entry."""

from collections.abc import Callable, Mapping
from functools import cache, wraps
from typing import Final, ParamSpec, TypeVar

from sqlalchemy import CTE, BigInteger, bindparam, select, update

from backend.core.clock import now
from backend.core.concurrency import hold_key_lock
from backend.core.db import read_pool
from backend.core.db.pagination import AnySelect
from backend.core.db.session import TIMESTAMP, db
from backend.core.errors import Forbidden, Stale
from backend.core.security.authz import Actor, Role
from backend.domain.live_updates import changes as live_changes
from backend.domain.task_requests import history, offers, price_lines
from backend.domain.task_requests.access import allowed, does_task, excluded, facts_of, last_step, rejected, relation
from backend.domain.task_requests.errors import (
    AlreadyReviewed,
    AlreadyTaken,
    InvalidTransition,
    LineDecided,
    LineUndecided,
    NotByOffer,
    OfferNeeded,
    RequestNotFound,
    ReviewTooLate,
    TaskNotDone,
    VisitNotStarted,
)
from backend.domain.task_requests.lifecycle import (
    LINE_ACTIONS,
    OFFER_ACTIONS,
    VISIBLE_TO,
    VISIT_ACTIONS,
    Action,
    Need,
    Relation,
    Rule,
    Status,
    meets_needs,
    rule_of,
    rules_for,
    sources_of,
)
from backend.domain.task_requests.queries import select_with_contacts
from backend.domain.task_requests.rows import COLUMNS, TABLE, Request, RequestWithContacts, with_contacts

TRIES: Final = 8  # a try is lost only to another change of the same request, so that eight are plenty
PROFESSIONALS: Final = frozenset({Relation.PROFESSIONAL, Relation.CANDIDATE, Relation.VIEWER})
TAKEN: Final = frozenset({Status.ACCEPTED, Status.COMPLETED, Status.CLOSED})
# An UPDATE sets every column that a parameter is named after: these have names of their own.
UNCHANGED: Final = (
    TABLE.c.id == bindparam("request_id", type_=BigInteger),
    TABLE.c.status == bindparam("from_status"),
    TABLE.c.version == bindparam("from_version", type_=BigInteger),
)
Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class ChangedMeanwhile(Exception):
    """Another transaction changed the request between `load` and `write`. See `retry_when_changed`."""


def retry_when_changed(action: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Run an action on the request with this ``request_id`` again while others change it between read and write.

    The threads of one process take their turns at a request first: that decides nothing, and spares the losers a
    transaction.

    Raises:
        InvalidTransition: The request was changed by others as many times as there are tries.
    """

    @wraps(action)
    def run(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        hold_key_lock(("task_requests", kwargs["request_id"]))
        for _ in range(TRIES):
            try:
                return action(*args, **kwargs)
            except ChangedMeanwhile:
                continue
        raise InvalidTransition("The request is being changed by someone else. Load it again, then retry.")

    return run


def load(actor: Actor, action: Action, *, request_id: int, expected_version: int | None = None) -> Request:
    """Return the request as it is now, on which the actor may do the action.

    No transaction begins: an actor who may not do the action costs one read.

    Raises:
        RequestNotFound, Stale, InvalidTransition, AlreadyTaken, TaskNotDone, Forbidden: See `authorize`.
    """
    row = read_pool.one_or_none(_select_request(actor.role), {"id": request_id, "me": actor.id})
    if row is None:
        raise RequestNotFound
    request = Request._make(row)
    authorize(actor, request, action, expected_version=expected_version)
    return request


def lock(actor: Actor, *, request_id: int) -> Request:
    """Return the request as it is now, and keep it from being changed until the transaction ends.

    For what depends on its state and does not change it; several transactions may do so at once.

    Raises:
        RequestNotFound: There is no such request, or the actor may not see it.
    """
    row = db.session.execute(_select_locked(actor.role), {"id": request_id, "me": actor.id}).one_or_none()
    if row is None:
        raise RequestNotFound
    request = Request._make(row)
    if relation(actor, request, at=now()) not in VISIBLE_TO:
        raise RequestNotFound
    return request


def authorize(actor: Actor, request: Request, action: Action, *, expected_version: int | None = None) -> Rule:
    """Return the row of the state table that allows the action.

    Raises:
        RequestNotFound: The actor may not see the request.
        AlreadyTaken: Another professional has accepted it.
        Stale: Its version is not the expected one (If-Match).
        InvalidTransition: Its status, or its date, does not allow the action.
        TaskNotDone: The professional does not do its task.
        Forbidden: The action is another role's.
        AlreadyReviewed, ReviewTooLate: It cannot be reviewed.
        VisitNotStarted: It can be completed only after the visit has started.
        LineUndecided: It can be completed or closed only when every price line is decided.
        LineDecided: There is no undecided price line.
        OfferNeeded, NotByOffer: Its price is agreed by offer, or is not.
    """
    at = now()
    status, who = Status(request.status), relation(actor, request, at=at)
    if who is Relation.MISSED and Relation.CANDIDATE in _permitted_to(action):
        raise _too_late(action, status)
    if who is not Relation.SYSTEM and who not in VISIBLE_TO:
        raise RequestNotFound
    if expected_version is not None and expected_version != request.version:
        raise Stale("The request has changed since you loaded it. Load it again, then repeat your change.")
    rule = rule_of(action, who, status)
    if rule is not None and (who is Relation.SYSTEM or meets_needs(rule, facts_of(who, request, at=at))):
        return rule
    raise _refusal(action, request, who)


def _permitted_to(action: Action) -> frozenset[Relation]:
    return frozenset().union(*(rule.who for rule in rules_for(action)))


def _too_late(action: Action, status: Status) -> InvalidTransition | AlreadyTaken:
    if status in TAKEN:
        return AlreadyTaken("Another professional has already accepted this request.")
    if action in OFFER_ACTIONS:
        passed = "Its date has passed" if status is Status.REQUESTED else f"Its status is {status}"
        return InvalidTransition(f"Offers need a request that is waiting. {passed}.")
    state = "Its date has passed" if status is Status.REQUESTED else f"Its status is {status}"
    return InvalidTransition(f"This request can no longer be {_done(action)}. {state}.")


def _refusal(action: Action, request: Request, who: Relation) -> Exception:
    status = Status(request.status)
    same_role = PROFESSIONALS if who in PROFESSIONALS else frozenset({who})
    if not same_role & _permitted_to(action):
        return Forbidden("You are not permitted to perform this action on this request.", code="role_not_allowed")
    if who is Relation.VIEWER and status in sources_of(action):
        return TaskNotDone("You do not offer this task. Add it to your tasks first.")
    if action is Action.REVIEW and status in sources_of(action):
        return AlreadyReviewed() if request.reviewed_at else ReviewTooLate()
    rule = rule_of(action, who, status)
    if rule is not None and Need.ALL_DECIDED in rule.needs:
        return LineUndecided() if request.undecided_lines else VisitNotStarted()
    if status is Status.ACCEPTED and action in VISIT_ACTIONS:
        return _impossible_step(action, request, who)
    if status is Status.ACCEPTED and action in LINE_ACTIONS:
        return LineDecided()
    if action is Action.ACCEPT_OFFER and status in TAKEN:
        return AlreadyTaken("An offer for this request has already been accepted.")
    if status is Status.REQUESTED and (action is Action.ACCEPT or action in OFFER_ACTIONS):
        return _other_way(action, request)
    return _wrong_state(action, status)


def _other_way(action: Action, request: Request) -> Exception:
    """Return why a waiting request cannot be agreed on like this: its price is agreed the other way, or it is late."""
    if request.is_by_offer and action is Action.ACCEPT:
        return OfferNeeded()
    if not request.is_by_offer and action is not Action.ACCEPT:
        return NotByOffer()
    return InvalidTransition("The date of this request has passed.")


def _wrong_state(action: Action, status: Status) -> InvalidTransition:
    state = "It is not accepted yet" if status is Status.REQUESTED else f"Its status is {status}"
    if action in VISIT_ACTIONS:
        return InvalidTransition(f"A visit needs an accepted request. {state}.")
    if action in OFFER_ACTIONS:
        return InvalidTransition(f"Offers need a request that is waiting. {state}.")
    if action in LINE_ACTIONS:
        return InvalidTransition(f"Price lines need an accepted request. {state}.")
    return InvalidTransition(f"This request cannot be {_done(action)}. {state}.")


def _impossible_step(action: Action, request: Request, who: Relation) -> InvalidTransition:
    possible = ", ".join(allowed(who, request, at=now())) or "none"
    if action is Action.UNDO_STEP:
        return InvalidTransition(
            "Only the last step of the visit can be undone, within two minutes, by the user who took it. "
            f"Possible actions: {possible}."
        )
    if action is Action.ON_TIME and last_step(request) is None:
        return InvalidTransition(
            "A visit can be confirmed as on time from its reminder until its planned time. "
            f"Possible actions: {possible}."
        )
    if request.started_at is not None:
        return InvalidTransition(f"The visit has already started. Possible actions: {possible}.")
    if request.arrived_at is not None:
        return InvalidTransition(f"The professional has already arrived. Possible actions: {possible}.")
    return InvalidTransition(f"The professional is already on the way. Possible actions: {possible}.")


def _done(action: Action) -> str:
    return "cancelled" if action is Action.CANCEL else action + ("d" if action.endswith("e") else "ed")


def write(
    actor: Actor,
    request: Request,
    action: Action,
    values: Mapping[str, object],
    *,
    note: str | None = None,
    changes: dict[str, object] | None = None,
) -> RequestWithContacts:
    """Set columns of a request that was loaded, and its status by the state table; return it as it is afterwards.

    The change and its history entry are in the current transaction.

    Raises:
        ChangedMeanwhile: The request is no longer as it was loaded. Nothing was changed.
    """
    rule = authorize(actor, request, action)
    target = rule.target or Status(request.status)
    parameters = {f"new_{name}": value for name, value in values.items()}
    parameters |= {"to_status": target, "at": now()}
    entry = history.Entry(request.id, action, request.status, target, note, changes)
    changed = _run_if_unchanged(_update(actor.role, tuple(values)), actor, request, entry, parameters)
    price_lines.withdraw_after(action, [request])
    offers.end_after(action, [request])
    announce_change(actor, request, changed.request)
    return changed


def write_history(
    actor: Actor, request: Request, action: Action, *, note: str | None = None, changes: dict[str, object] | None = None
) -> RequestWithContacts:
    """Add an entry to the history of a request that was loaded, and leave the request itself and its version as it is.

    Entries are in the order of the changes: the row is locked against changes, but not against other entries, until
    the transaction ends.

    Raises:
        ChangedMeanwhile: The request is no longer as it was loaded. Nothing was written.
    """
    authorize(actor, request, action)
    entry = history.Entry(request.id, action, request.status, request.status, note, changes)
    read = _run_if_unchanged(_lock(actor.role), actor, request, entry, {})
    live_changes.announce_history(request.id, accounts=[request.customer_id, actor.id])
    return read


def announce_change(actor: Actor, before: Request, after: Request) -> None:
    """Announce a change of a request to those whom it concerned before, and those whom it concerns now."""
    sides = [actor.id, after.customer_id]
    for request in (before, after):
        sides += [request.professional_id, request.asked_professional_id]
    live_changes.announce_request(
        after.id, version=after.version, accounts=sides, is_offered=_is_offered(before) or _is_offered(after)
    )


def _is_offered(request: Request) -> bool:
    """Return whether the request is open to every professional who does its task."""
    return request.status == Status.REQUESTED and request.asked_professional_id is None


def _run_if_unchanged(
    statement: AnySelect, actor: Actor, request: Request, entry: history.Entry, parameters: Mapping[str, object]
) -> RequestWithContacts:
    known = {"me": actor.id, "request_id": request.id, "from_status": request.status, "from_version": request.version}
    values = {**known, **parameters, **history.entry_parameters(actor, entry)}
    row = db.session.execute(statement, values).one_or_none()
    if row is None:
        raise ChangedMeanwhile
    return with_contacts(row)


@cache
def _select_request(role: Role) -> AnySelect:
    """Return the statement of `load`. It reads no contacts: of many who accept at the same time, most only do this."""
    facts = (
        does_task(role, TABLE).label("does_task"),
        rejected(role, TABLE).label("rejected"),
        excluded(role, TABLE).label("excluded"),
    )
    return select(*COLUMNS, *facts).where(TABLE.c.id == bindparam("id", type_=BigInteger))


@cache
def _select_locked(role: Role) -> AnySelect:
    return _select_request(role).with_for_update(read=True, of=TABLE)


@cache
def _update(role: Role, columns: tuple[str, ...]) -> AnySelect:
    changed = (
        update(TABLE)
        .where(*UNCHANGED)
        .values(
            status=bindparam("to_status"),
            version=TABLE.c.version + 1,
            updated_at=bindparam("at", type_=TIMESTAMP),
            **{name: bindparam(f"new_{name}") for name in columns},
        )
        .returning(*COLUMNS)
    )
    return with_entry(changed.cte("changed"), role=role)


@cache
def _lock(role: Role) -> AnySelect:
    held = select(*COLUMNS).where(*UNCHANGED).with_for_update(read=True)
    return with_entry(held.cte("held"), role=role)


def with_entry(changed: CTE, *, role: Role) -> AnySelect:
    """Return the statement that writes a change and its history entry, and reads the request with its contacts."""
    return select_with_contacts(changed, role=role).add_cte(history.entry_for(changed))
