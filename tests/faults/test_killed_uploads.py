"""Clients that are killed during an upload: the account may upload again at once."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import pytest
import requests

from tests.factories.files import pdf, slow_pdf
from tests.factories.users import User, Users
from tests.faults.web import Web, web_server
from tests.waiting import HANG_SECONDS, wait_until

pytestmark = pytest.mark.faults
# Sends the bytes of a file to a server, says so, and waits for a response.
CLIENT: Final = """
import pathlib, socket, sys
with socket.create_connection((sys.argv[1], int(sys.argv[2]))) as connection:
    connection.sendall(pathlib.Path(sys.argv[3]).read_bytes())
    print("sent", flush=True)
    connection.recv(1)
"""


@pytest.fixture
def web(users: Users, environ: dict[str, str], tmp_path: Path) -> Iterator[Web]:
    with web_server({**environ, "WEB_WORKERS": "2", "LOG_LEVEL": "info"}, tmp_path) as started:
        yield started


def call(web: Web, who: User, content: bytes) -> requests.PreparedRequest:
    files = {"document": ("proof.pdf", content, "application/pdf")}
    return requests.Request("PUT", f"{web.url}/me/document", headers=who.headers, files=files).prepare()


def send(web: Web, who: User) -> requests.Response:
    with requests.Session() as http:
        http.trust_env = False
        return http.send(call(web, who, pdf()), timeout=HANG_SECONDS)


def kill_client(web: Web, who: User, content: bytes, *, share: float, file: Path) -> None:
    """Kill a client that has sent this share of an upload and waits."""
    made, address = call(web, who, content), urlsplit(web.url)
    assert isinstance(made.body, bytes)
    head = ["PUT /me/document HTTP/1.1", f"Host: {address.netloc}"]
    head += [f"{name}: {value}" for name, value in made.headers.items()]
    file.write_bytes("\r\n".join([*head, "", ""]).encode() + made.body[: int(len(made.body) * share)])
    argv = [sys.executable, "-c", CLIENT, str(address.hostname), str(address.port), str(file)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as client:
        assert client.stdout is not None
        assert client.stdout.readline() == b"sent\n"
        client.kill()


def test_upload_after_client_killed_halfway_is_accepted_at_once(web: Web, users: Users, tmp_path: Path) -> None:
    ravi = users.professional(approved=False)
    for number in range(3):
        kill_client(web, ravi, pdf(pages=30), share=0.5, file=tmp_path / f"call-{number}")
        assert send(web, ravi).status_code == 200


def test_upload_after_client_killed_waiting_is_accepted_once_that_one_ended(
    web: Web, users: Users, tmp_path: Path
) -> None:
    """It goes on in the server, and its result is refused or kept as if the client were there."""
    ravi = users.professional(approved=False)
    kill_client(web, ravi, slow_pdf(), share=1.0, file=tmp_path / "call")
    answers: list[requests.Response] = []

    def is_accepted() -> bool:
        answers.append(send(web, ravi))
        return answers[-1].status_code == 200

    assert wait_until(is_accepted), answers[-1].text
    assert {answer.json().get("code") for answer in answers[:-1]} <= {"inspection_running"}
