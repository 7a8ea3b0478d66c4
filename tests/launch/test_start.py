"""One installation through its life: first start, second start, everything killed, started again, ended."""

import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.launch.product import Product, all_gone
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
    """In a folder so deep that no socket's path would fit."""
    deep = tmp_path_factory.mktemp("launch") / ("deep folder " * 10).strip()
    product = Product(deep)
    yield product
    product.destroy()


def test_the_whole_life(product: Product) -> None:
    first_start_and_end(product)
    second_start_prepares_nothing(product)
    whatever_dies_is_started_again(product)
    second_launcher_is_refused(product)
    nothing_outlives_a_killed_launcher(product)
    data_is_there_after_the_kill(product)
    calls_in_flight_end_before_the_end(product)


def first_start_and_end(product: Product) -> None:
    product.start()
    assert product.call("/add_customer", CUSTOMER)[0] == 201
    assert product.call("/check", {"username": "admin", "password": "a password of tests"})[0] == 200
    everything = product.everything()
    assert len(everything) >= 7
    programs_know_no_owner_of_the_database(product)
    assert product.stop() == 0
    assert not all_gone(everything)
    assert "Ready: http://127.0.0.1" in product.output
    assert "Sign in as admin" in product.output
    assert product.password_shown() is None, "a password that was given is not shown"


def programs_know_no_owner_of_the_database(product: Product) -> None:
    run = product.data / "run"
    noted = (run / "runtime.env").read_text()
    assert "//doorstep_app:" in noted
    assert "doorstep_owner" not in noted
    assert "//doorstep_owner:" in (run / "owner.env").read_text()
    for name in ("backend.wsgi", "backend.worker worker", "backend.worker beat"):
        for process in (product.children(name)[0], *product.children(name)[0].children(recursive=True)):
            assert "doorstep_owner" not in str(process.environ()), process


def second_start_prepares_nothing(product: Product) -> None:
    """What makes it quick: no build, no migrations, no process that prepares the database."""
    prepared = (product.data / "logs" / "prepare.log").stat()
    product.start()
    assert "migrations" not in product.output
    assert "Building" not in product.output
    assert (product.data / "logs" / "prepare.log").stat() == prepared
    assert product.call("/check", SIGN_IN)[0] == 200


def whatever_dies_is_started_again(product: Product) -> None:
    before = {}
    for name in ("backend.wsgi", "backend.worker worker", "backend.worker beat", "valkey-server", "bin/postgres"):
        before[name] = product.children(name)[0]
        before[name].kill()

    def all_new() -> bool:
        found = {name: product.children(name) for name in before}
        return all(new and new[0] != before[name] for name, new in found.items()) and product.ready()

    assert wait_until(all_new, pause=0.3), product.told()
    assert product.call("/check", SIGN_IN)[0] == 200


def second_launcher_is_refused(product: Product) -> None:
    other = Product(product.folder.parent / "other", settings={"DATA_DIR": str(product.data)})
    assert other.launch().wait(timeout=HANG_SECONDS) == 1
    assert "already runs" in other.output


def nothing_outlives_a_killed_launcher(product: Product) -> None:
    everything = product.everything()
    assert product.process is not None
    product.process.kill()
    product.process.wait()
    left = all_gone(everything)
    assert not left, left


def data_is_there_after_the_kill(product: Product) -> None:
    product.start()
    assert product.call("/check", SIGN_IN)[0] == 200


def calls_in_flight_end_before_the_end(product: Product) -> None:
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


def test_folder_of_the_installation_keeps_its_secrets(product: Product) -> None:
    secrets = [*product.data.glob("*.password"), product.data / "secret_key"]
    assert len(secrets) == 5
    assert all(Path(path).stat().st_mode & 0o077 == 0 for path in secrets)
