"""Lanes: bulk jobs leave a process free for urgent ones and yield when none is free."""

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask
from redis import Redis
from sqlalchemy import select, text, update

from backend.core import queue
from backend.core.db.session import db, transaction
from backend.core.queue import Job, Lane, admin, runs
from backend.core.security.authz import Role
from backend.domain.accounts import sign_in
from backend.domain.notifications import create
from backend.domain.notifications.create import send_account_mail
from backend.jobs import dispatch, lanes, polling, runner, tasks
from backend.jobs.celery_app import make_celery
from backend.jobs.registry import HANDLERS, Registered
from backend.launch import processes
from backend.settings import Settings
from tests.factories.closed_requests import account
from tests.factories.jobs import enqueue_empty, work
from tests.waiting import wait_until


@pytest.fixture
def topics(app: Flask) -> Iterator[dict[str, Registered]]:
    """Return the registry of handlers and restore it afterwards."""
    before = dict(HANDLERS)
    yield HANDLERS
    HANDLERS.clear()
    HANDLERS.update(before)


@pytest.fixture
def notified(app: Flask) -> Iterator[list[tuple[list[int], Lane]]]:
    """Collect the notifications to workers instead of sending them to the broker."""
    notifications: list[tuple[list[int], Lane]] = []

    def notify(job_ids: list[int], *, lane: Lane) -> None:
        notifications.append((job_ids, lane))

    before = app.extensions["job_dispatcher"]
    queue.init_app(app, dispatcher=notify)
    yield notifications
    queue.init_app(app, dispatcher=before)


def put(topic: str, times: int, lane: Lane) -> list[int]:
    with transaction():
        enqueue_empty(topic, times, lane=lane)
    ids = select(Job.id).where(Job.topic == topic, Job.lane == lane).order_by(Job.id)
    return list(db.session.execute(ids).scalars())


def lanes_by_topic() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for topic, lane in db.session.execute(select(Job.topic, Job.lane)):
        found.setdefault(topic, set()).add(lane)
    return found


def test_account_mail_is_urgent_and_reminder_mail_is_bulk(app: Flask) -> None:
    account_id = account(Role.CUSTOMER)
    with transaction():
        sign_in.forgot("someone@example.org")
        send_account_mail(account_id, "password_changed", {})
    assert lanes_by_topic() == {sign_in.RESET_TOPIC.name: {"urgent"}, create.TOPIC.name: {"urgent"}}
    with transaction():
        db.session.execute(text("DELETE FROM jobs"))
        create.post([create.Outgoing(account_id, "reminder", "2026-12-01")])
    assert lanes_by_topic() == {create.TOPIC.name: {"bulk"}}


def test_housekeeping_is_urgent_and_reminders_and_reports_are_bulk(app: Flask) -> None:
    with transaction():
        for name in ("housekeeping", "daily-reminders", "monthly-reports"):
            row = admin.scheduled(name)
            runs.start(row, params={}, requested_by=None)
        runs.enqueue_completion(1)
    found = lanes_by_topic()
    assert (found["housekeeping.run"], found[runs.COMPLETE.name]) == ({"urgent"}, {"urgent"})
    assert (found["reminders.run"], found["reports.run"]) == ({"bulk"}, {"bulk"})


def test_lane_is_notified_of_its_own_jobs(app: Flask, notified: list[tuple[list[int], Lane]]) -> None:
    with transaction():
        enqueue_empty("urgent")
        enqueue_empty("bulk", lane=Lane.BULK)
    assert [(len(ids), lane) for ids, lane in notified] == [(1, Lane.URGENT), (1, Lane.BULK)]


def test_redeliver_notifies_lanes_with_empty_queue(
    app: Flask, monkeypatch: pytest.MonkeyPatch, notified: list[tuple[list[int], Lane]]
) -> None:
    # Queues of its own: a dispatcher that an earlier test started may still send its last message to the others.
    url = app.extensions["settings"].broker_url.removesuffix("/0") + "/9"
    monkeypatch.setitem(app.extensions, "settings", replace(app.extensions["settings"], broker_url=url))
    with Redis.from_url(url) as broker:
        broker.delete(*queue.QUEUES.values())
        urgent = put("urgent", 2, Lane.URGENT)
        put("bulk", 2, Lane.BULK)
        with transaction():
            db.session.execute(update(Job).values(dispatched_at=None))
        notified.clear()
        dispatch.redeliver()
        assert notified == [(urgent, Lane.URGENT), ([], Lane.BULK)]
        notified.clear()
        broker.lpush(queue.QUEUES[Lane.BULK], "a message that nobody has taken yet")
        dispatch.redeliver()
        broker.delete(*queue.QUEUES.values())
    assert notified == []


def test_tick_dispatches_jobs_whose_message_was_lost(app: Flask, notified: list[tuple[list[int], Lane]]) -> None:
    settings: Settings = app.extensions["settings"]
    celery = make_celery(settings)
    tasks.register(celery, app)
    with Redis.from_url(settings.broker_url) as broker:
        broker.delete(*queue.QUEUES.values())
    lost = put("lost", 1, Lane.URGENT)
    with transaction():
        db.session.execute(update(Job).values(dispatched_at=None))
    notified.clear()
    celery.tasks["doorstep.tick"]()
    assert lost[0] in {job_id for job_ids, _ in notified for job_id in job_ids}


def test_beat_sends_sweeps_of_their_own_only_if_wanted_more_often_than_ticks(app: Flask) -> None:
    settings: Settings = app.extensions["settings"]
    often, seldom = (make_celery(replace(settings, job_sweep_seconds=seconds)) for seconds in (1, 5))
    assert {name: entry["schedule"] for name, entry in often.conf.beat_schedule.items()} == {"tick": 5.0, "sweep": 1.0}
    assert list(seldom.conf.beat_schedule) == ["tick"]


def test_run_bulk_releases_jobs_while_urgent_one_waits(
    topics: dict[str, Registered], monkeypatch: pytest.MonkeyPatch, notified: list[tuple[list[int], Lane]]
) -> None:
    monkeypatch.setattr(runner, "POLL_SECONDS", 0.0)
    done: list[int] = []

    def handle(lease: queue.Lease) -> None:
        done.append(lease.job_id)
        if len(done) == 2:  # an urgent job is enqueued while bulk jobs run
            enqueue_empty("urgent")

    topics["bulk"] = topics["urgent"] = Registered(handle)
    ids = put("bulk", 5, Lane.BULK)
    notified.clear()
    assert list(runner.run_bulk()) == done == ids[:2]
    assert [lane for _, lane in notified] == [Lane.URGENT, Lane.BULK, Lane.BULK]
    open_jobs = select(Job.attempts, Job.lease_until).where(Job.id.in_(ids[2:]))
    assert db.session.execute(open_jobs).all() == [(0, None)] * 3
    db.session.rollback()
    work()
    assert len(done) == 6


def test_run_many_runs_long_job_last_and_passes_on_the_rest(
    topics: dict[str, Registered], notified: list[tuple[list[int], Lane]]
) -> None:
    done: list[str] = []
    topics["long"] = Registered(lambda lease: done.append(lease.topic), long=True)
    topics["short"] = Registered(lambda lease: done.append(lease.topic))
    ids = put("long", 2, Lane.URGENT) + put("short", 2, Lane.URGENT)
    notified.clear()
    runner.run_many(ids)
    assert done == ["short", "short", "long"]
    assert notified == [(ids[1:2], Lane.URGENT)]


def taken_in_a_child(slots: lanes.Slots) -> tuple[int, bool]:
    """Fork a process that takes a slot until it is killed; return its id and whether a slot was free."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        with slots.taken() as taken:
            os.write(write, b"y" if taken else b"n")
            while True:
                signal.pause()
    answer = os.read(read, 1)
    os.close(read)
    os.close(write)
    return pid, answer == b"y"


@pytest.mark.parametrize(
    ("processes", "served", "expected"),
    [
        (1, "urgent bulk exports", (1, 1)),
        (2, "urgent bulk exports", (1, 1)),
        (3, "urgent bulk exports", (2, 1)),
        (8, "urgent bulk exports", (7, 3)),
        (4, "urgent exports", (3, 3)),
        (4, "bulk exports", (4, 2)),
        (4, "exports", (4, 4)),
    ],
)
def test_slots_leave_processes_for_other_lanes(processes: int, served: str, expected: tuple[int, int]) -> None:
    assert lanes.slot_counts(processes, [Lane(name) for name in served.split()]) == expected


@pytest.mark.parametrize(("number", "slots"), [(1, 1), (2, 1), (3, 2)])
def test_bulk_slots_leave_one_process_free(number: int, slots: int) -> None:
    made = lanes.Slots(lanes.slot_counts(number, list(Lane))[0])
    children: list[tuple[int, bool]] = []
    try:
        children.extend(taken_in_a_child(made) for _ in range(slots + 1))
        assert [taken for _, taken in children] == [True] * slots + [False]
        end(children.pop(0)[0])  # the kernel gives its slot back
        with made.taken() as taken:
            assert taken
            with made.taken() as again:  # another thread of this process, say
                assert not again
    finally:
        for pid, _ in children:
            end(pid)


def end(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def test_run_bulk_without_free_slot_runs_nothing(
    topics: dict[str, Registered], monkeypatch: pytest.MonkeyPatch
) -> None:
    topics["bulk"] = Registered(lambda _: None)
    put("bulk", 1, Lane.BULK)
    monkeypatch.setattr(lanes, "_limits", [lanes.Limits(tuple(Lane), lanes.Slots(0), lanes.Slots(0))])
    assert runner.run_bulk() == {}
    monkeypatch.setattr(lanes, "_limits", [lanes.Limits(tuple(Lane), lanes.Slots(1), lanes.Slots(0))])
    assert list(runner.run_bulk().values()) == ["done"]


def test_lane_whose_message_was_dropped_is_notified_when_the_slot_is_free(
    topics: dict[str, Registered], app: Flask, notified: list[tuple[list[int], Lane]]
) -> None:
    topics["bulk"] = topics["exports"] = Registered(lambda _: None)
    with Redis.from_url(app.extensions["settings"].broker_url) as broker:
        broker.delete(*queue.QUEUES.values())
        put("exports", 2, Lane.EXPORTS)
        put("bulk", 1, Lane.BULK)
        notified.clear()
        assert list(runner.run_exports().values()) == ["done"]
        assert notified == [([], Lane.BULK), ([], Lane.EXPORTS)]
        broker.lpush(queue.QUEUES[Lane.BULK], "a message that nobody has taken yet")
        notified.clear()
        assert list(runner.run_exports().values()) == ["done"]
        broker.delete(*queue.QUEUES.values())
    assert notified == []


def test_poll_runs_jobs_without_messages(topics: dict[str, Registered], app: Flask) -> None:
    topics["polled"] = Registered(lambda _: None)
    put("polled", 3, Lane.URGENT)
    put("polled", 3, Lane.BULK)
    with transaction():
        db.session.execute(
            update(Job).values(dispatched_at=text("now()"))
        )  # dispatched again, but no worker got the message
    assert polling.poll() >= 6
    left = select(Job.id).where(Job.topic == "polled", Job.done_at.is_(None))
    assert db.session.execute(left).all() == []


def test_polling_pauses_while_messages_arrive(
    topics: dict[str, Registered], app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    polled: list[float] = []
    monkeypatch.setattr(polling, "poll", lambda: polled.append(time.monotonic()))
    with polling.message_in_hand():
        stop = polling.start(app, quiet_seconds=0.2)
        assert not processes.wait_until(lambda: bool(polled), seconds=1)
        ended = time.monotonic()
    try:
        assert wait_until(lambda: bool(polled))
        assert polled[0] - ended >= 0.2
    finally:
        stop()
