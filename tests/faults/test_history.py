"""Random actions over HTTP while web processes and connections are killed; request histories stay consistent."""

import json
import random
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text

from backend.core.db.session import db
from backend.domain.task_requests.lifecycle import TABLE, Action
from backend.domain.task_requests.models import RequestEvent, TaskRequest
from tests.factories.lifecycle import VERBS
from tests.factories.requests import RequestMarket, at
from tests.factories.users import User, Users
from tests.faults.web import Web, web_server
from tests.waiting import HANG_SECONDS

pytestmark = [pytest.mark.faults, pytest.mark.slow]
ENOUGH, MAXIMUM_SECONDS = 60, 45.0  # acknowledged actions, or seconds on a busy machine
EDGES = {(source, rule.target or source, rule.action.public) for rule in TABLE for source in rule.sources}
CUT = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'doorstep-history'")


@dataclass
class Client:
    """A client that acts repeatedly and records what was acknowledged."""

    user: User
    url: str
    dice: random.Random
    acknowledged: Counter[tuple[int, int, str]] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)

    def run(self, ids: list[int], body: dict[str, Any], over: Event) -> None:
        while not over.is_set():
            if self.user.role == "customer" and (len(ids) < 3 or self.dice.random() < 0.1):
                made = self.send("POST", "/requests", {**body, "date_of_request": at(days=self.dice.uniform(2, 900))})
                if made is not None:
                    ids.append(made["id"])
                    self.acknowledged[made["id"], self.user.id, "create"] += 1
            else:
                self.act(self.dice.choice(ids or [1]), self.dice.choice(sorted(VERBS)))

    def act(self, request_id: int, action: Action) -> None:
        method, path, body = VERBS[action]
        sent = body
        if action is Action.MOVE:
            sent = {"date_of_request": at(days=self.dice.uniform(2, 900))}
        elif action is Action.EDIT:
            sent = {"remarks": f"Remark {self.dice.random()}"}
        if self.send(method.upper(), f"/requests/{request_id}{path}", sent) is not None:
            self.acknowledged[request_id, self.user.id, action.public] += 1

    def send(self, method: str, path: str, body: Any) -> Any:
        """Return the response to an acknowledged call, else None."""
        call = urllib.request.Request(
            self.url + path,
            data=None if body is None else json.dumps(body).encode(),
            headers={**self.user.headers, "Content-Type": "application/json"},
            method=method,
        )
        try:
            with urllib.request.urlopen(call, timeout=HANG_SECONDS) as answer:
                self.statuses[answer.status] += 1
                return json.load(answer)
        except urllib.error.HTTPError as refusal:
            self.statuses[refusal.code] += 1
            refusal.close()
        except (OSError, ValueError, HTTPException):  # killed during the response
            time.sleep(0.05)
        return None


@pytest.fixture
def web(app: Flask, environ: dict[str, str], tmp_path: Path) -> Iterator[Web]:
    joint = "&" if "?" in environ["DATABASE_URL"] else "?"
    named = f"{environ['DATABASE_URL']}{joint}application_name=doorstep-history"
    with web_server({**environ, "DATABASE_URL": named, "WEB_WORKERS": "2"}, tmp_path) as served:
        yield served


def test_request_histories_after_kills_are_valid_and_keep_acknowledged_actions(web: Web, users: Users) -> None:
    market, over, ids = RequestMarket(users), Event(), list[int]()
    everyone = [users.customer(), *(market.professional() for _ in range(3))]
    clients = [Client(everyone[place % 4], web.url, random.Random(place)) for place in range(8)]
    threads = [Thread(target=client.run, args=(ids, market.body(), over), daemon=True) for client in clients]
    db.session.rollback()
    for thread in threads:
        thread.start()
    ends, turn = time.monotonic() + MAXIMUM_SECONDS, 0
    while time.monotonic() < ends and (turn < 6 or sum(client.acknowledged.total() for client in clients) < ENOUGH):
        time.sleep(1)
        turn += 1
        if turn % 2:
            web.kill_one()
        else:
            db.session.execute(CUT)
            db.session.commit()
    over.set()
    for thread in threads:
        thread.join(timeout=HANG_SECONDS)
    check(clients)


def _changes_it(event: RequestEvent) -> bool:
    """Return whether the request row changed; declining without having been asked only hides it from the caller."""
    return event.action != Action.REJECT or bool((event.changes or {}).get("asked"))


def check(clients: list[Client]) -> None:
    """Check that each history follows the state table and that every acknowledged action is in one."""
    acknowledged = sum((client.acknowledged for client in clients), Counter[tuple[int, int, str]]())
    statuses = sum((client.statuses for client in clients), Counter[int]())
    assert acknowledged, statuses
    assert not {status for status in statuses if status >= 500} - {503}, statuses
    events: dict[int, list[Any]] = {}
    for event in db.session.execute(select(RequestEvent).order_by(RequestEvent.id)).scalars():
        events.setdefault(event.request_id, []).append(event)
    for request in db.session.execute(select(TaskRequest)).scalars():
        before = None
        for event in events[request.id]:
            assert event.from_status == before
            assert (event.from_status, event.to_status, event.action) in EDGES
            before = event.to_status
        assert before == request.status
        assert request.version == sum(_changes_it(event) for event in events[request.id])
    kept = Counter((event.request_id, event.actor_id, event.action) for found in events.values() for event in found)
    assert acknowledged - kept == Counter()
