"""A professional's approval over HTTP, from sign-up to the admin's decision."""

import pytest

from tests.factories.files import form, pdf, picture
from tests.factories.users import PASSWORD, User, Users


def test_sign_up_as_professional_without_document_is_inactive(users: Users) -> None:
    answer = users.visitor().post("/add_professional", json=users.trade_fields(pincode=560001))
    assert answer.status_code == 201
    body = answer.json
    assert (body["isactive"], body["approval"], body["document"]) == (0, "document_missing", None)
    assert (body["role"], body["exp"], body["compname"], body["task_ids"]) == ("professional", 4, "Asha Repairs", [])


def test_sign_up_as_professional_with_document_is_pending(users: Users) -> None:
    answer = users.visitor().post("/add_professional", **form(pdf(pages=3), name="proof.pdf", **users.trade_fields()))
    assert answer.status_code == 201, answer.json
    assert (answer.json["approval"], answer.json["isactive"]) == ("pending", 0)
    assert answer.json["document"]["pages"] == 3


def test_sign_up_form_without_chosen_document_is_accepted(users: Users) -> None:
    call = form(b"", name="proof.png", **users.trade_fields())
    call["data"] = call["data"].replace(b'filename="proof.png"', b'filename=""')
    answer = users.visitor().post("/add_professional", **call)
    assert (answer.status_code, answer.json["approval"]) == (201, "document_missing")


@pytest.mark.parametrize(
    ("field", "value"),
    [("exp", -1), ("exp", 61), ("exp", "many"), ("exp", True), ("exp", 2.5), ("compname", "  "), ("task_ids", [987654]),
     ("task_ids", ["x"]), ("task_ids", 5), ("task_ids", [2**70]), ("pincode", "१२३४५६"), ("wings", 2)],
)  # fmt: skip
def test_sign_up_as_professional_with_invalid_field_names_it(users: Users, field: str, value: object) -> None:
    answer = users.visitor().post("/add_professional", json=users.trade_fields(**{field: value}))
    assert answer.status_code == 422
    assert [name.split(".")[0] for name in answer.json["errors"]] == [field]


def test_unapproved_professional_can_read_and_edit_profile(users: Users) -> None:
    ravi = users.professional(approved=False)
    assert ravi.get("/me").json["isactive"] == 0
    assert ravi.get("/me/document").status_code == 404
    assert ravi.patch("/me", {"compname": "Ravi and Co"}).json["compname"] == "Ravi and Co"


def test_approval_is_rejected_and_granted_after_new_document(users: Users) -> None:
    admin, ravi = users.admin(), users.professional(approved=False)
    path = f"/professionals/{ravi.id}"
    assert admin.post(f"{path}/approve").json["code"] == "document_missing"
    assert ravi.put("/me/document", **form(picture())).json["approval"] == "pending"
    rejected = admin.post(f"{path}/reject", {"reason": "The name cannot be read"})
    assert (rejected.status_code, rejected.json["approval"]) == (200, "rejected")
    assert ravi.get("/me").json["approval_reason"] == "The name cannot be read"
    again = admin.post(f"{path}/approve")
    assert (again.status_code, again.json["code"]) == (409, "invalid_transition")
    ravi.put("/me/document", **form(picture("JPEG"), name="proof.jpg"))
    approved = admin.post(f"{path}/approve")
    assert (approved.json["approval"], approved.json["isactive"]) == ("approved", 1)
    assert ravi.get("/me").json["isactive"] == 1


def test_approval_decision_by_other_roles_or_without_reason_is_rejected(users: Users) -> None:
    admin, ravi = users.admin(), users.professional(approved=False)
    assert ravi.post(f"/professionals/{ravi.id}/approve").json["code"] == "not_active"
    assert users.professional().post(f"/professionals/{ravi.id}/approve").json["code"] == "role_not_allowed"
    assert users.customer().post(f"/professionals/{ravi.id}/reject", {"reason": "no"}).status_code == 403
    assert list(admin.post(f"/professionals/{ravi.id}/reject", {}).json["errors"]) == ["reason"]
    assert list(admin.post(f"/professionals/{ravi.id}/reject", {"reason": "ab"}).json["errors"]) == ["reason"]
    assert admin.post("/professionals/99999/approve").status_code == 404
    assert admin.post(f"/professionals/{admin.id}/approve").status_code == 404


def test_document_replaced_after_approval_returns_it_to_pending(users: Users) -> None:
    ravi = users.professional()
    assert ravi.get("/me").json["isactive"] == 1
    answer = ravi.put("/me/document", **form(picture()))
    assert (answer.json["approval"], answer.json["isactive"]) == ("pending", 0)


def test_approve_with_outdated_if_match_returns_412(users: Users) -> None:
    admin, ravi = users.admin(), users.professional(approved=False)
    first = ravi.put("/me/document", **form(picture()))
    ravi.put("/me/document", **form(picture("JPEG")))
    stale = admin.post(f"/professionals/{ravi.id}/approve", headers={"If-Match": first.headers["ETag"]})
    assert stale.status_code == 412
    fresh = admin.post(f"/professionals/{ravi.id}/approve", headers={"If-Match": ravi.get("/me").headers["ETag"]})
    assert fresh.status_code == 200


def test_approve_with_past_expiry_is_rejected(users: Users) -> None:
    admin, ravi = users.admin(), users.professional(approved=False)
    ravi.put("/me/document", **form(picture()))
    answer = admin.post(f"/professionals/{ravi.id}/approve", {"expires_at": "2020-01-01T00:00:00Z"})
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["expires_at"])
    answer = admin.post(f"/professionals/{ravi.id}/approve", {"expires_at": "2090-01-01T00:00:00Z"})
    assert answer.json["approval_expires_at"].startswith("2090-01-01")


def test_customer_document_and_experience_are_rejected(users: Users) -> None:
    asha = users.customer()
    for answer in (asha.put("/me/document", **form(picture())), asha.get("/me/document")):
        assert answer.json["code"] == "role_not_allowed"
    assert asha.patch("/me", {"exp": 3}).status_code == 422


def test_patch_me_of_professional_normalises_and_validates_fields(users: Users) -> None:
    ravi = users.professional()
    etag = ravi.get("/me").headers["ETag"]
    body = {"exp": 9, "pincodes": ["560002", 560003, "560002"], "radius_km": 25}
    body |= {"phone": "98765 43210", "lastname": " Iyer "}
    answer = ravi.patch("/me", body, headers={"If-Match": etag})
    assert answer.status_code == 200, answer.json
    assert answer.json["pincodes"] == ["560002", "560003"]
    assert (answer.json["exp"], answer.json["radius_km"]) == (9, 25)
    assert (answer.json["phone"], answer.json["lastname"]) == ("+919876543210", "Iyer")
    assert ravi.patch("/me", {"exp": 10}, headers={"If-Match": etag}).status_code == 412
    wrong = ravi.patch("/me", {"pincodes": ["999999"], "task_ids": [4040]})
    assert set(wrong.json["errors"]) == {"pincodes", "task_ids"}


def test_patch_me_email_is_used_for_sign_in_and_must_be_unique(users: Users) -> None:
    asha: User = users.customer()
    taken = users.customer()
    assert asha.patch("/me", {"email": "Asha.New@Example.org"}).json["email"] == "Asha.New@Example.org"
    answer = users.visitor().post("/check", json={"username": "asha.new@example.ORG", "password": PASSWORD})
    assert answer.json["user"]["id"] == asha.id
    other = asha.patch("/me", {"email": f"{taken.username}@EXAMPLE.org"})
    assert (other.status_code, list(other.json["errors"])) == (422, ["email"])
