"""Photos of profiles over HTTP: inspected, decided on by admins, shown to everyone only then."""

from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import func, select, text

from backend.core import storage
from backend.core.db.session import db
from backend.core.queue import Job
from backend.domain.audit.models import AuditEntry
from backend.domain.documents import actions as documents
from backend.domain.documents.models import ProfilePhoto
from tests.factories.files import form, pdf, picture
from tests.factories.photos import show_photo, upload_photo
from tests.factories.requests import WHY, do, notified_kinds
from tests.factories.users import User, Users


@pytest.fixture
def ravi(users: Users) -> User:
    return users.professional()


def photo_url(users: Users, professional: User) -> str | None:
    url: str | None = users.visitor().get(f"/profiles/{professional.id}").json["photo_url"]
    return url


def send(who: User, data: bytes) -> Any:
    return who.put("/me/profile/photo", **form(data, name="me.jpg", field="photo"))


def test_photo_is_shown_to_others_only_once_approved(users: Users, ravi: User) -> None:
    admin = users.admin()
    own = upload_photo(ravi)
    assert (own["photo"]["state"], own["photo_url"]) == ("pending", None)
    assert photo_url(users, ravi) is None
    digest = db.session.execute(select(ProfilePhoto.sha256)).scalar_one()
    assert users.visitor().get(f"/profiles/{ravi.id}/photo/{digest}").status_code == 404
    (waiting,) = admin.get("/profile_photos").json["items"]
    assert (waiting["professional_id"], waiting["id"]) == (ravi.id, own["photo"]["id"])
    do(admin, f"/profile_photos/{waiting['id']}/approve")
    assert photo_url(users, ravi) == f"/profiles/{ravi.id}/photo/{digest}"
    assert notified_kinds(ravi)[0] == "photo_approved"
    assert admin.get("/profile_photos").json["items"] == []
    entry = db.session.execute(select(AuditEntry).where(AuditEntry.action == "photo_approved")).scalar_one()
    after = entry.after or {}
    assert (entry.subject_id, after["photo_id"], after["sha256"]) == (ravi.id, waiting["id"], digest)


def test_public_photo_is_a_square_jpeg_that_caches_may_keep(users: Users, ravi: User) -> None:
    admin = users.admin()
    assert send(ravi, picture("JPEG", size=(900, 240))).status_code == 200
    do(admin, f"/profile_photos/{ravi.get('/me/profile').json['photo']['id']}/approve")
    url = photo_url(users, ravi)
    assert url
    answer = users.visitor().get(url)
    assert answer.mimetype == "image/jpeg"
    assert answer.headers["Cache-Control"] == "public, max-age=604800, immutable"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert Image.open(BytesIO(answer.data)).size == (240, 240)
    small = users.visitor().get(f"{url}?size=small")
    assert Image.open(BytesIO(small.data)).size == (160, 160)
    again = users.visitor().get(url, headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_photo_is_kept_without_metadata_and_upright(users: Users, ravi: User) -> None:
    image = Image.new("RGB", (400, 300), "white")
    image.paste("red", (0, 0, 400, 60))
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "GPS of a home"
    target = BytesIO()
    image.save(target, "JPEG", exif=exif)
    assert send(ravi, target.getvalue()).status_code == 200
    kept = Image.open(BytesIO(ravi.get("/me/profile/photo").data))
    assert not kept.getexif()
    assert b"GPS" not in ravi.get("/me/profile/photo").data
    pixels, at = kept.convert("RGB").tobytes(), 3 * ((kept.height // 2 + 1) * kept.width - 3)
    red, green = pixels[at], pixels[at + 1]  # at the right, where the top of the file is
    assert (red > 200, green < 80) == (True, True)


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (pdf(), 415, "unsupported_type"),
        (b"not a picture", 415, "unsupported_type"),
        (b"", 415, "unsupported_type"),
        (picture("JPEG", size=(199, 400)), 422, "photo_too_small"),
        (picture("PNG", size=(6000, 4001)), 422, "too_many_pixels"),
        (picture("JPEG", size=(300, 300))[:400], 422, "photo_unreadable"),
        (b"\xff\xd8\xff" + b"x" * (5 * 1024 * 1024), 413, "too_large"),
    ],
)
def test_photo_that_is_not_usable_is_rejected(ravi: User, data: bytes, status: int, code: str) -> None:
    answer = send(ravi, data)
    assert (answer.status_code, answer.json["code"]) == (status, code)
    assert ravi.get("/me/profile").json["photo"] is None


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_photo_of_another_format_is_kept_as_jpeg(ravi: User, kind: str) -> None:
    assert send(ravi, picture(kind, size=(300, 300))).status_code == 200
    assert Image.open(BytesIO(ravi.get("/me/profile/photo").data)).format == "JPEG"


def test_new_photo_replaces_the_one_shown_when_it_is_approved(users: Users, ravi: User) -> None:
    admin = users.admin()
    first = show_photo(ravi, admin, width=300)
    second = upload_photo(ravi, 320)
    assert (second["photo_url"], second["photo"]["state"]) == (first, "pending")
    do(admin, f"/profile_photos/{second['photo']['id']}/approve")
    assert photo_url(users, ravi) not in (None, first)
    assert users.visitor().get(first).status_code == 404


def test_rejected_photo_is_not_shown_and_tells_the_reason(users: Users, ravi: User) -> None:
    admin = users.admin()
    photo = upload_photo(ravi)["photo"]
    do(admin, f"/profile_photos/{photo['id']}/reject", WHY)
    own = ravi.get("/me/profile").json
    assert (own["photo"]["state"], own["photo"]["reason"], own["photo_url"]) == ("rejected", WHY["reason"], None)
    assert notified_kinds(ravi)[0] == "photo_rejected"
    assert upload_photo(ravi, 320)["photo"]["state"] == "pending"


def test_approved_photo_can_be_taken_down(users: Users, ravi: User) -> None:
    admin = users.admin()
    url = show_photo(ravi, admin)
    photo = ravi.get("/me/profile").json["photo"]
    do(admin, f"/profile_photos/{photo['id']}/reject", WHY)
    assert photo_url(users, ravi) is None
    assert users.visitor().get(url).status_code == 404


@pytest.mark.parametrize(("verb", "body"), [("approve", None), ("reject", WHY)])
def test_photo_decision_names_the_photo_that_was_viewed(
    users: Users, ravi: User, verb: str, body: dict[str, Any] | None
) -> None:
    admin = users.admin()
    viewed = upload_photo(ravi, 300)["photo"]
    current = upload_photo(ravi, 320)["photo"]
    late = admin.post(f"/profile_photos/{viewed['id']}/{verb}", body)
    assert (late.status_code, late.json["code"]) == (409, "photo_replaced")
    assert ravi.get("/me/profile").json["photo"] == current
    do(admin, f"/profile_photos/{current['id']}/{verb}", body)
    again = admin.post(f"/profile_photos/{current['id']}/{verb}", body)
    assert (again.status_code, again.json["code"]) == (409, "invalid_transition")


def test_deleted_photo_is_gone_and_its_files_are_dropped_later(users: Users, ravi: User) -> None:
    url = show_photo(ravi, users.admin())
    upload_photo(ravi, 320)
    assert ravi.delete("/me/profile/photo").status_code == 204
    assert users.visitor().get(url).status_code == 404
    own = ravi.get("/me/profile").json
    assert (own["photo"], own["photo_url"]) == (None, None)
    assert ravi.get("/me/profile/photo").status_code == 404
    assert ravi.delete("/me/profile/photo").status_code == 404
    keys = {
        key for row in db.session.execute(select(ProfilePhoto.store_key, ProfilePhoto.small_store_key)) for key in row
    }
    jobs = select(Job.payload["store_key"].astext).where(Job.topic == documents.DROP_TOPIC.name)
    assert set(db.session.execute(jobs).scalars()) == keys
    assert all(storage.documents().get(key) for key in keys)


def test_concurrent_photo_uploads_leave_one_submitted(users: Users, ravi: User) -> None:
    def upload(width: int) -> int:
        client = users.app.test_client()
        file = form(picture("JPEG", size=(width, 240)), field="photo")
        return client.put("/me/profile/photo", headers=ravi.headers, **file).status_code

    with ThreadPoolExecutor(4) as pool:
        statuses = list(pool.map(upload, (300, 310, 320, 330)))
    assert set(statuses) <= {200, 429}
    assert 200 in statuses
    current = select(func.count()).select_from(ProfilePhoto).where(ProfilePhoto.replaced_at.is_(None))
    assert db.session.execute(current).scalar_one() == 1


def test_photo_queue_lists_longest_waiting_first_by_state(users: Users) -> None:
    admin, everyone = users.admin(), [users.professional() for _ in range(3)]
    ids = [upload_photo(one, 300 + n)["photo"]["id"] for n, one in enumerate(everyone)]
    page = admin.get("/profile_photos?limit=2").json
    assert [item["id"] for item in page["items"]] == ids[:2]
    rest = admin.get(f"/profile_photos?limit=2&cursor={page['next_cursor']}").json
    assert ([item["id"] for item in rest["items"]], rest["next_cursor"]) == (ids[2:], None)
    do(admin, f"/profile_photos/{ids[1]}/approve")
    assert [item["id"] for item in admin.get("/profile_photos?state=approved").json["items"]] == [ids[1]]
    assert admin.get(f"/profile_photos/{ids[0]}").mimetype == "image/jpeg"


def test_photo_of_blocked_professional_is_not_served(users: Users, ravi: User) -> None:
    admin = users.admin()
    url = show_photo(ravi, admin)
    do(admin, f"/users/{ravi.id}/block", {"reason": "other"})
    assert users.visitor().get(url).status_code == 404


def test_database_refuses_two_photos_shown_at_once(users: Users, ravi: User) -> None:
    show_photo(ravi, users.admin())
    copy = text("""
        INSERT INTO profile_photos (account_id, state, size, sha256, store_key, small_size, small_sha256,
                                    small_store_key, decided_at)
        SELECT account_id, state, size, sha256, 'x', small_size, small_sha256, 'y', decided_at FROM profile_photos
    """)
    with pytest.raises(Exception, match="uq_profile_photos_shown"):
        db.session.execute(copy)
    db.session.rollback()
