"""Certificate verification of the mail server: name, dates and authority."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from backend.core.db.session import transaction
from backend.domain.notifications import create
from backend.domain.notifications import delivery as notification_delivery
from tests.factories import certificates
from tests.factories.certificates import Certificate
from tests.factories.jobs import deliveries, work
from tests.factories.servers import SmtpServer
from tests.factories.users import Users
from tests.jobs.conftest import Another

MODES = ("starttls", "smtps")


@dataclass
class Sending:
    """Sends one notification to a mail server that shows a certificate and asks for a password."""

    another: Another
    users: Users
    folder: Path
    trusted: Certificate = field(default_factory=certificates.authority)

    @contextmanager
    def to(
        self, shown: Certificate, *, mode: str, host: str = "localhost", trusts: bool = True
    ) -> Iterator[SmtpServer]:
        context = shown.server_context(self.folder)
        server = SmtpServer(starttls=context) if mode == "starttls" else SmtpServer(smtps=context)
        server.start()
        self.another(
            mail_server=host,
            mail_port=server.port,
            mail_use_tls=mode == "starttls",
            mail_use_ssl=mode == "smtps",
            mail_username="market",
            mail_password="the real password",
            mail_ca_file=self.trusted.written(self.folder, "authority") if trusts else None,
        )
        with transaction():
            user = self.users.customer()
            create.notify(user.id, "request_accepted", request_id=7, params={"task": "Plumbing"})
        work()
        yield server
        server.stop()


@pytest.fixture
def sending(another: Another, users: Users, tmp_path: Path) -> Sending:
    return Sending(another, users, tmp_path)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_mail_to_server_with_trusted_private_authority_is_sent(sending: Sending, mode: str, host: str) -> None:
    shown = certificates.server(host, issuer=sending.trusted)
    with sending.to(shown, mode=mode, host=host) as server:
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
def test_mail_to_server_with_unverifiable_certificate_is_delayed_with_reason(
    sending: Sending, mode: str, wrong: str, says: str
) -> None:
    shown = {
        "name": lambda: certificates.server("mail.example.com", issuer=sending.trusted),
        "expired": lambda: certificates.server("localhost", issuer=sending.trusted, age=timedelta(days=60)),
        "self-signed": lambda: certificates.server("localhost"),
        "authority": lambda: certificates.server("localhost", issuer=sending.trusted),
    }[wrong]()
    with sending.to(shown, mode=mode, trusts=wrong != "authority") as server:
        assert (server.mails, server.passwords) == ([], [])
    (delivery,) = deliveries()
    (attempt,) = notification_delivery.attempts_of(delivery.id)
    assert (delivery.state, attempt.outcome) == ("waiting", "put_off")
    assert says in str(attempt.detail)
    assert "MAIL_CA_FILE" in str(attempt.detail)
