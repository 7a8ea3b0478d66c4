"""The built frontend: compressed for clients that accept gzip, plain for others; the entry page for each visitor."""

import gzip
import json
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from flask.testing import FlaskClient

from backend.api import web_app
from backend.core import web_assets
from backend.core.clock import now
from backend.core.db.session import transaction

PAGE = b"<!doctype html><title>Doorstep</title>" + b" " * 900
HASH = "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
CODE = b"export const door = 'open'\n" * 60


@pytest.fixture
def dist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Create a small build with gzip copies and no Brotli copies."""
    monkeypatch.setattr(web_app, "DIST", tmp_path)
    (tmp_path / "assets").mkdir()
    (tmp_path / "pages").mkdir()
    for name, content in (("pages/empty.en.html", PAGE), ("assets/door-1a2b.js", CODE)):
        (tmp_path / name).write_bytes(content)
        (tmp_path / f"{name}.gz").write_bytes(gzip.compress(content))
    (tmp_path / "pages" / "manifest.json").write_text(json.dumps({"empty.en": {"scripts": [], "styles": []}}))
    add_page(tmp_path, "empty.hi")
    return tmp_path


def add_page(dist: Path, name: str, *, scripts: tuple[str, ...] = (), styles: tuple[str, ...] = ()) -> None:
    """Add a page whose title is its name, and its hashes to the manifest."""
    (dist / "pages" / f"{name}.html").write_bytes(PAGE.replace(b"Doorstep", name.encode()))
    manifest = dist / "pages" / "manifest.json"
    pages = json.loads(manifest.read_text()) | {name: {"scripts": scripts, "styles": styles}}
    manifest.unlink()
    manifest.write_text(json.dumps(pages))


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


def test_web_app_keeps_files_of_other_builds_for_a_week(client: FlaskClient, dist: Path, tmp_path: Path) -> None:
    """The pages of two builds load their files from machines that have only one of them."""
    old, new = tmp_path / "old", tmp_path / "new"
    for folder, name in ((old, "both-1111.js"), (new, "both-1111.js"), (old, "past-2222.js"), (new, "door-3333.css")):
        folder.mkdir(exist_ok=True)
        (folder / name).write_bytes(CODE)
    (new / "door-3333.css.gz").write_bytes(gzip.compress(CODE))
    assert keep(old) == 2
    assert keep(new) == 1
    assert keep(tmp_path / "no build") == 0
    for name in ("both-1111.js", "past-2222.js", "door-3333.css"):
        path = f"/app/assets/{name}"
        packed, plain = client.get(path, headers={"Accept-Encoding": "gzip"}), client.get(path)
        assert (gzip.decompress(packed.data), plain.data) == (CODE, CODE)
        assert (packed.headers["Content-Encoding"], "Content-Encoding" in plain.headers) == ("gzip", False)
        for answer in (packed, plain):
            assert answer.headers["Cache-Control"] == web_app.IMMUTABLE
            assert answer.headers["Content-Type"].startswith("text/css" if name.endswith("css") else "text/javascript")
            assert "Accept-Encoding" in answer.headers["Vary"]

    later = now() + web_assets.KEPT + timedelta(minutes=1)
    with time_machine.travel(later, tick=True), transaction():
        assert web_assets.drop_old() == 1
    assert client.get("/app/assets/past-2222.js").status_code == 404
    assert keep(old) == 1  # back to the version before
    assert client.get("/app/assets/past-2222.js").status_code == 200
    with time_machine.travel(later, tick=True), transaction():
        assert web_assets.drop_old() == 1
    assert client.get("/app/assets/door-3333.css").status_code == 404


def keep(folder: Path) -> int:
    with transaction():
        return web_assets.keep(folder)


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
    for name in ("landing", "sign-in"):
        add_page(dist, f"{name}.en")
    for path, title in (("", "landing.en"), ("sign-in", "sign-in.en"), ("sign-in/", "sign-in.en"), ("x", "Doorstep")):
        assert f"<title>{title}</title>".encode() in client.get(f"/app/{path}").data


@pytest.mark.parametrize(
    ("cookie", "accepted", "expected"),
    [
        (None, None, "en"),
        (None, "hi-IN,hi;q=0.9,en;q=0.8", "hi"),
        (None, "en-IN,hi;q=0.5", "en"),
        (None, "fr", "en"),
        ("hi", "en", "hi"),
        ("en", "hi", "en"),
        ("../x", "hi", "hi"),
    ],
)
def test_web_app_page_is_in_language_of_cookie_or_browser(
    dist: Path, client: FlaskClient, cookie: str | None, accepted: str | None, expected: str
) -> None:
    for language in ("en", "hi"):
        add_page(dist, f"landing.{language}")
    if cookie:
        client.set_cookie("doorstep-language", cookie)
    answer = client.get("/app/", headers={"Accept-Language": accepted} if accepted else {})
    assert f"<title>landing.{expected}</title>".encode() in answer.data
    assert answer.headers["Content-Language"] == expected
    assert answer.headers["Cache-Control"] == "no-cache"
    assert {"Accept-Encoding", "Accept-Language", "Cookie"} <= set(answer.vary)


def test_web_app_with_session_sends_no_page_of_visitor(dist: Path, client: FlaskClient) -> None:
    add_page(dist, "landing.en")
    client.set_cookie("csrf_refresh_token", "x")
    assert client.get("/app/").data == PAGE


def test_content_security_policy_allows_only_inline_parts_of_page(dist: Path, client: FlaskClient) -> None:
    def sources(kind: str) -> str:
        policy = client.get("/app/").headers["Content-Security-Policy"]
        (found,) = [part for part in policy.split("; ") if part.startswith(kind)]
        return found

    add_page(dist, "landing.en", scripts=(HASH,), styles=(HASH.replace("47", "48"),))
    assert sources("script-src") == f"script-src 'self' '{HASH}'"
    assert sources("style-src") == f"style-src 'self' '{HASH.replace('47', '48')}'"
    add_page(dist, "landing.en", scripts=(HASH.replace("47", "49"),))
    assert sources("script-src") == f"script-src 'self' '{HASH.replace('47', '49')}'", "rebuilt"
    assert sources("style-src") == "style-src 'self'"


@pytest.mark.usefixtures("dist")
@pytest.mark.parametrize(
    "path", ["index.html", "pages/landing.en.html", "pages/manifest.json", "../index.html", "..%2fsecret.html"]
)
def test_web_app_page_is_never_sent_without_content_security_policy(client: FlaskClient, path: str) -> None:
    answer = client.get(f"/app/{path}", follow_redirects=True)
    assert answer.status_code == 404 or "Content-Security-Policy" in answer.headers


@pytest.mark.usefixtures("dist")
def test_page_of_shared_visit_is_kept_out_of_referrers_and_search_engines(client: FlaskClient) -> None:
    shared, other = client.get("/app/visit/abc"), client.get("/app/requests/3")
    assert (shared.headers["Referrer-Policy"], shared.headers["X-Robots-Tag"]) == ("no-referrer", "noindex, nofollow")
    assert other.headers["Referrer-Policy"] == "same-origin"
    assert "X-Robots-Tag" not in other.headers


def test_web_app_without_build_says_how_to_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, client: FlaskClient
) -> None:
    monkeypatch.setattr(web_app, "DIST", tmp_path)
    answer = client.get("/app/")
    assert (answer.status_code, b"make frontend" in answer.data) == (503, True)


def test_manifest_has_market_name_and_icons_of_the_application(client: FlaskClient) -> None:
    answer = client.get("/app/manifest.webmanifest")
    assert answer.mimetype == "application/manifest+json"
    manifest = json.loads(answer.data)
    assert (manifest["name"], manifest["start_url"], manifest["display"]) == ("Doorstep", "/app/", "standalone")
    public = web_app.DIST.parent / "public"
    for icon in manifest["icons"]:
        assert (public / icon["src"].removeprefix("/app/")).is_file()


def test_service_worker_may_fetch_files_and_is_looked_up_each_time(dist: Path, client: FlaskClient) -> None:
    (dist / "service-worker.js").write_text("// worker")
    answer = client.get("/app/service-worker.js", buffered=True)
    assert answer.headers["Cache-Control"] == "no-cache"
    assert "connect-src 'self'" in answer.headers["Content-Security-Policy"]
