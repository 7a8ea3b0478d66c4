"""The built application: packed for who can unpack it, the very same bytes for everyone else."""

import base64
import gzip
import hashlib
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from backend.api import web_app

SCRIPT = b"document.documentElement.classList.add('light')\n"
PAGE = b"<!doctype html><title>Doorstep</title><script>" + SCRIPT + b"</script>" + b" " * 900
CODE = b"export const door = 'open'\n" * 60


@pytest.fixture
def dist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small build, with gzip copies and none by Brotli."""
    monkeypatch.setattr(web_app, "DIST", tmp_path)
    (tmp_path / "assets").mkdir()
    for name, content in (("index.html", PAGE), ("assets/door-1a2b.js", CODE)):
        (tmp_path / name).write_bytes(content)
        (tmp_path / f"{name}.gz").write_bytes(gzip.compress(content))
    return tmp_path


@pytest.mark.usefixtures("dist")
@pytest.mark.parametrize(
    ("path", "kind", "content"),
    [
        ("/app/", "text/html", PAGE),
        ("/app/requests/3", "text/html", PAGE),
        ("/app/assets/door-1a2b.js", "javascript", CODE),
    ],
)
def test_packed_for_who_can_unpack_it(client: FlaskClient, path: str, kind: str, content: bytes) -> None:
    with client.get(path, headers={"Accept-Encoding": "br, gzip"}) as packed, client.get(path) as plain:
        assert packed.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(packed.data) == content
        assert "Content-Encoding" not in plain.headers
        assert plain.data == content
        for answer in (packed, plain):
            assert kind in answer.headers["Content-Type"]
            assert "Accept-Encoding" in answer.headers["Vary"]
        assert packed.headers["ETag"] != plain.headers["ETag"], "other bytes, another tag"
    with client.get(path, headers={"Accept-Encoding": "gzip", "If-None-Match": packed.headers["ETag"]}) as again:
        assert again.status_code == 304


@pytest.mark.usefixtures("dist")
@pytest.mark.parametrize("refused", ["identity", "gzip;q=0", "deflate"])
def test_plain_for_who_cannot(client: FlaskClient, refused: str) -> None:
    with client.get("/app/assets/door-1a2b.js", headers={"Accept-Encoding": refused}) as answer:
        assert answer.data == CODE
        assert "Content-Encoding" not in answer.headers
        assert answer.headers["Cache-Control"] == web_app.IMMUTABLE


@pytest.mark.usefixtures("dist")
def test_a_file_that_is_not_there_is_no_page(client: FlaskClient) -> None:
    assert client.get("/app/assets/gone-9f9f.js").status_code == 404


def test_names_outside_of_the_build_tell_nothing_about_the_machine(dist: Path, client: FlaskClient) -> None:
    secret = dist.parent / "secret.txt"
    secret.write_text("there")
    paths = [f"/app/..%2f{name}" for name in ("secret.txt", "nothing.txt")]
    paths += [f"/app/{'..%2f' * 12}etc/{name}" for name in ("passwd", "nothing")]
    answers = [client.get(path) for path in paths]
    assert [(answer.status_code, answer.data) for answer in answers] == [(200, PAGE)] * len(paths)


@pytest.mark.usefixtures("dist")
def test_a_name_too_long_for_any_file_is_not_there(client: FlaskClient) -> None:
    with client.get(f"/app/assets/{'a' * 300}") as missing, client.get(f"/app/{'a' * 300}") as page:
        assert missing.status_code == 404
        assert (page.status_code, page.data) == (200, PAGE)


def test_the_pages_people_come_in_by_are_drawn_ahead(dist: Path, client: FlaskClient) -> None:
    (dist / "pages").mkdir()
    for name in ("landing", "sign-in"):
        (dist / "pages" / f"{name}.html").write_bytes(PAGE.replace(b"Doorstep", name.encode()))
    for path, title in (("", b"landing"), ("sign-in", b"sign-in"), ("sign-in/", b"sign-in"), ("sign-up", b"Doorstep")):
        assert b"<title>" + title + b"</title>" in client.get(f"/app/{path}").data


def test_the_policy_lets_in_the_pages_own_inline_script_and_no_other(dist: Path, client: FlaskClient) -> None:
    def scripts() -> str:
        policy = client.get("/app/").headers["Content-Security-Policy"]
        (found,) = [part for part in policy.split("; ") if part.startswith("script-src")]
        return found

    def hash_of(script: bytes) -> str:
        return f"'sha256-{base64.b64encode(hashlib.sha256(script).digest()).decode()}'"

    assert scripts() == f"script-src 'self' {hash_of(SCRIPT)}"
    (dist / "index.html").write_bytes(PAGE.replace(b"light", b"dark!"))
    assert scripts() == f"script-src 'self' {hash_of(SCRIPT.replace(b'light', b'dark!'))}", "built anew"
    (dist / "index.html").write_bytes(PAGE.replace(b"<script>" + SCRIPT + b"</script>", b""))
    assert scripts() == "script-src 'self'"


@pytest.mark.usefixtures("dist")
@pytest.mark.parametrize("path", ["index.html", "pages/landing.html", "../index.html", "..%2fsecret.html"])
def test_a_page_is_never_sent_without_its_policy(client: FlaskClient, path: str) -> None:
    answer = client.get(f"/app/{path}", follow_redirects=True)
    assert answer.status_code == 404 or "Content-Security-Policy" in answer.headers
