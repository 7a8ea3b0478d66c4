"""Lists: limits, signed cursors and Link headers."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.factories.requests import RequestMarket
from tests.factories.users import User, Users


@pytest.fixture
def admin(users: Users) -> User:
    return users.admin()


def test_pages_followed_by_link_hold_every_item_once(users: Users, admin: User) -> None:
    made = {users.customer().id for _ in range(7)}
    seen: list[int] = []
    address: str | None = "/customers?limit=3"
    pages = 0
    while address:
        answer = admin.get(address)
        seen += [row["id"] for row in answer.json["items"]]
        link = re.match(r'<([^>]+)>; rel="next"', answer.headers.get("Link", ""))
        assert bool(link) == (answer.json["next_cursor"] is not None)
        address = link[1] if link else None
        pages += 1
    assert pages == 3
    assert len(seen) == len(set(seen))
    assert set(seen) == made


@pytest.mark.parametrize("name", ["Asha", "Asha & Sons", 'Asha>;="x', "Ashä+ 100%#"])
def test_next_link_keeps_query_parameters(users: Users, admin: User, name: str) -> None:
    for _ in range(3):
        users.customer(firstname=name)
    answer = admin.get("/customers", query_string={"limit": 1, "q": name})
    for _ in range(2):
        link = answer.headers["Link"]
        query = parse_qs(urlsplit(link[1 : link.index(">")]).query)
        assert query == {"limit": ["1"], "q": [name], "cursor": [answer.json["next_cursor"]]}
        answer = admin.get(link[1 : link.index(">")])
    assert "Link" not in answer.headers


def test_pages_with_insertion_between_them_have_no_gaps_or_repeats(users: Users, admin: User) -> None:
    first = [users.customer().id for _ in range(4)]
    page = admin.get("/customers?limit=2").json
    users.customer()
    rest = admin.get(f"/customers?limit=100&cursor={page['next_cursor']}").json
    together = [row["id"] for row in page["items"] + rest["items"]]
    assert set(first) <= set(together)
    assert len(together) == len(set(together))


@pytest.mark.parametrize("limit", ["0", "101", "-1", "x", "1.5", "", "\u0665"])
def test_limit_outside_1_to_100_is_rejected(admin: User, limit: str) -> None:
    answer = admin.get("/customers", query_string={"limit": limit})
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["limit"])


@pytest.mark.parametrize("limit", [1, 100])
def test_limit_of_1_and_100_is_accepted(admin: User, limit: int) -> None:
    assert admin.get(f"/customers?limit={limit}").status_code == 200


@pytest.mark.parametrize("cursor", ["x", "AAAA", "\u00e9", "a" * 1999, "%00", "bnVsbA=="])
def test_cursor_that_is_malformed_is_rejected(admin: User, cursor: str) -> None:
    answer = admin.get("/customers", query_string={"cursor": cursor})
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["cursor"])


def test_cursor_of_another_list_is_rejected(users: Users, admin: User) -> None:
    market = RequestMarket(users)
    asha = users.customer()
    for hours in (24, 48):
        market.ask(asha, date_of_request=f"2099-01-0{hours // 24}T10:00:00+05:30")
    cursor = admin.get("/requests?limit=1").json["next_cursor"]
    assert admin.get("/customers", query_string={"cursor": cursor}).status_code == 422


def test_cursor_with_changed_signature_is_rejected(users: Users, admin: User) -> None:
    for _ in range(2):
        users.customer()
    cursor = admin.get("/customers?limit=1").json["next_cursor"]
    # The last character holds bits that decode to nothing; the one before has none.
    changed = cursor[:-2] + ("A" if cursor[-2] != "A" else "B") + cursor[-1]
    assert admin.get("/customers", query_string={"cursor": changed}).status_code == 422
