"""Clients that use the marketplace: each write has a name of its own, and is repeated until it is answered."""

import io
import json
import random
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Self

from PIL import Image

from backend.core.clock import now
from tests.chaos.fleet import Fleet
from tests.chaos.history import Call, History, Kind
from tests.factories.files import form
from tests.factories.users import PASSWORD, User
from tests.scale.load import READS, send
from tests.waiting import HANG_SECONDS

CALL_SECONDS: Final = 40.0
REPEAT_SECONDS: Final = 90.0  # a client gives up after that long; what became of the call is then unknown
REPEAT_PAUSE: Final = 0.4
EXPORT_EVERY: Final = 20  # visits of a customer
SLOTS: Final = 400  # hours among which dates are drawn, so that some overlap


def letters() -> str:
    """Return a name of letters only, as digits in messages could be taken for a phone number."""
    return "".join(chr(ord("a") + int(digit, 16)) for digit in uuid.uuid4().hex)


def photo(dice: random.Random) -> bytes:
    """Return a picture unlike all others."""
    target = io.BytesIO()
    noise = Image.frombytes("RGB", (24, 18), dice.randbytes(24 * 18 * 3))
    noise.resize((240, 180)).save(target, "JPEG")
    return target.getvalue()


@dataclass
class Client:
    """A user with an access token, renewed by signing in again."""

    user: User
    url: str
    history: History

    def write(
        self,
        kind: Kind,
        method: str,
        path: str,
        body: object = None,
        *,
        target: int = 0,
        value: str = "",
        line: int = 0,
    ) -> Call:
        """Send a write with a key of its own until the server says what became of it, or patience ends."""
        key = value if kind is Kind.CREATE else letters()
        if isinstance(body, Mapping) and "data" in body:
            content, media = body["data"], body["content_type"]
        else:
            content, media = json.dumps(body).encode() if body is not None else b"", "application/json"
        headers = {"Content-Type": media, "Idempotency-Key": key}
        gives_up = time.monotonic() + REPEAT_SECONDS
        while True:
            plan = Call(kind, self.user.id, target, key, 0, 0, 0, line, value)
            call = self._send(method, path, content, headers, plan)
            if not (call.has_failed or call.status == 429 or "in_progress" in call.detail):
                return call
            if time.monotonic() > gives_up:
                return call
            time.sleep(REPEAT_PAUSE)

    def read(self, path: str) -> Call:
        """Send a read once."""
        return self._send("GET", path, b"", {}, Call(Kind.READ, self.user.id, 0, "", 0, 0, 0))

    def sign_in(self) -> bool:
        """Sign in once, and return whether it succeeded."""
        body = json.dumps({"username": self.user.username, "password": PASSWORD, "client": "api"}).encode()
        plan = Call(Kind.SIGN_IN, self.user.id, 0, "", 0, 0, 0)
        call = self._send("POST", "/check", body, {"Content-Type": "application/json"}, plan)
        if call.is_acknowledged:
            self.user.token = json.loads(call.detail)["access_token"]
        return call.is_acknowledged

    def _send(
        self, method: str, path: str, body: bytes, headers: Mapping[str, str], plan: Call, *, renews: bool = True
    ) -> Call:
        """Send a call once, and once more with a new access token if the old one is refused."""
        kind, began = plan.kind, time.monotonic()
        access = {} if kind is Kind.SIGN_IN else self.user.headers
        answer = send(self.url, method, path, body or None, {**access, **headers}, seconds=CALL_SECONDS)
        if answer.status == 401 and kind is not Kind.SIGN_IN and renews and self.sign_in():
            return self._send(method, path, body, headers, plan, renews=False)
        made = plan.made
        if 200 <= answer.status < 300 and kind not in (Kind.READ, Kind.SIGN_IN) and not made and answer.body:
            made = int(json.loads(answer.body).get("id", 0))
        keeps = kind is Kind.SIGN_IN or not 200 <= answer.status < 300
        call = Call(
            kind, plan.actor, plan.target, plan.key, answer.status, began, answer.at, made, plan.value,
            answer.body if keeps else "",
        )  # fmt: skip
        return self.history.add(call)


@dataclass
class Load:
    """Customers and professionals at work until the block ends; a context manager."""

    fleet: Fleet
    history: History
    seed: int
    pause: float = 0.02
    visits: int = 0
    errors: list[str] = field(default_factory=list)
    _ends: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        self._professionals = [self._client(user) for user in self.fleet.professionals]
        self._admin = self._client(self.fleet.admin)
        self._threads = [
            threading.Thread(target=self._guard, args=(self._visit_again, self._client(user), number))
            for number, user in enumerate(self.fleet.customers)
        ]
        reader = self._client(self.fleet.customers[0])
        self._threads.append(threading.Thread(target=self._guard, args=(self._read_again, reader, 99)))
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._ends.set()
        for thread in self._threads:
            thread.join(HANG_SECONDS)
        self.errors += [f"{thread.name} still waits for an answer" for thread in self._threads if thread.is_alive()]
        if kind is None:
            self.check_clients()

    def check_clients(self) -> None:
        """Raise if a client's own code failed, which is no fault of the product."""
        assert not self.errors, self.errors

    def _client(self, user: User) -> Client:
        return Client(user, self.fleet.url, self.history)

    def _guard(self, work: Callable[[Client, random.Random], None], client: Client, number: int) -> None:
        """Run a client's work; an error of its own code ends the run."""
        try:
            work(client, random.Random(self.seed * 1000 + number))
        except Exception as error:  # noqa: BLE001 - a client that dies quietly would make a run without load
            self.errors.append(repr(error))

    def _read_again(self, client: Client, dice: random.Random) -> None:
        while not self._ends.wait(self.pause * 5):
            client.read(dice.choice(READS))
            if dice.random() < 0.05:
                client.sign_in()

    def _visit_again(self, client: Client, dice: random.Random) -> None:
        with ThreadPoolExecutor(len(self._professionals)) as crowd:
            for number in range(1, 1_000_000):
                if self._ends.wait(self.pause):
                    return
                self._visit(client, dice, crowd)
                self.visits += 1
                if number % EXPORT_EVERY == 0:
                    self._admin.write(Kind.EXPORT, "POST", "/exports", {})

    def _visit(self, client: Client, dice: random.Random, crowd: ThreadPoolExecutor) -> None:
        """Create a request, let professionals race for it, and bring it to an end in one of several ways."""
        marker = letters()
        body = {"task_id": self.fleet.task_id, "date_of_request": self._date(dice), "remarks": marker}
        made = client.write(Kind.CREATE, "POST", "/requests", body, value=marker)
        if not made.is_acknowledged:
            return
        path = f"/requests/{made.made}"
        if dice.random() < 0.4:
            date = self._date(dice)
            client.write(Kind.MOVE, "PATCH", path, {"date_of_request": date}, target=made.made, value=date)
        racers = dice.sample(self._professionals, 3)
        races = [crowd.submit(racer.write, Kind.ACCEPT, "POST", f"{path}/accept", target=made.made) for racer in racers]
        won = [racer for racer, race in zip(racers, races, strict=True) if race.result().is_acknowledged]
        if won:
            self._do_work(client, won[0], made.made, dice)
        if not won or dice.random() < 0.15:
            client.write(Kind.CANCEL, "POST", f"{path}/cancel", {"reason": "Plans changed."}, target=made.made)

    def _do_work(self, client: Client, winner: Client, request_id: int, dice: random.Random) -> None:
        path, name = f"/requests/{request_id}", letters()
        if dice.random() < 0.7:
            client.write(Kind.MESSAGE, "POST", f"{path}/messages", {"body": f"Please ring {name}"}, target=request_id)
        if dice.random() < 0.3:
            file = form(photo(dice), name="photo.jpg", field="photo", phase="before")
            winner.write(Kind.PHOTO, "POST", f"{path}/photos", file, target=request_id)
        if dice.random() < 0.5:
            self._agree_on_line(client, winner, request_id, dice)
        if dice.random() < 0.85:
            winner.write(Kind.COMPLETE, "POST", f"{path}/complete", target=request_id)
            if dice.random() < 0.8:
                client.write(Kind.CLOSE, "POST", f"{path}/close", {"remarks": "Well done"}, target=request_id)

    def _agree_on_line(self, client: Client, winner: Client, request_id: int, dice: random.Random) -> None:
        path = f"/requests/{request_id}/price_lines"
        line = {"kind": "extra", "title": letters(), "quantity": "1", "unit_amount": f"{dice.randint(1, 900)}.00"}
        made = winner.write(Kind.PROPOSE, "POST", path, line, target=request_id)
        if made.is_acknowledged:
            kind, verb = dice.choice([(Kind.APPROVE, "approve"), (Kind.DECLINE, "decline")])
            client.write(kind, "POST", f"{path}/{made.made}/{verb}", target=request_id, line=made.made)

    @staticmethod
    def _date(dice: random.Random) -> str:
        """Return a time in the next days, in UTC and whole hours."""
        first: datetime = now().replace(minute=0, second=0, microsecond=0)
        return (first + timedelta(hours=48 + dice.randint(0, SLOTS))).isoformat()
