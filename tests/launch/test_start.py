"""One installation from first start to shutdown: restarts, killed processes and secrets."""

import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.launch.product import Product, still_running
from tests.waiting import HANG_SECONDS, wait_until

pytestmark = pytest.mark.launch
CUSTOMER = {
    "username": "asha",
    "email": "asha@example.com",
    "password": "a long enough password",
    "firstname": "Asha",
    "lastname": "Rao",
    "address": "1 Brigade Road",
    "pincode": "560001",
}
SIGN_IN = {"username": "asha", "password": CUSTOMER["password"]}


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """Return a product in a folder too deep for a Unix socket path."""
    deep = tmp_path_factory.mktemp("launch") / ("deep folder " * 10).strip()
    product = Product(deep)
    yield product
    product.destroy()


def test_product_starts_restarts_recovers_and_stops_without_data_loss(product: Product) -> None:
    first_start_and_end(product)
    second_start_prepares_nothing(product)
    killed_processes_are_restarted(product)
    second_launcher_is_rejected(product)
    all_processes_end_with_killed_launcher(product)
    data_is_kept_after_kill(product)
    running_calls_are_served_before_shutdown(product)


def first_start_and_end(product: Product) -> None:
    product.start()
    assert product.call("/add_customer", CUSTOMER)[0] == 201
    assert product.call("/check", {"username": "admin", "password": "a password of tests"})[0] == 200
    everything = product.everything()
    assert len(everything) >= 7
    programs_do_not_know_database_owner(product)
    assert product.stop() == 0
    assert not still_running(everything)
    assert "Ready: http://127.0.0.1" in product.output
    assert "Sign in as admin" in product.output
    assert product.password_shown() is None, "a password that was given is not shown"


def programs_do_not_know_database_owner(product: Product) -> None:
    run = product.data / "run"
    noted = (run / "runtime.env").read_text()
    assert "//doorstep_app:" in noted
    assert "doorstep_owner" not in noted
    assert "//doorstep_owner:" in (run / "owner.env").read_text()
    for name in ("backend.wsgi", "backend.worker worker", "backend.worker beat", "backend.events"):
        for process in (product.children(name)[0], *product.children(name)[0].children(recursive=True)):
            assert "doorstep_owner" not in str(process.environ()), process


def second_start_prepares_nothing(product: Product) -> None:
    """Check that a second start runs no build, no migrations and no preparation."""
    prepared = (product.data / "logs" / "prepare.log").stat()
    product.start()
    assert "migrations" not in product.output
    assert "Building" not in product.output
    assert (product.data / "logs" / "prepare.log").stat() == prepared
    assert product.call("/check", SIGN_IN)[0] == 200


def killed_processes_are_restarted(product: Product) -> None:
    before = {}
    for name in (
        "backend.wsgi",
        "backend.worker worker",
        "backend.worker beat",
        "backend.events",
        "valkey-server",
        "bin/postgres",
    ):
        before[name] = product.children(name)[0]
        before[name].kill()

    def all_new() -> bool:
        found = {name: product.children(name) for name in before}
        return all(new and new[0] != before[name] for name, new in found.items()) and product.ready()

    assert wait_until(all_new, pause=0.3), product.diagnostics()
    assert product.call("/check", SIGN_IN)[0] == 200


def second_launcher_is_rejected(product: Product) -> None:
    other = Product(product.folder.parent / "other", settings={"DATA_DIR": str(product.data)})
    assert other.launch().wait(timeout=HANG_SECONDS) == 1
    assert "already runs" in other.output


def all_processes_end_with_killed_launcher(product: Product) -> None:
    everything = product.everything()
    assert product.process is not None
    product.process.kill()
    product.process.wait()
    left = still_running(everything)
    assert not left, left


def data_is_kept_after_kill(product: Product) -> None:
    product.start()
    assert product.call("/check", SIGN_IN)[0] == 200


def running_calls_are_served_before_shutdown(product: Product) -> None:
    body = b'{"username": "asha", "password": "a long enough password"}'
    with socket.create_connection(("127.0.0.1", product.port), timeout=HANG_SECONDS) as client:
        head = (
            "POST /check HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        client.sendall(head.encode() + body[:10])
        assert wait_until(lambda: product.bodies_waiting() == 1)
        assert product.process is not None
        product.process.send_signal(signal.SIGINT)
        assert wait_until(lambda: "Stopping" in product.output)
        client.sendall(body[10:])
        assert b"200" in client.recv(100).split(b"\r\n")[0]
    assert product.process.wait(timeout=HANG_SECONDS) == 0
    assert not product.ready()
    assert not (product.data / "run" / "runtime.env").exists()


def test_data_folder_keeps_secrets_private(product: Product) -> None:
    secrets = [*product.data.glob("*.password"), product.data / "secret_key"]
    assert len(secrets) == 5
    assert all(Path(path).stat().st_mode & 0o077 == 0 for path in secrets)
