"""Validation of each field of a sign-up for every role, and concurrent sign-ups and decisions."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import select

from backend.core.db.session import db, transaction
from backend.domain.accounts import sign_in
from backend.domain.accounts.models import Account
from backend.domain.notifications.models import Delivery
from tests.factories.files import form, picture
from tests.factories.users import Users

CALLS = ["/add_customer", "/add_professional", "/admins"]
COMBINED, SPLIT = "Jos\u00e9", "Jose\u0301"
TAKEN: list[tuple[str, Any, Any]] = [
    ("username", "a.b-c_9", "a.b-c_9"),
    ("username", "  trimmed ", "trimmed"),
    ("firstname", "आशा", "आशा"),
    ("firstname", SPLIT, COMBINED),
    ("firstname", "  Mary  Ann ", "Mary  Ann"),
    ("lastname", "O'Neill-Ñandú", "O'Neill-Ñandú"),
    ("lastname", "x" * 100, "x" * 100),
    ("email", "Asha+home@Example.ORG", "Asha+home@Example.ORG"),
    ("address", "12, MG Road\r\nFlat 4", "12, MG Road\nFlat 4"),
    ("pincode", 560001, "560001"),
    ("pincode", "560001", "560001"),
    ("phone", "098765 43210", "+919876543210"),
    ("phone", "+49 30 123456", "+4930123456"),
    ("phone", None, None),
]
BAD: dict[str, list[Any]] = {
    "username": ["ab", "x" * 31, "a b", "a@b", "äöü", "a\u0000b", "\u0430dmin", "a/b", "", 7, None, ["a"]],
    "email": [
        "",
        "a",
        "a@",
        "@b.c",
        "a b@c.de",
        "a@b",
        "a@b\n.c",
        "x" * 250 + "@b.org",
        5,
        None,
        '"<b>"@b.org',
        "root@[127.0.0.1]",
    ],
    "firstname": ["", "   ", "x" * 101, "a\u0000b", "a\tb", "\u202eevil", "\u200b\u200b", "a\u2028b", 5, None, {}],
    "lastname": ["", "\u0007", []],
    "address": ["", "x" * 501, "a\u0000", 1],
    "pincode": ["", "56000", "5600011", "५६०००१", "abcdef", "999999", 5.5, True, -560001, 10**18, None],
    "phone": ["123", "phone", "+999123", "+91 12345", "", 9876543210, "9" * 400],
    "role": ["admin"],
    "isactive": [1],
    "id": [1],
}
REFUSED = [(field, value) for field, values in BAD.items() for value in values]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(("field", "value", "kept"), TAKEN)
def test_sign_up_with_valid_value_stores_normalised_value(
    users: Users, call: str, field: str, value: Any, kept: Any
) -> None:
    answer = sign_up(users, call, **{field: value})
    assert answer.status_code == 201, answer.json
    assert answer.json[field] == kept


@pytest.mark.parametrize(("field", "value"), REFUSED)
def test_sign_up_with_invalid_value_names_the_field(users: Users, field: str, value: Any) -> None:
    for call in CALLS[:2]:
        answer = sign_up(users, call, **{field: value})
        assert (answer.status_code, list(answer.json["errors"])) == (422, [field]), answer.json
        assert answer.mimetype == "application/problem+json"


@pytest.mark.parametrize("field", ["username", "email", "password", "firstname", "lastname", "address", "pincode"])
def test_sign_up_without_required_field_names_it(users: Users, field: str) -> None:
    fields = users.fields()
    del fields[field]
    answer = users.visitor().post("/add_customer", fields)
    assert (answer.status_code, list(answer.json["errors"])) == (422, [field])


def test_sign_up_as_multipart_form_validates_like_json(users: Users) -> None:
    wrong = users.trade_fields(exp="sixty", pincode="abc", phone="123")
    answer = users.visitor().post("/add_professional", **form(picture(), **wrong))
    assert (answer.status_code, set(answer.json["errors"])) == (422, {"exp", "pincode", "phone"})
    answer = users.visitor().post("/add_professional", **form(b"no picture", **users.trade_fields()))
    assert answer.status_code == 415
    right = users.trade_fields(exp="7")
    answer = users.visitor().post("/add_professional", **form(picture(), **right))
    assert (answer.status_code, answer.json["exp"]) == (201, 7)


def test_sign_up_with_several_invalid_fields_names_them_all(users: Users) -> None:
    asha = users.customer()
    fields = users.trade_fields(
        username=asha.username.upper(),
        email=f"{asha.username}@EXAMPLE.org",
        password="password123",
        pincode="999999",
        task_ids=[4711],
    )
    answer = users.visitor().post("/add_professional", fields)
    assert (answer.status_code, answer.json["code"]) == (422, "invalid_fields")
    assert set(answer.json["errors"]) == {"username", "email", "password", "pincode", "task_ids"}


@pytest.mark.parametrize(("field", "code"), [("username", "username_taken"), ("email", "email_taken")])
def test_sign_up_with_taken_username_or_email_returns_specific_code(users: Users, field: str, code: str) -> None:
    first = users.fields()
    users.visitor().post("/add_customer", first)
    answer = users.visitor().post("/add_customer", users.fields(**{field: first[field].upper()}))
    assert (answer.status_code, answer.json["code"], list(answer.json["errors"])) == (422, code, [field])


NO_OBJECTS = [
    b"",
    b"{",
    b"[]",
    b'"x"',
    b"null",
    b'{"username": "\xff"}',
    b'{"username": "\\ud800"}',
    b"[" * 100_000,
    b'{"a":' * 50_000,
]


@pytest.mark.parametrize("body", NO_OBJECTS)
def test_sign_up_with_body_that_is_no_object_is_rejected(users: Users, body: bytes) -> None:
    for call in CALLS[:2]:
        answer = users.visitor().post(call, data=body, content_type="application/json")
        assert answer.status_code in (400, 422)


def test_sign_up_with_form_urlencoded_body_returns_415(users: Users) -> None:
    answer = users.visitor().post("/add_customer", data=b"username=x", content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 415


@pytest.mark.parametrize("same", ["username", "email"])
def test_sign_up_concurrently_with_same_username_or_email_creates_one_account(users: Users, same: str) -> None:
    wanted = users.fields()[same]
    bodies = [users.fields(**{same: wanted.upper() if number % 2 else wanted}) for number in range(8)]

    def go(body: dict[str, Any]) -> Any:
        return users.visitor().post("/add_customer", body)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(go, bodies))
    assert sorted(answer.status_code for answer in answers) == [201] + [422] * 7
    assert {tuple(answer.json["errors"]) for answer in answers if answer.status_code == 422} == {(same,)}


@pytest.mark.parametrize("attempt", range(3))
def test_approval_decided_concurrently_succeeds_once(users: Users, attempt: int) -> None:
    ravi = users.professional(approved=False)
    ravi.put("/me/document", **form(picture()))
    path = f"/professionals/{ravi.id}"
    one, other = users.admin(), users.admin()

    def decide(number: int) -> Any:
        return one.post(f"{path}/approve") if number % 2 else other.post(f"{path}/reject", {"reason": "Not readable"})

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(decide, range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 7
    won = next(answer.json["approval"] for answer in answers if answer.status_code == 200)
    assert ravi.get("/me").json["approval"] == won


@pytest.mark.parametrize("attempt", range(5))
def test_admins_blocking_each_other_concurrently_leave_one_active(users: Users, attempt: int) -> None:
    one, other = users.admin(), users.admin()
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(one.post, f"/users/{other.id}/block", {"reason": "other"})
        second = pool.submit(other.post, f"/users/{one.id}/block", {"reason": "other"})
        codes = sorted(answer.result().status_code for answer in (first, second))
    assert codes in ([200, 403], [200, 409])
    left = select(Account.id).where(Account.role == "admin", Account.blocked_at.is_(None))
    db.session.rollback()
    assert len(db.session.execute(left).all()) == 1


def test_sign_up_with_email_confirmation_on_confirms_by_mailed_link(
    users: Users, monkeypatch: pytest.MonkeyPatch
) -> None:
    import dataclasses

    settings = dataclasses.replace(users.app.extensions["settings"], email_confirmation=True)
    monkeypatch.setitem(users.app.extensions, "settings", settings)
    fields, visitor = users.fields(), users.visitor()
    assert visitor.post("/add_customer", fields).json["email_confirmed"] == 0
    links = select(Delivery.params).where(Delivery.kind == "email_confirmation")
    link = str(db.session.execute(links).scalar_one()["link"])
    assert link.startswith(f"{settings.public_url}/app/email/confirm#token=")
    with transaction():
        sign_in.mail_reset_link(fields["email"])
    db.session.rollback()
    assert db.session.execute(select(Delivery.kind)).scalars().all() == ["email_confirmation"]
    token = link.partition("#token=")[2]
    assert visitor.post("/email/confirm", {"token": "made up"}).json["code"] == "link_invalid"
    assert visitor.post("/email/confirm", {"token": token}).status_code == 204
    assert visitor.post("/email/confirm", {"token": token}).status_code == 422
    asha = users.sign_in(fields["username"])
    assert asha.get("/me").json["email_confirmed"] == 1
    moved = asha.patch("/me", {"email": "moved@example.org"})
    assert moved.json["email_confirmed"] == 0
    assert asha.post("/me/email/confirmation").status_code == 202


def sign_up(users: Users, call: str, **changes: Any) -> Any:
    fields = users.trade_fields(**changes) if call == "/add_professional" else users.fields(**changes)
    return (users.admin() if call == "/admins" else users.visitor()).post(call, fields)
