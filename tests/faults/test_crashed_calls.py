"""Web processes killed before and after the commit of a call: nothing is half done, and a repeated call counts once."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest
import requests
from flask import Flask
from redis import Redis
from sqlalchemy import text

from backend.core import storage
from backend.core.cache.valkey import PREFIX
from backend.core.clock import now
from backend.core.db.session import db
from backend.domain.documents import orphans
from backend.domain.documents.capacity import CLAIM_SECONDS
from backend.launch.embedded import EmbeddedValkey
from backend.settings import Settings
from tests.factories.files import picture
from tests.factories.offers import Quote
from tests.factories.price_lines import propose
from tests.factories.users import User, Users
from tests.factories.visits import Visit
from tests.faults.processes import until
from tests.faults.web import Web, immortal_server
from tests.waiting import HANG_SECONDS, wait_until

pytestmark = pytest.mark.faults
STORED, BEFORE, AFTER = FAILPOINTS = ("photo.stored", "call.before_commit", "call.after_commit")
TOLD: Final = """
SELECT max(times) FROM (SELECT count(*) AS times FROM notifications GROUP BY account_id, kind, request_id) AS told
"""
# PostgreSQL ends the transaction of a dead process once it notices; until then the call counts as running.
NAME: Final = "doorstep-crashes"
ENDED: Final = f"""
SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name = '{NAME}' AND xact_start IS NOT NULL
"""  # noqa: S608  # the name is a constant
LATER: Final = timedelta(days=2, minutes=1)


@dataclass
class MortalWeb:
    """A web server whose process dies at the failpoint of a call, and is followed by another."""

    web: Web
    folder: Path
    cache_url: str

    def post(self, who: User, path: str, **sent: Any) -> requests.Response:
        """Make a call, each time under the same key."""
        headers = {**who.headers, "Idempotency-Key": path}
        with requests.Session() as http:
            http.trust_env = False
            return http.post(f"{self.web.url}{path}", headers=headers, timeout=HANG_SECONDS, **sent)

    def post_and_die(self, failpoint: str, who: User, path: str, **sent: Any) -> None:
        """Make a call during which the process dies, and forget the place that an upload held for its account."""
        self.die(failpoint, who, path, **sent)
        with Redis.from_url(self.cache_url) as cache:
            cache.flushall()

    def die(self, failpoint: str, who: User, path: str, **sent: Any) -> None:
        """Make a call during which the process dies, so that nothing is acknowledged."""
        crashed = self.folder / f"crashed-{failpoint}"
        crashed.unlink()
        with pytest.raises(requests.ConnectionError):
            self.post(who, path, **sent)
        assert crashed.exists(), f"{path} did not reach {failpoint}"
        assert until(ENDED)


@pytest.fixture
def mortal(
    app: Flask,
    environ: dict[str, str],
    own_valkey: EmbeddedValkey,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[MortalWeb]:
    """Start a web server that shares an empty store of documents with the application of the test."""
    store = f"file://{tmp_path}/documents"
    monkeypatch.setitem(app.extensions, "document_store", storage.Store(store))
    folder = tmp_path / "web"
    folder.mkdir()
    for name in FAILPOINTS:
        (folder / f"crashed-{name}").touch()  # as if it had been reached before
    joint = "&" if "?" in environ["DATABASE_URL"] else "?"
    changes = {
        "CRASH_AT": ",".join(FAILPOINTS),
        "DATABASE_URL": f"{environ['DATABASE_URL']}{joint}application_name={NAME}",
        "DOCUMENT_STORE_URL": store,
        "REDIS_URL": own_valkey.url,
    }
    with immortal_server({**environ, **changes}, folder) as web:
        yield MortalWeb(web, folder, own_valkey.url)


def files() -> set[str]:
    return set(storage.documents().keys_from_before(now() + timedelta(minutes=1)))


def photos(visit: Visit, who: User) -> list[Any]:
    return list(who.get(f"{visit.path}/photos").json["items"])


def photo() -> dict[str, Any]:
    return {
        "data": {"phase": "before"},
        "files": {"photo": ("photo.jpg", picture("JPEG", size=(320, 240)), "image/jpeg")},
    }


def actions(who: User, path: str) -> list[str]:
    """Return the actions in the history of a request."""
    return [entry["action"] for entry in who.get(path).json["history"]]


def test_photo_by_killed_process_has_files_and_row_or_is_swept(mortal: MortalWeb, users: Users) -> None:
    visit = Visit(users)
    documents, path, upload = files(), f"{visit.path}/photos", photo()
    for number, failpoint in enumerate((STORED, BEFORE), start=1):
        mortal.post_and_die(failpoint, visit.ravi, path, **upload)
        assert photos(visit, visit.ravi) == []
        assert "add_photo" not in actions(visit.ravi, visit.path)
        assert len(files() - documents) == 2 * number, "both sizes were stored before the crash"
    assert orphans.drop_orphans(now() + LATER).dropped == 4
    assert files() == documents

    mortal.post_and_die(AFTER, visit.ravi, path, **upload)
    kept, stored = [photo["id"] for photo in photos(visit, visit.ravi)], files()
    again = mortal.post(visit.ravi, path, **upload)
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (201, "true")
    assert [photo["id"] for photo in photos(visit, visit.ravi)] == kept == [again.json()["id"]]
    assert actions(visit.ravi, visit.path).count("add_photo") == 1
    assert (len(stored - documents), files()) == (2, stored), "a repeated upload stores nothing"
    assert orphans.drop_orphans(now() + LATER).dropped == 0


def test_upload_after_one_by_killed_process_waits_for_seconds(
    mortal: MortalWeb, users: Users, environ: dict[str, str]
) -> None:
    visit, settings = Visit(users), Settings.from_env({**environ, "REDIS_URL": mortal.cache_url})
    path, claim = f"{visit.path}/photos", f"{PREFIX}document-upload:{visit.ravi.id}"
    with Redis.from_url(settings.cache_url) as cache:
        mortal.die(STORED, visit.ravi, path, **photo())
        refused = mortal.post(visit.ravi, path, **photo())
        assert cache.pttl(claim) <= 1000 * CLAIM_SECONDS <= 5000
        if refused.status_code != 201:  # it had not expired yet
            assert (refused.status_code, refused.json()["code"]) == (429, "inspection_running")
            assert int(refused.headers["Retry-After"]) == CLAIM_SECONDS
        assert wait_until(lambda: cache.exists(claim) == 0)
    assert mortal.post(visit.ravi, path, **photo()).status_code == 201


def test_actions_by_killed_process_are_not_done_or_done_once(mortal: MortalWeb, users: Users) -> None:
    visit = Visit(users, {"start_code": "required"})
    line, code = propose(visit), visit.code
    messages = f"{visit.path}/messages"
    done_once(
        lambda: len(visit.asha.get(messages).json["items"]),
        mortal, visit.ravi, messages, {"body": "I have the part."}, again=201,
    )  # fmt: skip
    done_once(
        lambda: actions(visit.ravi, visit.path).count("start"),
        mortal, visit.ravi, f"{visit.path}/start", {"code": code}, again=200,
    )  # fmt: skip
    approve = f"{visit.path}/price_lines/{line['id']}/approve"
    done_once(lambda: actions(visit.asha, visit.path).count("approve_line"), mortal, visit.asha, approve, again=409)
    assert visit.seen_by(visit.asha)["total"] == "749.00"
    assert told_at_most_once()


def test_offer_by_killed_process_is_not_accepted_or_accepted_once(mortal: MortalWeb, users: Users) -> None:
    quote = Quote(users)
    offer = quote.offer(quote.ravi)
    accept = f"{quote.path}/offers/{offer['id']}/accept"
    done_once(lambda: actions(quote.asha, quote.path).count("accept_offer"), mortal, quote.asha, accept, again=409)
    assert quote.states() == {offer["id"]: "accepted"}
    assert told_at_most_once()


def told_at_most_once() -> bool:
    """Return whether nobody was notified twice of the same change."""
    return bool(db.session.execute(text(TOLD)).scalar_one() == 1)


def done_once(
    times: Callable[[], int], mortal: MortalWeb, who: User, path: str, body: Any = None, *, again: int
) -> None:
    """Check that a call is not done if its process dies before the commit, and once if it dies afterwards.

    ``again`` is the status of the call's repetition: of the stored response, or of the refusal where it takes no key.
    """
    mortal.post_and_die(BEFORE, who, path, json=body)
    assert times() == 0, path
    mortal.post_and_die(AFTER, who, path, json=body)
    assert times() == 1, path
    repeated = mortal.post(who, path, json=body)
    assert (repeated.status_code, times()) == (again, 1), (path, repeated.text)
