"""Mail goes only to a server that proves who it is: its name, its dates and its authority are checked."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from backend.core.database import transaction
from backend.domain.notifications import actions, ledger
from tests.factories import certificates
from tests.factories.certificates import Certificate
from tests.factories.jobs import deliveries, work
from tests.factories.people import People
from tests.factories.servers import SmtpServer
from tests.jobs.conftest import Another

MODES = ("starttls", "smtps")
Serve = Callable[[Certificate, str], SmtpServer]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Starts a mail server that shows a certificate, and asks for a password."""
    started: list[SmtpServer] = []

    def start(certificate: Certificate, mode: str) -> SmtpServer:
        server = SmtpServer(**{mode: certificate.server_context(tmp_path)})
        server.start()
        started.append(server)
        return server

    yield start
    for server in started:
        server.stop()


def send(another: Another, people: People, server: SmtpServer, *, mode: str, host: str, ca: Path | None) -> None:
    another(
        mail_server=host,
        mail_port=server.port,
        mail_use_tls=mode == "starttls",
        mail_use_ssl=mode == "smtps",
        mail_username="market",
        mail_password="the real password",
        mail_timeout_seconds=5,
        mail_ca_file=ca,
    )
    with transaction():
        actions.notify(people.customer().id, "request_accepted", request_id=7, params={"task": "Plumbing"})
    work()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_server_of_a_private_authority_gets_the_mail(
    another: Another, people: People, serve: Serve, tmp_path: Path, mode: str, host: str
) -> None:
    trusted = certificates.authority()
    server = serve(certificates.server(host, issuer=trusted), mode)
    send(another, people, server, mode=mode, host=host, ca=trusted.written(tmp_path, "authority"))
    assert (len(server.mails), server.passwords) == (1, ["the real password"])
    assert deliveries()[0].state == "sent"


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ("name", "Hostname mismatch"),
        ("expired", "certificate has expired"),
        ("self-signed", "self-signed certificate"),
        ("authority", "unable to get local issuer certificate"),
    ],
)
def test_a_certificate_that_cannot_be_verified_puts_the_mail_off_and_says_why(
    another: Another, people: People, serve: Serve, tmp_path: Path, mode: str, wrong: str, says: str
) -> None:
    trusted = certificates.authority()
    shown = {
        "name": lambda: certificates.server("mail.example.com", issuer=trusted),
        "expired": lambda: certificates.server("localhost", issuer=trusted, age=timedelta(days=60)),
        "self-signed": lambda: certificates.server("localhost"),
        "authority": lambda: certificates.server("localhost", issuer=trusted),
    }[wrong]()
    ca = None if wrong == "authority" else trusted.written(tmp_path, "authority")
    server = serve(shown, mode)
    send(another, people, server, mode=mode, host="localhost", ca=ca)
    assert (server.mails, server.passwords) == ([], [])
    (delivery,) = deliveries()
    (attempt,) = ledger.attempts_of(delivery.id)
    assert (delivery.state, attempt.outcome) == ("waiting", "put_off")
    assert says in str(attempt.detail)
    assert "MAIL_CA_FILE" in str(attempt.detail)
