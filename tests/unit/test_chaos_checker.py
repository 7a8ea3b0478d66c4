"""The checker of chaos runs finds each kind of breach in made-up histories, and none in a good one."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice

import pytest

from tests.chaos.checker import check
from tests.chaos.faults import FAULTS, schedule
from tests.chaos.history import Call, Fails, History, Kind, Window
from tests.chaos.state import Delivery, Line, Notification, Request, State, Written

DATE = datetime(2027, 3, 1, 10, tzinfo=UTC)
CUSTOMER, WINNER, LOSER = 1, 2, 3
Change = Callable[[History, State], object]


def call(
    kind: Kind, status: int = 200, *, actor: int = CUSTOMER, made: int = 0, value: str = "", at: float = 5
) -> Call:
    return Call(kind, actor, 1, "marker" if kind is Kind.CREATE else kind.value, status, at, at + 0.1, made, value)


def good() -> tuple[History, State]:
    """Return a visit with everything that belongs to it, one call that failed during a fault, and a second request."""
    history = History()
    for each in (
        call(Kind.CREATE, 201, made=1),
        call(Kind.MOVE, value=DATE.isoformat()),
        call(Kind.ACCEPT, 503, actor=WINNER, at=20),
        call(Kind.ACCEPT, actor=WINNER, at=21),
        call(Kind.ACCEPT, 409, actor=LOSER, at=21),
        call(Kind.MESSAGE, 201, made=31),
        call(Kind.PHOTO, 201, made=41),
        call(Kind.PROPOSE, 201, made=51),
        call(Kind.APPROVE, made=51),
        call(Kind.EXPORT, 202, made=61),
    ):
        history.add(each)
    history.windows.append(Window("web killed", Fails.ALL, began=19, healed=22, until=25, ready_after=3))
    request = Request(
        1, "marker", "accepted", WINNER, DATE, DATE, DATE + timedelta(hours=1), Decimal(499), Decimal(250), 0
    )
    other = replace(request, id=2, marker="other", professional_id=LOSER, lines_amount=Decimal())
    state = State(
        requests=[request, other],
        events=[Written(n, 1, name) for n, name in enumerate(("accept", "propose_line", "approve_line"), 1)],
        messages=[Written(31, 1, "hello")],
        photos=[Written(41, 1, "before")],
        lines=[Line(51, 1, "Tap", "approved", Decimal(250)), Line(52, 1, "Pipe", "declined", Decimal(90))],
        exports=[Written(61, 0, "done")],
        notifications=[
            Notification(n, CUSTOMER, f"request_{name}", 1)
            for n, name in enumerate(("accepted", "line_proposed", "line_approved"), 1)
        ],
        deliveries=[Delivery(n, f"request_{n}", "mail", "sent", n, f"<{n}@x>", 0) for n in (1, 2, 3)],
    )
    state.mails.update({"<1@x>": 1, "<2@x>": 1, "<3@x>": 1})
    return history, state


def first(state: State, /, **changes: object) -> None:
    state.requests[0] = replace(state.requests[0], **changes)  # type: ignore[arg-type]  # any field


def deliver(state: State, /, **changes: object) -> None:
    state.deliveries[0] = replace(state.deliveries[0], **changes)  # type: ignore[arg-type]  # any field


BREACHES: dict[str, tuple[str, Change]] = {
    "request lost": ("lost", lambda _, state: first(state, marker="another")),
    "request doubled": ("doubled", lambda _, state: state.requests.append(replace(state.requests[0], id=3))),
    "move lost": ("lost", lambda _, state: first(state, date=DATE + timedelta(hours=1))),
    "message lost": ("lost", lambda _, state: state.messages.clear()),
    "message doubled": ("doubled", lambda _, state: state.messages.append(Written(32, 1, "hello"))),
    "photo lost": ("lost", lambda _, state: state.photos.clear()),
    "photo doubled": ("doubled", lambda _, state: state.photos.append(Written(42, 1, "before"))),
    "line lost": ("lost", lambda history, _: history.add(call(Kind.PROPOSE, 201, made=59))),
    "line doubled": (
        "doubled",
        lambda _, state: state.lines.append(Line(53, 1, "Pipe", "declined", Decimal(90))),
    ),
    "export failed": ("lost", lambda _, state: state.exports.__setitem__(0, Written(61, 0, "failed"))),
    "export doubled": ("doubled", lambda _, state: state.exports.append(Written(62, 0, "done"))),
    "entry doubled": ("doubled", lambda _, state: state.events.append(Written(9, 1, "accept"))),
    "entry lost": ("lost", lambda history, _: history.add(call(Kind.COMPLETE))),
    "status lost": ("lost", lambda _, state: first(state, status="requested")),
    "two winners": ("winners", lambda history, _: history.add(call(Kind.ACCEPT, actor=LOSER))),
    "another winner": ("winners", lambda _, state: first(state, professional_id=LOSER)),
    "overlap": ("overlap", lambda _, state: first(state, professional_id=LOSER)),
    "undecided line in the total": ("total", lambda _, state: first(state, lines_amount=Decimal(340))),
    "approval lost": ("lost", lambda _, state: state.lines.__setitem__(0, replace(state.lines[0], state="proposed"))),
    "notification lost": ("lost", lambda _, state: state.notifications.pop(0)),
    "notification doubled": (
        "doubled",
        lambda _, state: state.notifications.append(Notification(9, CUSTOMER, "request_accepted", 1)),
    ),
    "delivery lost": (
        "lost",
        lambda _, state: state.notifications.append(Notification(9, CUSTOMER, "request_closed", 2)),
    ),
    "mail lost": ("lost", lambda _, state: state.mails.pop("<1@x>")),
    "mail doubled": ("doubled", lambda _, state: state.mails.update({"<1@x>": 1})),
    "mail of nobody": ("mail", lambda _, state: state.mails.update({"<9@x>": 1})),
    "mail failed permanently": ("mail", lambda _, state: deliver(state, state="failed")),
    "job failed": ("jobs", lambda _, state: state.dead_jobs.append("exports.write")),
    "job left": ("jobs", lambda _, state: state.open_jobs.append("exports.write")),
    "error without a fault": ("error", lambda history, _: history.add(call(Kind.READ, 503, at=30))),
    "error of the program in a fault": ("error", lambda history, _: history.add(call(Kind.READ, 500, at=20))),
    "no recovery": ("slow", lambda history, _: setattr(history.windows[0], "ready_after", None)),
    "late recovery": ("slow", lambda history, _: setattr(history.windows[0], "ready_after", 61.0)),
}


def test_checker_finds_no_breach_in_good_history() -> None:
    assert check(*good()) == []


@pytest.mark.parametrize("name", BREACHES)
def test_checker_finds_each_kind_of_breach(name: str) -> None:
    history, state = good()
    kind, change = BREACHES[name]
    change(history, state)
    assert kind in {breach.kind for breach in check(history, state)}


def test_checker_allows_one_more_mail_for_each_attempt_that_did_not_commit() -> None:
    history, state = good()
    state.mails["<1@x>"] = 2
    deliver(state, repeated=1)
    assert check(history, state) == []


def test_checker_allows_an_export_to_fail_while_stores_are_full() -> None:
    history, state = good()
    state.exports[0] = Written(61, 0, "failed")
    history.windows.append(Window("disk full", Fails.FILES, began=4, healed=6, until=7, ready_after=1))
    assert check(history, state) == []


@pytest.mark.parametrize(("fails", "kind", "is_excused"), [
    (Fails.NONE, Kind.PHOTO, False),
    (Fails.FILES, Kind.PHOTO, True),
    (Fails.FILES, Kind.ACCEPT, False),
    (Fails.ALL, Kind.ACCEPT, True),
])  # fmt: skip
def test_window_excuses_calls_that_its_fault_can_fail(fails: Fails, kind: Kind, is_excused: bool) -> None:
    window = Window("fault", fails, began=10, healed=12, until=15)
    assert window.excuses(call(kind, 503, at=14)) is is_excused
    assert not window.excuses(call(kind, 503, at=16))
    assert not window.excuses(call(kind, 500, at=14))


def test_history_names_longest_outage() -> None:
    history = History()
    for at in (1.0, 2.0, 9.0):
        history.add(call(Kind.READ, at=at))
    history.add(call(Kind.READ, 503, at=5))
    assert history.longest_outage() == pytest.approx(7.0)


def test_schedule_of_same_seed_is_the_same_and_contains_every_fault() -> None:
    first_run, again, other = (list(islice(schedule(seed, FAULTS), len(FAULTS))) for seed in (7, 7, 8))
    assert first_run == again != other
    assert {step.fault.name for step in first_run} == {fault.name for fault in FAULTS}
