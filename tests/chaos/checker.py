"""Compare what clients were told with what is there. Each breach is a defect of the product or of the run."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import Final

from tests.chaos.history import Call, History, Kind
from tests.chaos.state import Request, State

READY_SECONDS: Final = 60.0
# What a request's clients do at most once, the entry in its history, and who is notified of it.
ONCE: Final = {
    Kind.ACCEPT: "accept",
    Kind.COMPLETE: "complete",
    Kind.CLOSE: "close",
    Kind.CANCEL: "cancel",
    Kind.PROPOSE: "propose_line",
    Kind.APPROVE: "approve_line",
    Kind.DECLINE: "decline_line",
}
NOTIFIED: Final = {
    Kind.ACCEPT: "request_accepted",
    Kind.COMPLETE: "request_completed",
    Kind.CLOSE: "request_closed",
    Kind.PROPOSE: "request_line_proposed",
    Kind.APPROVE: "request_line_approved",
    Kind.DECLINE: "request_line_declined",
}
STATES_AFTER: Final = {
    Kind.ACCEPT: {"accepted", "completed", "closed", "cancelled"},
    Kind.COMPLETE: {"completed", "closed"},
    Kind.CLOSE: {"closed"},
    Kind.CANCEL: {"cancelled"},
}


@dataclass(frozen=True, slots=True)
class Breach:
    """Something that must not be, of a kind: lost, doubled, winners, overlap, total, mail, jobs, error, slow."""

    kind: str
    what: str


def check(history: History, state: State) -> list[Breach]:
    """Return all breaches; none if everything that was acknowledged is there exactly once."""
    return [breach for rule in RULES for breach in rule(history, state)]


def _creates(history: History, state: State) -> Iterator[Breach]:
    there = Counter(request.marker for request in state.requests)
    ids = {request.id: request.marker for request in state.requests}
    for marker, count in there.items():
        if count > 1:
            yield Breach("doubled", f"create {marker}: {count} requests")
    for call in history.acknowledged(Kind.CREATE):
        if ids.get(call.made) != call.key:
            yield Breach("lost", f"create {call.key}: request {call.made} is not there")


def _moves(history: History, state: State) -> Iterator[Breach]:
    dates = {request.id: request.date for request in state.requests}
    for call in history.acknowledged(Kind.MOVE):
        if dates.get(call.target) != datetime.fromisoformat(call.value):
            yield Breach("lost", f"move of request {call.target} to {call.value}: it is at {dates.get(call.target)}")


def _written(history: History, state: State) -> Iterator[Breach]:
    for kind, rows in ((Kind.MESSAGE, state.messages), (Kind.PHOTO, state.photos)):
        there = {row.id: row.request_id for row in rows}
        each = Counter((row.request_id, row.name) for row in rows)
        yield from (
            Breach("doubled", f"{kind} of request {request_id}: {count} times")
            for (request_id, _), count in each.items()
            if count > 1
        )
        for call in history.acknowledged(kind):
            if there.get(call.made) != call.target:
                yield Breach("lost", f"{kind} {call.made} of request {call.target} is not there")


def _exports(history: History, state: State) -> Iterator[Breach]:
    there = {row.id: row.name for row in state.exports}
    asked = {call.key for call in history.calls if call.kind is Kind.EXPORT}
    if len(there) > len(asked):
        yield Breach("doubled", f"{len(there)} exports, {len(asked)} asked for")
    for call in history.acknowledged(Kind.EXPORT):
        status = there.get(call.made)
        if status == "failed" and any(window.may_fail_export_after(call) for window in history.windows):
            continue  # its notification says that the store was full
        if status != "done":
            yield Breach("lost", f"export {call.made}: {there.get(call.made)}")


def _events(history: History, state: State) -> Iterator[Breach]:
    there = Counter((row.request_id, row.name) for row in state.events)
    by_id = {request.id: request for request in state.requests}
    for (request_id, action), count in there.items():
        if action in ONCE.values() and count > 1:
            yield Breach("doubled", f"{action} of request {request_id}: {count} entries")
    for call in history.acknowledged(*ONCE):
        if not there[call.target, ONCE[call.kind]]:
            yield Breach("lost", f"{call.kind} of request {call.target} has no entry")
        found = by_id.get(call.target)
        if found is not None and found.status not in STATES_AFTER.get(call.kind, {found.status}):
            yield Breach("lost", f"{call.kind} of request {call.target}: its status is {found.status}")


def _winners(history: History, state: State) -> Iterator[Breach]:
    holders = {request.id: request.professional_id for request in state.requests}
    winners: defaultdict[int, set[int]] = defaultdict(set)
    for call in history.acknowledged(Kind.ACCEPT):
        winners[call.target].add(call.actor)
    for request_id, found in winners.items():
        if found != {holders.get(request_id)}:
            yield Breach(
                "winners", f"request {request_id}: acknowledged to {sorted(found)}, held by {holders.get(request_id)}"
            )


def _overlaps(_: History, state: State) -> Iterator[Breach]:
    taken: defaultdict[int, list[Request]] = defaultdict(list)
    for request in state.requests:
        if request.status == "accepted" and request.professional_id and request.starts:
            taken[request.professional_id].append(request)
    for professional_id, requests in taken.items():
        for earlier, later in pairwise(sorted(requests, key=lambda request: (request.starts, request.id))):
            if earlier.ends is not None and later.starts is not None and later.starts < earlier.ends:
                yield Breach("overlap", f"requests {earlier.id} and {later.id} of professional {professional_id}")


def _totals(history: History, state: State) -> Iterator[Breach]:
    sums: defaultdict[int, Decimal] = defaultdict(Decimal)
    undecided: Counter[int] = Counter()
    states = {line.id: line.state for line in state.lines}
    titles = Counter((line.request_id, line.title) for line in state.lines)
    for (request_id, title), count in titles.items():
        if count > 1:
            yield Breach("doubled", f"line {title} of request {request_id}: {count} times")
    for line in state.lines:
        sums[line.request_id] += line.amount if line.state == "approved" else Decimal()
        undecided[line.request_id] += line.state == "proposed"
    for request in state.requests:
        if request.lines_amount != sums[request.id] or request.undecided_lines != undecided[request.id]:
            yield Breach("total", f"request {request.id}: {request.lines_amount} for lines of {sums[request.id]}")
    wanted = {Kind.APPROVE: "approved", Kind.DECLINE: "declined"}
    for call in history.acknowledged(Kind.PROPOSE):
        if call.made not in states:
            yield Breach("lost", f"line {call.made} of request {call.target} is not there")
    for call in history.acknowledged(*wanted):
        if states.get(call.made) != wanted[call.kind]:
            yield Breach("lost", f"{call.kind} of line {call.made}: it is {states.get(call.made)}")


def _notifications(history: History, state: State) -> Iterator[Breach]:
    notified = Counter((row.kind, row.request_id) for row in state.notifications)
    for (kind, request_id), count in notified.items():
        if kind in NOTIFIED.values() and count > 1:
            yield Breach("doubled", f"notification {kind} of request {request_id}: {count} times")
    for call in history.acknowledged(*NOTIFIED):
        if not notified[NOTIFIED[call.kind], call.target]:
            yield Breach("lost", f"notification {NOTIFIED[call.kind]} of request {call.target}")


def _mails(_: History, state: State) -> Iterator[Breach]:
    """A worker or database that stops between the server's 250 and COMMIT has the mail sent once more, as it was."""
    delivered = {row.notification_id for row in state.deliveries}
    for notification in state.notifications:
        if notification.kind in NOTIFIED.values() and notification.id not in delivered:
            yield Breach("lost", f"no delivery of notification {notification.id} ({notification.kind})")
    mails = {row.message_id: row for row in state.deliveries if row.channel == "mail"}
    for row in state.deliveries:
        if row.state not in {"sent", "skipped"}:
            yield Breach("mail", f"delivery {row.id} ({row.kind}) is {row.state}")
    for message_id, row in mails.items():
        count = state.mails[message_id]
        if row.state == "sent" and count == 0:
            yield Breach("lost", f"mail of delivery {row.id} ({row.kind})")
        if count > 1 + row.repeated:
            yield Breach("doubled", f"mail of delivery {row.id} ({row.kind}): {count} times")
    for message_id in state.mails.keys() - mails.keys():
        yield Breach("mail", f"a mail that no delivery knows: {message_id}")


def _jobs(_: History, state: State) -> Iterator[Breach]:
    yield from (Breach("jobs", f"failed permanently: {job}") for job in state.dead_jobs)
    yield from (Breach("jobs", f"still open: {job}") for job in state.open_jobs)


def _failures(history: History, _: State) -> Iterator[Breach]:
    for call in history.calls:
        if call.has_failed and not any(window.excuses(call) for window in history.windows):
            yield Breach("error", f"{call.kind} answered {call.status} without a fault: {_short(call)}")


def _recoveries(history: History, _: State) -> Iterator[Breach]:
    for window in history.windows:
        if window.ready_after is None or window.ready_after > READY_SECONDS:
            yield Breach("slow", f"not ready within {READY_SECONDS:.0f} seconds after {window.fault}")


def _short(call: Call) -> str:
    return " ".join(call.detail.split())[:200]


RULES: Final[tuple[Callable[[History, State], Iterator[Breach]], ...]] = (
    _creates,
    _moves,
    _written,
    _exports,
    _events,
    _winners,
    _overlaps,
    _totals,
    _notifications,
    _mails,
    _jobs,
    _failures,
    _recoveries,
)
