"""Mails a second from commit to a real SMTP server, beside a plain smtplib loop on one kept connection."""

import smtplib
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from sqlalchemy import text

from backend.app import create_app
from backend.core.db.session import db, transaction
from backend.core.security.authz import Role
from backend.domain.accounts.actions import NewAccount, sign_up
from backend.domain.notifications import create
from backend.domain.notifications.channels import mail
from backend.domain.notifications.channels.message import Contact, OutboundMessage
from backend.domain.notifications.messages import message, render
from backend.launch import processes
from backend.launch.private_files import free_port
from backend.migrations.setup import upgrade
from backend.settings import Settings
from benchmarks import load
from benchmarks.figures import Figure
from benchmarks.jobs import CONCURRENCY, ROOT, servers_of

MAILS: Final = 700
KIND: Final = "reminder"
GOAL: Final = 0.7
ROUNDS: Final = 3
PATIENCE_SECONDS: Final = 180.0
PARAMS: Final = {"waiting_title": "1 request waits", "waiting_body": "It is Plumbing.", "waiting": []}


def measure() -> Iterable[Figure]:
    """Both send the same letter to the same server; ours renders it, writes two rows and commits for each."""
    with TemporaryDirectory(prefix="doorstep-mails-") as folder, servers_of(Path(folder)) as settings, _sink() as port:
        app = create_app(Settings.from_env(settings))
        with app.app_context():
            upgrade()
            account_id = _someone()
            ours = {
                **settings,
                "MAIL_SERVER": "127.0.0.1",
                "MAIL_PORT": str(port),
                "WORKER_CONCURRENCY": str(CONCURRENCY + 1),
            }
            with _worker(ours):
                _sent(account_id, 2 * CONCURRENCY, "warm")
                names = (f"timed {number} " for number in count())
                figure, baseline, ratio = load.side_by_side(
                    lambda: _sent(account_id, MAILS, next(names)), lambda: _plain(port, account_id), rounds=ROUNDS
                )
            db.session.remove()
            db.engine.dispose()
    work = f"medians of {ROUNDS} rounds of {MAILS:,} mails by turns, {CONCURRENCY} job processes and one kept free"
    note = f"{work}; each rendered, noted and committed"
    yield Figure("mails, from commit to the mail server", figure, baseline, ratio, GOAL, note=note)


def _someone() -> int:
    fields = {"username": "asha", "email": "asha@example.org", "password": "a garden at dusk", "pincode": "560001"}
    with transaction():
        db.session.execute(
            text("INSERT INTO places (pincode, locality, district, state) VALUES ('560001', 'x', 'y', 'z')")
        )
        new = NewAccount(**fields, firstname="Asha", lastname="Rao", address="12 MG Road")
        return sign_up(new, role=Role.CUSTOMER).id


def _plain(port: int, account_id: int) -> float:
    contact = Contact(account_id, "Asha", "asha@example.org", True, None, False, None, "en")
    said = message(KIND)
    parcel = OutboundMessage(1, KIND, "<bench@localhost>", contact, said, render(KIND, PARAMS), PARAMS)
    letter = mail.letter(parcel)
    began = time.perf_counter()
    with smtplib.SMTP("127.0.0.1", port) as server:
        for number in range(MAILS):
            sent = EmailMessage()
            sent["From"], sent["To"], sent["Subject"] = "noreply@localhost.localdomain", letter.to, letter.subject
            sent["Message-ID"] = f"<{number}@localhost>"
            sent.set_content(letter.text)
            sent.add_alternative(letter.html, subtype="html")
            server.send_message(sent)
    return MAILS / (time.perf_counter() - began)


def _sent(account_id: int, number: int, about: str) -> float:
    """Mails a second of our worker, from commit to sent."""
    began = time.perf_counter()
    _post(account_id, number, about)
    _await(lambda: _waiting() == 0)
    return number / (time.perf_counter() - began)


def _post(account_id: int, number: int, about: str) -> None:
    with transaction():
        create.post([create.Outgoing(account_id, KIND, f"{about}{one}", PARAMS) for one in range(number)])


def _waiting() -> int:
    count = db.session.execute(text("SELECT count(*) FROM deliveries WHERE state <> 'sent'")).scalar_one()
    db.session.rollback()
    return int(count)


def _await(is_so: Callable[[], bool]) -> None:
    if not processes.wait_until(is_so, seconds=PATIENCE_SECONDS, pause=0.02):
        raise SystemExit("the mails were not out in time")


@contextmanager
def _worker(settings: dict[str, str]) -> Iterator[None]:
    command = [sys.executable, "-m", "backend.worker", "worker"]
    process = processes.spawn(command, env=settings, output=subprocess.DEVNULL, cwd=ROOT)
    try:
        yield
    finally:
        processes.end(process)


@contextmanager
def _sink() -> Iterator[int]:
    """A mail server in a process of its own, so that it costs neither side its time."""
    port = free_port(None)
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.delivery", str(port)], cwd=ROOT)
    try:
        _await(lambda: _answers(port))
        yield port
    finally:
        process.terminate()
        process.wait(timeout=20)


def _answers(port: int) -> bool:
    try:
        with smtplib.SMTP("127.0.0.1", port, timeout=2):
            return True
    except OSError:
        return False


class _Taken:
    async def handle_DATA(self, _server: SMTP, _session: Session, _envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd calls it so
        return "250 taken"


if __name__ == "__main__":
    Controller(_Taken(), hostname="127.0.0.1", port=int(sys.argv[1])).start()
    while True:
        time.sleep(3600)
