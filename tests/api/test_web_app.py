"""The built frontend: compressed for clients that accept gzip, plain for others."""

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
    """Create a small build with gzip copies and no Brotli copies."""
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
def test_web_app_with_accept_gzip_is_compressed_and_otherwise_plain(
    client: FlaskClient, path: str, kind: str, content: bytes
) -> None:
    with client.get(path, headers={"Accept-Encoding": "br, gzip"}) as compressed, client.get(path) as plain:
        assert compressed.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(compressed.data) == content
        assert "Content-Encoding" not in plain.headers
        assert plain.data == content
        for answer in (compressed, plain):
            assert kind in answer.headers["Content-Type"]
            assert "Accept-Encoding" in answer.headers["Vary"]
        assert compressed.headers["ETag"] != plain.headers["ETag"], "different content, different ETag"
    with client.get(path, headers={"Accept-Encoding": "gzip", "If-None-Match": compressed.headers["ETag"]}) as again:
        assert again.status_code == 304


@pytest.mark.usefixtures("dist")
@pytest.mark.parametrize("refused", ["identity", "gzip;q=0", "deflate"])
def test_web_app_without_acceptable_gzip_is_plain(client: FlaskClient, refused: str) -> None:
    with client.get("/app/assets/door-1a2b.js", headers={"Accept-Encoding": refused}) as answer:
        assert answer.data == CODE
        assert "Content-Encoding" not in answer.headers
        assert answer.headers["Cache-Control"] == web_app.IMMUTABLE


@pytest.mark.usefixtures("dist")
def test_web_app_with_unknown_asset_returns_404(client: FlaskClient) -> None:
    assert client.get("/app/assets/gone-9f9f.js").status_code == 404


def test_web_app_paths_outside_of_build_reveal_no_files(dist: Path, client: FlaskClient) -> None:
    secret = dist.parent / "secret.txt"
    secret.write_text("there")
    paths = [f"/app/..%2f{name}" for name in ("secret.txt", "nothing.txt")]
    paths += [f"/app/{'..%2f' * 12}etc/{name}" for name in ("passwd", "nothing")]
    answers = [client.get(path) for path in paths]
    assert [(answer.status_code, answer.data) for answer in answers] == [(200, PAGE)] * len(paths)


@pytest.mark.usefixtures("dist")
def test_web_app_with_overlong_name_returns_404_or_page(client: FlaskClient) -> None:
    with client.get(f"/app/assets/{'a' * 300}") as missing, client.get(f"/app/{'a' * 300}") as page:
        assert missing.status_code == 404
        assert (page.status_code, page.data) == (200, PAGE)


def test_web_app_entry_pages_are_prerendered(dist: Path, client: FlaskClient) -> None:
    (dist / "pages").mkdir()
    for name in ("landing", "sign-in"):
        (dist / "pages" / f"{name}.html").write_bytes(PAGE.replace(b"Doorstep", name.encode()))
    for path, title in (("", b"landing"), ("sign-in", b"sign-in"), ("sign-in/", b"sign-in"), ("sign-up", b"Doorstep")):
        assert b"<title>" + title + b"</title>" in client.get(f"/app/{path}").data


def test_content_security_policy_allows_only_inline_script_of_page(dist: Path, client: FlaskClient) -> None:
    def scripts() -> str:
        policy = client.get("/app/").headers["Content-Security-Policy"]
        (found,) = [part for part in policy.split("; ") if part.startswith("script-src")]
        return found

    def hash_of(script: bytes) -> str:
        return f"'sha256-{base64.b64encode(hashlib.sha256(script).digest()).decode()}'"

    assert scripts() == f"script-src 'self' {hash_of(SCRIPT)}"
    (dist / "index.html").write_bytes(PAGE.replace(b"light", b"dark!"))
    assert scripts() == f"script-src 'self' {hash_of(SCRIPT.replace(b'light', b'dark!'))}", "rebuilt"
    (dist / "index.html").write_bytes(PAGE.replace(b"<script>" + SCRIPT + b"</script>", b""))
    assert scripts() == "script-src 'self'"


@pytest.mark.usefixtures("dist")
@pytest.mark.parametrize("path", ["index.html", "pages/landing.html", "../index.html", "..%2fsecret.html"])
def test_web_app_page_is_never_sent_without_content_security_policy(client: FlaskClient, path: str) -> None:
    answer = client.get(f"/app/{path}", follow_redirects=True)
    assert answer.status_code == 404 or "Content-Security-Policy" in answer.headers


@pytest.mark.usefixtures("dist")
def test_page_of_shared_visit_is_kept_out_of_referrers_and_search_engines(client: FlaskClient) -> None:
    shared, other = client.get("/app/visit/abc"), client.get("/app/requests/3")
    assert (shared.headers["Referrer-Policy"], shared.headers["X-Robots-Tag"]) == ("no-referrer", "noindex, nofollow")
    assert other.headers["Referrer-Policy"] == "same-origin"
    assert "X-Robots-Tag" not in other.headers
