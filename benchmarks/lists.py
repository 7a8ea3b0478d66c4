"""Pages of lists, signed in, and how search grows with the market."""

from collections.abc import Iterator
from functools import partial
from typing import Any, Final

from sqlalchemy import text

from backend.api.auth import tokens_for
from backend.core.db import pagination
from backend.core.db.session import db, transaction
from backend.domain.accounts import sessions
from backend.domain.accounts.models import Account
from benchmarks import capture, load, servers
from benchmarks.figures import Figure
from benchmarks.search import KINDS, SECONDS, Stand, addresses, stand

LISTS: Final = (
    "/requests?limit=50",
    "/professionals?limit=50",
    "/customers?limit=50",
    "/notifications?limit=50",
    "/audit?limit=50",
)
DEEP: Final = 10_000
LAST_BEFORE: Final = """
    SELECT date_of_request, id FROM task_requests ORDER BY date_of_request DESC, id DESC OFFSET :skipped LIMIT 1
"""
FIRST_ADMIN: Final = "SELECT min(id) FROM accounts WHERE role = 'admin'"
MOST_TOLD: Final = "SELECT account_id FROM notifications GROUP BY account_id ORDER BY count(*) DESC LIMIT 1"


def lists() -> Iterator[Figure]:
    """Each list's first page beside a bare route with the same SQL, and a deep page beside the first."""
    with stand("large") as ready:
        headers = {path: {"Authorization": f"Bearer {_token(ready, path)}"} for path in LISTS}
        found: dict[str, Any] = {}
        for path in LISTS:
            # What an admin reads is recorded once an hour, by the first call, and the second one finds it recorded: the
            # baseline must not repeat either for each call.
            for _ in range(2):
                ready.app.test_client().get(path, headers=headers[path])
            found |= capture.statements(ready.app, [path], headers=headers[path])
        capture.keep(ready.folder, found)
        with (
            servers.web("backend.wsgi:app", ready.env) as ours,
            servers.web("benchmarks.baselines:app", ready.env) as bare,
        ):
            for path in LISTS:
                signed = [load.get(path, **headers[path])]
                figure, baseline, ratio = load.side_by_side(
                    partial(_rate, ours, signed), partial(_rate, bare, [load.get(path)]), rounds=3
                )
                note = f"{len(found[path])} queries"
                yield Figure(f"GET {path}, large", figure, baseline, ratio, 0.7, note=note)
            yield _deep(ready, ours, headers[LISTS[0]])


def _deep(ready: Stand, port: int, headers: dict[str, str]) -> Figure:
    """A page far down beside the first one: its cursor is made of the row before it, as the page before would."""
    first = LISTS[0]
    with ready.app.app_context():
        before = db.session.execute(text(LAST_BEFORE), {"skipped": (DEEP - 1) * 50 - 1}).one()
        cursor = pagination.encode_cursor("requests:admin", (before.date_of_request, before.id))
    calls = [[load.get(address, **headers)] for address in (f"{first}&cursor={cursor}", first)]
    deep, near, ratio = load.side_by_side(partial(_pace, port, calls[0]), partial(_pace, port, calls[1]), rounds=3)
    return Figure(f"GET /requests, page {DEEP:,} beside page 1", deep, near, ratio, 1.2, unit="s", at_most=True)


def growth() -> Iterator[Figure]:
    """The same searches on the small and the large market, in turns."""
    for kind in KINDS:
        calls = [load.get(path) for path in addresses(kind)]
        with (
            stand("large", CACHE_SECONDS="1") as large,
            stand("small", CACHE_SECONDS="1") as small,
            servers.web("backend.wsgi:app", large.env) as big,
            servers.web("backend.wsgi:app", small.env) as little,
        ):
            figure, baseline, ratio = load.side_by_side(
                partial(_pace, big, calls), partial(_pace, little, calls), rounds=3
            )
        yield Figure(f"search {kind}, large beside small", figure, baseline, ratio, 1.3, unit="s", at_most=True)


def _rate(port: int, calls: list[bytes]) -> float:
    return load.run(port, calls, seconds=SECONDS).rate


def _pace(port: int, calls: list[bytes]) -> float:
    return 1 / _rate(port, calls)


def _token(ready: Stand, path: str = "") -> str:
    """Of the first admin; for one's own notifications, of whoever has most of them. The visit is noted by then."""
    with ready.app.test_request_context(), transaction():
        wanted = text(MOST_TOLD if path.startswith("/notifications") else FIRST_ADMIN)
        account = db.session.get_one(Account, db.session.execute(wanted).scalar_one())
        started = sessions.start(account.id, account.password_hash, sessions.Device())
        assert started is not None
        token: str = tokens_for(started.issued)["access_token"]
    ready.app.test_client().get("/me", headers={"Authorization": f"Bearer {token}"})
    return token
