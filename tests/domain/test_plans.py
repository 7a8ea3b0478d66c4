"""Frequent statements read only rows of the place in question."""

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, Final

import pytest
from flask import Flask
from sqlalchemy import TextClause, text

from backend.core.clock import now
from backend.core.db.session import db, transaction
from backend.core.security.authz import Role
from backend.domain.conversations import access
from backend.domain.conversations import queries as conversations
from backend.domain.photos import actions as photos
from backend.domain.professionals import availability, offering
from backend.domain.profiles import queries as profiles
from backend.domain.task_requests import inbox, matching, policies
from backend.domain.visits import links
from tests.factories.requests import RequestMarket
from tests.factories.users import Users

Plan = dict[str, Any]
NEAR: Final = 30
FAR: Final = 6_000
REQUESTS: Final = text("""
    INSERT INTO task_requests (task_id, task_name, customer_id, date_of_request, price, currency, time_required,
                               address, pincode)
    SELECT :task_id, 'x', :customer_id, now() + n * interval '1 minute', 1, 'INR', 60, 'x',
           (CAST(:pincodes AS text[]))[1 + n % cardinality(CAST(:pincodes AS text[]))]
      FROM generate_series(1, :number) n
""")
DONE: Final = text("""
    WITH done AS (
        INSERT INTO task_requests (task_id, task_name, customer_id, professional_id, status, date_of_request, price,
                                   currency, time_required, address, pincode, created_at, accepted_at, completed_at,
                                   closed_at, reviewed_at)
        SELECT :task_id, 'x', :customer_id, :professional_id, 'closed', at, 1, 'INR', 60, 'x', '560001',
               at, at, at, at, at
          FROM (SELECT now() - n * interval '1 hour' AS at FROM generate_series(1, :number) n) AS times
        RETURNING id, task_id, customer_id, professional_id, closed_at
    ), declined AS (
        INSERT INTO request_rejections (professional_id, request_id, reason, at)
        SELECT :declined_by, id, 'x', closed_at FROM done
    )
    INSERT INTO reviews (request_id, customer_id, professional_id, task_id, rating, created_at)
    SELECT id, customer_id, professional_id, task_id, 4, closed_at FROM done
""")
PROFESSIONALS: Final = text("""
    WITH fresh AS (
        INSERT INTO accounts (role, username, username_key, email, email_key, password_hash, firstname, lastname,
                              address, pincode)
        SELECT 'professional', :mark || n, :mark || n, :mark || n || '@x.org', :mark || n || '@x.org', 'x', 'x', 'x',
               'x', (CAST(:pincodes AS text[]))[1 + n % cardinality(CAST(:pincodes AS text[]))]
          FROM generate_series(1, :number) n RETURNING id
    ), pros AS (
        INSERT INTO professionals (account_id, exp, compname, radius_km, approval)
        SELECT id, 1, 'x', 10, 'approved' FROM fresh RETURNING account_id
    )
    INSERT INTO professional_tasks (account_id, task_id) SELECT account_id, :task_id FROM pros
""")


PAIRS: Final = text("""
    WITH near AS (SELECT id, row_number() OVER (ORDER BY id) AS n FROM accounts WHERE username LIKE 'near%'),
    kept AS (
        INSERT INTO favourites (customer_id, professional_id)
        SELECT :customer_id, id FROM near WHERE n <= :number
    ), asked AS (
        INSERT INTO task_requests (task_id, task_name, customer_id, date_of_request, price, currency, time_required,
                                   address, pincode)
        SELECT id, 'x', :customer_id, now() + interval '1 day', 1, 'INR', 60, 'x', '560001' FROM tasks LIMIT 1
        RETURNING id
    )
    INSERT INTO exclusions (customer_id, professional_id, set_by, request_id)
    SELECT :customer_id, near.id, 'professional', asked.id FROM near, asked WHERE n > :number AND n <= 2 * :number
""")
EXCLUDED: Final = text("""
    INSERT INTO exclusions (customer_id, professional_id, set_by, request_id)
    SELECT :customer_id, :professional_id, 'customer', min(id) FROM task_requests WHERE customer_id = :customer_id
""")
CONVERSATIONS: Final = text("""
    WITH asked AS (
        INSERT INTO task_requests (task_id, task_name, customer_id, professional_id, status, date_of_request, price,
                                   currency, time_required, address, pincode, accepted_at, completed_at)
        SELECT :task_id, 'x', :customer_id, :professional_id, 'completed', at, 1, 'INR', 60, 'x', '560001', at, at
          FROM (SELECT now() - n * interval '1 hour' AS at FROM generate_series(1, :number) n) AS times
        RETURNING id, accepted_at
    ), threads AS (
        INSERT INTO conversations (request_id, professional_id, customer_id, customer_unread, last_message_at)
        SELECT id, :professional_id, :customer_id, CASE WHEN id % 100 = 0 THEN 1 ELSE 0 END, accepted_at FROM asked
    ), reports AS (
        INSERT INTO conversation_reports (request_id, professional_id, reporter_id, reporter_role, reason, created_at,
                                          settled_at, settled_by)
        SELECT id, :professional_id, :customer_id, 'customer', 'x', accepted_at,
               CASE WHEN id % 100 > 0 THEN accepted_at END, CASE WHEN id % 100 > 0 THEN :customer_id END FROM asked
    )
    INSERT INTO messages (request_id, professional_id, author_id, author_role, body, masked, created_at)
    SELECT id, :professional_id, :customer_id, 'customer', 'x', false, accepted_at FROM asked, generate_series(1, 3)
""")


def rows_read(statement: TextClause, values: Mapping[str, Any], *, tables: set[str]) -> float:
    """Return how many rows of these tables a statement reads, including those that it then filters out."""
    explained = text(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement.text}")
    found = db.session.execute(explained, values).scalar_one()
    db.session.rollback()
    plan = json.loads(found) if isinstance(found, str) else found
    return sum(_rows_of(node) for node in _nodes(plan[0]["Plan"]) if node.get("Relation Name") in tables)


def _nodes(plan: Plan) -> Iterator[Plan]:
    yield plan
    for below in plan.get("Plans", []):
        yield from _nodes(below)


def _rows_of(node: Plan) -> float:
    left_out = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
    return float((node["Actual Rows"] + left_out) * node["Actual Loops"])


@pytest.fixture
def far_away(app: Flask) -> list[str]:
    """Return pincodes more than 300 km from the one that the test's accounts have."""
    far = text("""
        SELECT p.pincode FROM places p JOIN places here ON here.pincode = '560001'
         WHERE earth_distance(ll_to_earth(p.latitude, p.longitude),
                              ll_to_earth(here.latitude, here.longitude)) > 300000 ORDER BY p.pincode LIMIT 100
    """)
    found = list(db.session.execute(far).scalars())
    db.session.rollback()
    assert len(found) > 50
    return found


def analyse() -> None:
    """Give the planner the statistics that autovacuum would."""
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for table in (
            "task_requests",
            "accounts",
            "professionals",
            "professional_tasks",
            "professional_areas",
            "reviews",
            "request_rejections",
            "conversations",
            "messages",
            "conversation_reports",
            "visit_links",
            "favourites",
            "exclusions",
        ):
            connection.execute(text(f"VACUUM (ANALYZE) {table}"))


def test_inbox_counts_read_only_nearby_requests(users: Users, app: Flask, far_away: list[str]) -> None:
    market = RequestMarket(users)
    ravi, asha = market.professional(), users.customer()
    values = {"task_id": market.task_id, "customer_id": asha.id}
    with transaction():
        db.session.execute(REQUESTS, {**values, "pincodes": far_away, "number": FAR})
        db.session.execute(REQUESTS, {**values, "pincodes": ["560001"], "number": NEAR})
    analyse()
    most = 50
    asked = {"me": ravi.id, "now": now(), "most": most}
    row = db.session.execute(inbox.COUNTS, asked).one()
    assert (row.waiting, row.matching, row.new) == (most, NEAR, NEAR)
    read = rows_read(inbox.COUNTS, asked, tables={"task_requests"})
    assert NEAR <= read <= NEAR + 2 * most, "nearby rows and those counted up to the limit"


def test_matching_nearest_reads_only_nearby_professionals(users: Users, app: Flask, far_away: list[str]) -> None:
    task_id = RequestMarket(users).task_id
    with transaction():
        db.session.execute(PROFESSIONALS, {"mark": "far", "task_id": task_id, "pincodes": far_away, "number": FAR})
        db.session.execute(PROFESSIONALS, {"mark": "near", "task_id": task_id, "pincodes": ["560001"], "number": NEAR})
        availability.rebuild()
    analyse()
    asked = {"task_id": task_id, "pincode": "560001", "limit": 100, "customer_id": None}
    assert len(db.session.execute(matching.NEAREST, asked).all()) == NEAR
    read = rows_read(matching.NEAREST, asked, tables={"accounts", "professionals", "professional_areas"})
    assert NEAR <= read <= 5 * NEAR


@pytest.mark.parametrize("by_place", [True, False])
def test_professionals_of_task_read_only_a_page_and_favourites(
    users: Users, app: Flask, far_away: list[str], by_place: bool
) -> None:
    task_id, asha = RequestMarket(users).task_id, users.customer()
    with transaction():
        db.session.execute(PROFESSIONALS, {"mark": "far", "task_id": task_id, "pincodes": far_away, "number": FAR})
        db.session.execute(PROFESSIONALS, {"mark": "near", "task_id": task_id, "pincodes": ["560001"], "number": NEAR})
        availability.rebuild()
        db.session.execute(PAIRS, {"customer_id": asha.id, "number": NEAR // 3})
    analyse()
    place = {"pincode": "560001", "metres": 10_000} if by_place else {}
    asked = {"task_id": task_id, "limit": 100, "me": asha.id, "first": True, **place}
    asked |= dict.fromkeys(("k0", "k1", "k2", "k3"), 0)
    found = db.session.execute(offering.NEAREST_FIRST if by_place else offering.BEST_FIRST, asked).all()
    assert [row.k0 for row in found] == [0] * 10 + [1] * ((NEAR - 20) if by_place else 90)
    statement = offering.NEAREST_FIRST if by_place else offering.BEST_FIRST
    read = rows_read(statement, asked, tables={"accounts", "professionals", "professional_areas", "exclusions"})
    assert read <= 1_500, "a few for each row of the page, and for each favourite"


def test_inbox_with_exclusions_reads_only_nearby_requests(users: Users, app: Flask, far_away: list[str]) -> None:
    market = RequestMarket(users)
    ravi, asha, sita = market.professional(), users.customer(), users.customer()
    with transaction():
        for customer in (asha, sita):
            values = {"task_id": market.task_id, "customer_id": customer.id}
            db.session.execute(REQUESTS, {**values, "pincodes": far_away, "number": FAR})
            db.session.execute(REQUESTS, {**values, "pincodes": ["560001"], "number": NEAR})
        db.session.execute(EXCLUDED, {"customer_id": sita.id, "professional_id": ravi.id})
    analyse()
    page = dict.fromkeys(("task_id", "customer_id", "starts", "ends", "max_km", "rank", "created_at", "id"))
    asked = {**page, "me": ravi.id, "now": now(), "matching": True, "free": False, "limit": 21}
    assert len(db.session.execute(inbox.PAGE, asked).all()) == 21
    assert rows_read(inbox.PAGE, asked, tables={"task_requests"}) <= 3 * NEAR
    assert rows_read(inbox.PAGE, asked, tables={"exclusions"}) <= 3 * NEAR


def test_terms_of_new_request_read_only_requests_of_its_customer(users: Users, far_away: list[str]) -> None:
    task_id, asha, other = RequestMarket(users).task_id, users.customer(), users.customer()
    with transaction():
        for customer, number in ((other, FAR), (asha, NEAR)):
            values = {"task_id": task_id, "customer_id": customer.id, "pincodes": far_away, "number": number}
            db.session.execute(REQUESTS, values)
    analyse()
    asked = {
        "customer_id": asha.id,
        "task_id": task_id,
        "most_open": 500,
        "is_new_account": True,
        "hour_ago": now() - timedelta(hours=1),
        "most_an_hour": NEAR,
        "pincode": "560001",
    }
    row = db.session.execute(policies.TERMS, asked).one()
    assert (row.open_requests, row.nth_latest is not None, row.is_known_place) == (NEAR, True, True)
    assert rows_read(policies.TERMS, asked, tables={"task_requests"}) == 2 * NEAR


def test_public_profile_reads_a_bounded_number_of_rows(users: Users) -> None:
    market = RequestMarket(users)
    asha, ravi, sita = users.customer(), market.professional(), market.professional()
    values = {"task_id": market.task_id, "customer_id": asha.id, "number": 5_000}
    with transaction():
        db.session.execute(DONE, {**values, "professional_id": ravi.id, "declined_by": sita.id})
        db.session.execute(DONE, {**values, "professional_id": sita.id, "declined_by": ravi.id})
    analyse()
    asked = {"id": ravi.id, "now": now(), "answers": profiles.ANSWERS, "least": 3, "districts": 5}
    assert rows_read(profiles.PUBLIC, asked, tables={"reviews"}) == 0
    assert rows_read(profiles.PUBLIC, asked, tables={"task_requests", "request_rejections"}) <= 3 * profiles.ANSWERS


def test_page_of_profile_reviews_reads_only_its_rows(users: Users) -> None:
    market = RequestMarket(users)
    asha, ravi, sita = users.customer(), market.professional(), market.professional()
    for professional in (ravi, sita):
        with transaction():
            made = {"task_id": market.task_id, "customer_id": asha.id, "number": 5_000}
            db.session.execute(DONE, {**made, "professional_id": professional.id, "declined_by": professional.id})
    analyse()
    asked = {"id": ravi.id, "now": now(), "rows": 21}
    middle = {"created_at": now() - timedelta(hours=2_500), "request_id": 1}
    for statement, values in ((profiles.FIRST_REVIEWS, asked), (profiles.MORE_REVIEWS, {**asked, **middle})):
        read = rows_read(statement, values, tables={"reviews", "task_requests"})
        assert read <= 4 * 21


def test_conversations_read_only_rows_of_their_page(users: Users) -> None:
    market = RequestMarket(users)
    asha, uma, ravi = users.customer(), users.customer(), market.professional()
    for customer in (asha, uma):
        with transaction():
            made = {"task_id": market.task_id, "customer_id": customer.id, "professional_id": ravi.id}
            db.session.execute(CONVERSATIONS, {**made, "number": 5_000})
    with transaction():
        hers = "SELECT request_id FROM conversations WHERE customer_id = :id ORDER BY last_message_at LIMIT 1"
        request_id = db.session.execute(text(hers), {"id": asha.id}).scalar_one()
    analyse()
    tables = {"conversations", "messages", "conversation_reports", "task_requests"}
    middle = {"after_at": now() - timedelta(hours=2_500), "after_request": request_id, "after_professional": ravi.id}
    for role, me in ((Role.CUSTOMER, asha), (Role.PROFESSIONAL, ravi)):
        for goes_on in (False, True):
            page = conversations.list_statement(role, unread_only=False, goes_on=goes_on)
            asked = {"me": me.id, "rows": 21, **(middle if goes_on else {})}
            assert rows_read(page, asked, tables=tables) <= 4 * 21
        unread = conversations.unread_statement(role)
        assert rows_read(unread, {"me": me.id}, tables=tables) <= 60, "the few that are unread"
    thread = {"request_id": request_id, "professional_id": ravi.id, "rows": 21, "after": 0}
    messages = conversations.messages_statement(newest_first=False, goes_on=True)
    assert rows_read(messages, thread, tables=tables) <= 4
    assert rows_read(access.statement(locks=False), {"request_id": request_id}, tables=tables) <= 4
    for settled in (False, True):
        reports = conversations.reports_statement(settled=settled, goes_on=True)
        assert rows_read(reports, {"rows": 21, "after_at": now(), "after_id": 1}, tables=tables) <= 3 * 21


def add_done(users: Users) -> None:
    """Add FAR requests of one customer that a professional has done."""
    market, asha, ravi = RequestMarket(users), users.customer(), users.professional()
    values = {"task_id": market.task_id, "customer_id": asha.id, "professional_id": ravi.id, "declined_by": ravi.id}
    db.session.execute(DONE, {**values, "number": FAR})


def test_old_photos_are_found_without_those_that_stay(users: Users, app: Flask) -> None:
    with transaction():
        add_done(users)
        # All are old themselves; the requests of a few have ended long ago.
        kept = text("""
            INSERT INTO request_photos (request_id, author_id, author_role, phase, slot, width, height, size, sha256,
                                        store_key, thumb_size, thumb_sha256, thumb_store_key, created_at, ended_after)
            SELECT id, customer_id, 'customer', 'problem', 1, 8, 8, 8, 'x', 'p' || id, 8, 'x', 't' || id,
                   now() - interval '9 years', CASE WHEN id > :least THEN closed_at END
              FROM task_requests
        """)
        least = db.session.execute(text("SELECT min(id) FROM task_requests")).scalar_one() + NEAR
        db.session.execute(kept, {"least": least})
    analyse()
    asked = {"at": now(), "before": now() - timedelta(days=365 * 8), "limit": 500}
    read = rows_read(photos.REMOVE_OLD, asked, tables={"task_requests", "request_photos"})
    assert read <= 4 * NEAR + 4


def test_links_of_visits_read_only_their_own_requests(users: Users, app: Flask) -> None:
    with transaction():
        add_done(users)
        shared = text("""
            INSERT INTO visit_links (request_id, token_hash, check_at)
            SELECT id, 'token' || id, now() + interval '1 day' FROM task_requests
        """)
        db.session.execute(shared)
        few = "UPDATE visit_links SET check_at = now() WHERE request_id IN (SELECT min(request_id) FROM visit_links)"
        db.session.execute(text(few))
    analyse()
    newest = db.session.execute(text("SELECT max(token_hash) FROM visit_links")).scalar_one()
    asked = {"token_hash": newest}
    assert len(db.session.execute(links.SHARED, asked).all()) == 1
    read = rows_read(links.SHARED, asked, tables={"task_requests", "visit_links"})
    assert read == 2
    dropped = {"at": now(), "kept": links.KEPT, "limit": 500}
    read = rows_read(links.DROPPED, dropped, tables={"task_requests", "visit_links"})
    assert read <= NEAR, "those whose time has come, not those that still work"
