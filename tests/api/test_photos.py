"""Photos of requests over HTTP: who adds, sees and deletes which, when, and how they are kept."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO
from itertools import product
from typing import Any, Final

import pillow_heif
import pytest
from PIL import Image
from sqlalchemy import select, text, update

from backend.core import storage
from backend.core.clock import now
from backend.core.db.session import db, transaction
from backend.core.queue import Job
from backend.core.security.authz import Actor, Role
from backend.domain.conversations import models as conversation_models  # noqa: F401  # photos refer to their table
from backend.domain.documents import actions as documents
from backend.domain.photos import actions
from backend.domain.photos.access import Phase
from backend.domain.photos.errors import TooManyPhotos
from backend.domain.photos.files import StoredPicture
from backend.domain.photos.models import RequestPhoto
from backend.domain.task_requests.lifecycle import Status
from backend.domain.task_requests.models import TaskRequest
from tests.factories.files import form, pdf, picture
from tests.factories.photos import add_photo, send_message_photo, send_photo
from tests.factories.requests import WHY, RequestMarket, at, do
from tests.factories.users import User, Users

SHARED: Final = "SECRET 12.9716 N"


@dataclass
class Visit:
    """One request with its two sides, and others."""

    market: RequestMarket
    customer: User
    professional: User
    other: User
    admin: User
    request_id: int

    @property
    def path(self) -> str:
        return f"/requests/{self.request_id}"

    def phases(self, who: User) -> list[str]:
        return list(who.get(f"{self.path}/photos").json["phases"])

    def seen(self, who: User) -> list[int]:
        return [photo["id"] for photo in who.get(f"{self.path}/photos").json["items"]]


@pytest.fixture
def visit(users: Users) -> Visit:
    market = RequestMarket(users)
    customer = users.customer()
    made = market.ask(customer)
    return Visit(market, customer, market.professional(), market.professional(), users.admin(), made["id"])


def upright_jpeg_and_heic() -> dict[str, bytes]:
    """Return a photo that is stored on its side with a position, as phones write it, as JPEG and HEIC."""
    image = Image.new("RGB", (640, 480), "white")
    image.paste("red", (0, 0, 640, 100))
    exif = Image.Exif()
    exif[0x010E] = SHARED
    exif.get_ifd(0x8825)[1] = "N"
    heic = BytesIO()
    pillow_heif.from_pillow(image).save(heic, exif=exif.tobytes())
    exif[0x0112] = 6
    jpeg = BytesIO()
    image.save(jpeg, "JPEG", exif=exif)
    return {"jpeg": jpeg.getvalue(), "heic": heic.getvalue()}


# -- files


@pytest.mark.parametrize("kind", ["jpeg", "heic"])
def test_photo_is_kept_as_webp_in_two_sizes_without_metadata(visit: Visit, kind: str) -> None:
    photo = add_photo(visit.customer, visit.request_id, "problem", upright_jpeg_and_heic()[kind])
    shape = (480, 640) if kind == "jpeg" else (640, 480)
    assert (photo["width"], photo["height"]) == shape
    full = visit.customer.get(f"/photos/{photo['id']}")
    thumb = visit.customer.get(f"/photos/{photo['id']}?size=thumb")
    assert photo["sha256"] == hashlib.sha256(full.data).hexdigest()
    for answer, longest in ((full, 640), (thumb, 400)):
        assert answer.mimetype == "image/webp"
        assert answer.headers["Cache-Control"] == "private, no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert SHARED.encode() not in answer.data
        image = Image.open(BytesIO(answer.data))
        assert (image.format, max(image.size), dict(image.getexif())) == ("WEBP", longest, {})
        assert (image.width > image.height) == (shape[0] > shape[1])
        colour = image.convert("RGB").getpixel((image.width - 4, 4 if kind == "heic" else image.height // 2))
        assert isinstance(colour, tuple)
        assert (colour[0] > 180, colour[1] < 100) == (True, True)
    again = visit.customer.get(f"/photos/{photo['id']}", headers={"If-None-Match": full.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (pdf(), 415, "unsupported_type"),
        (b"not a picture", 415, "unsupported_type"),
        (b"", 415, "unsupported_type"),
        (picture("PNG", size=(6000, 4300)), 422, "too_many_pixels"),
        (picture("JPEG", size=(300, 300))[:400], 422, "photo_unreadable"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"x" * 200, 422, "photo_unreadable"),
        (b"\xff\xd8\xff" + b"x" * (5 * 1024 * 1024), 413, "too_large"),
    ],
)
def test_photo_that_is_not_usable_is_rejected(visit: Visit, data: bytes, status: int, code: str) -> None:
    answer = visit.customer.post(f"{visit.path}/photos", **form(data, field="photo", phase="problem"))
    assert (answer.status_code, answer.json["code"]) == (status, code)
    assert visit.seen(visit.customer) == []


def test_photo_without_row_leaves_no_file(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    """The request is cancelled while the photo is inspected."""
    kept = set(storage.documents().keys_from_before(now() + timedelta(minutes=1)))
    check = actions.check

    def cancelled_meanwhile(*args: Any, **kwargs: Any) -> None:
        check(*args, **kwargs)
        with transaction():
            ended = {"status": "cancelled", "cancelled_at": now(), "asked_until": None}
            db.session.execute(update(TaskRequest).where(TaskRequest.id == visit.request_id).values(ended))

    monkeypatch.setattr(actions, "check", cancelled_meanwhile)
    answer = send_photo(visit.customer, visit.request_id, "problem")
    assert (answer.status_code, answer.json["code"]) == (409, "photo_not_possible")
    assert set(storage.documents().keys_from_before(now() + timedelta(minutes=1))) == kept


# -- who and when


def bring(visit: Visit, status: Status) -> None:
    """Bring the request of a visit to this status."""
    if status in (Status.ACCEPTED, Status.COMPLETED, Status.CLOSED, Status.CANCELLED):
        do(visit.professional, f"{visit.path}/accept")
    if status in (Status.COMPLETED, Status.CLOSED):
        do(visit.professional, f"{visit.path}/complete")
    if status is Status.CLOSED:
        do(visit.customer, f"{visit.path}/close")
    if status is Status.CANCELLED:
        do(visit.customer, f"{visit.path}/cancel", WHY)
    if status is Status.EXPIRED:
        with transaction():
            ended = {"status": "expired", "expired_at": now()}
            db.session.execute(update(TaskRequest).where(TaskRequest.id == visit.request_id).values(ended))


MAY: Final = {
    "customer": {Status.REQUESTED: {"problem"}, Status.ACCEPTED: {"problem"}},
    "professional": {
        Status.ACCEPTED: {"before", "after"},
        Status.COMPLETED: {"after"},
        Status.CLOSED: {"after"},
    },
}


@pytest.mark.parametrize("status", list(Status))
def test_photo_of_phase_in_status_by_each_side_follows_the_rules(visit: Visit, status: Status) -> None:
    bring(visit, status)
    wrong: list[object] = []
    for side, phase in product(("customer", "professional"), [phase.value for phase in Phase]):
        who = visit.customer if side == "customer" else visit.professional
        may = MAY[side].get(status, set())
        is_hidden = side == "professional" and status is Status.EXPIRED
        is_own = (phase == "problem") == (side == "customer") and not (side == "professional" and status == "requested")
        refusal = (
            (404, "not_found") if is_hidden else (409, "photo_not_possible") if is_own else (403, "role_not_allowed")
        )
        answer = send_photo(who, visit.request_id, phase)
        got = (answer.status_code, answer.json.get("code"))
        if got != ((201, None) if phase in may else refusal):
            wrong.append((side, phase, got))
        if not is_hidden and set(visit.phases(who)) != may:
            wrong.append((side, phase, visit.phases(who)))
    assert wrong == []


def test_photo_of_problem_ends_with_start_and_photo_after_with_two_days(visit: Visit) -> None:
    do(visit.professional, f"{visit.path}/accept")
    assert visit.phases(visit.customer) == ["problem"]
    do(visit.customer, f"{visit.path}/start")
    assert visit.phases(visit.customer) == []
    do(visit.professional, f"{visit.path}/complete")
    assert visit.phases(visit.professional) == ["after"]
    with transaction():
        long_ago = text(
            "UPDATE task_requests SET accepted_at = accepted_at - interval '49 hours', started_at = NULL,"
            " completed_at = completed_at - interval '49 hours' WHERE id = :id"
        )
        db.session.execute(long_ago, {"id": visit.request_id})
    assert visit.phases(visit.professional) == []
    assert send_photo(visit.professional, visit.request_id, "after").json["code"] == "photo_not_possible"


def test_photos_are_seen_by_those_concerned_and_problem_by_who_may_accept(visit: Visit, users: Users) -> None:
    problem = add_photo(visit.customer, visit.request_id, "problem")["id"]
    stranger, without_task = users.customer(), users.professional()
    assert visit.seen(visit.other) == visit.seen(visit.professional) == [problem]
    assert visit.seen(without_task) == []
    do(visit.other, f"{visit.path}/reject", WHY)
    do(visit.professional, f"{visit.path}/accept")
    before = add_photo(visit.professional, visit.request_id, "before")["id"]
    for who in (visit.customer, visit.professional, visit.admin):
        assert visit.seen(who) == [problem, before]
        assert who.get(f"/photos/{before}?size=thumb").status_code == 200
    for who, photo in product((visit.other, stranger, without_task), (problem, before)):
        assert who.get(f"{visit.path}/photos").status_code == 404
        assert who.get(f"/photos/{photo}").status_code == 404
    assert users.visitor().get(f"/photos/{before}").status_code == 401


def test_photos_of_earlier_professional_are_not_shown_to_the_next(visit: Visit) -> None:
    do(visit.professional, f"{visit.path}/accept")
    before = add_photo(visit.professional, visit.request_id, "before")["id"]
    do(visit.professional, f"{visit.path}/release", WHY)
    do(visit.other, f"{visit.path}/accept")
    assert visit.seen(visit.other) == []
    assert visit.other.get(f"/photos/{before}").status_code == 404
    assert visit.professional.get(f"/photos/{before}").status_code == 404
    assert visit.seen(visit.customer) == [before]


def test_photos_of_problem_are_hidden_from_professional_with_the_address(visit: Visit) -> None:
    problem = add_photo(visit.customer, visit.request_id, "problem")["id"]
    bring(visit, Status.CLOSED)
    after = add_photo(visit.professional, visit.request_id, "after")["id"]
    with transaction():
        ended = text(
            "UPDATE task_requests SET accepted_at = accepted_at - interval '31 days',"
            " completed_at = completed_at - interval '31 days', closed_at = closed_at - interval '31 days'"
            " WHERE id = :id"
        )
        db.session.execute(ended, {"id": visit.request_id})
    assert visit.seen(visit.professional) == [after]
    assert visit.professional.get(f"/photos/{problem}").status_code == 404
    assert visit.seen(visit.customer) == [problem, after]


# -- history, limits, repetition


def test_photo_digest_is_in_the_history_of_both_sides(visit: Visit) -> None:
    do(visit.professional, f"{visit.path}/accept")
    photo = add_photo(visit.professional, visit.request_id, "before")
    for who in (visit.customer, visit.professional, visit.admin):
        entry = who.get(visit.path).json["history"][-1]
        assert (entry["action"], entry["from"], entry["to"]) == ("add_photo", "accepted", "accepted")
        assert entry["changes"] == {"photo_id": photo["id"], "phase": "before", "sha256": photo["sha256"]}


def test_photo_keeps_the_version_of_its_request(visit: Visit) -> None:
    tag = visit.customer.get(visit.path).headers["ETag"]
    add_photo(visit.customer, visit.request_id, "problem")
    edited = visit.customer.patch(visit.path, {"remarks": "See the photo"}, headers={"If-Match": tag})
    assert edited.status_code == 200


def test_thirteenth_photo_of_a_phase_is_refused_until_one_is_deleted(visit: Visit) -> None:
    do(visit.professional, f"{visit.path}/accept")
    first = add_photo(visit.professional, visit.request_id, "before")["id"]
    _fill(visit, visit.professional, "before", 11)
    refused = send_photo(visit.professional, visit.request_id, "before")
    assert (refused.status_code, refused.json["code"]) == (409, "too_many_photos")
    add_photo(visit.professional, visit.request_id, "after")
    assert visit.professional.delete(f"/photos/{first}").status_code == 204
    add_photo(visit.professional, visit.request_id, "before")


def _fill(visit: Visit, who: User, phase: str, number: int) -> None:
    """Add rows without files, in the free slots from the highest."""
    with transaction():
        for slot in range(12, 12 - number, -1):
            digest = f"{phase}-{slot}"
            db.session.add(
                RequestPhoto(
                    request_id=visit.request_id, author_id=who.id, author_role=who.role, phase=phase, slot=slot,
                    width=1, height=1, size=1, sha256=digest, store_key=digest, thumb_size=1, thumb_sha256=digest,
                    thumb_store_key=f"{digest}-thumb",
                )
            )  # fmt: skip


def test_repeated_photo_with_a_key_is_added_once(visit: Visit) -> None:
    headers = {"Idempotency-Key": "one-photo"}
    first = send_photo(visit.customer, visit.request_id, "problem", headers=headers)
    again = send_photo(visit.customer, visit.request_id, "problem", headers=headers)
    assert (again.status_code, again.json) == (201, first.json)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert visit.seen(visit.customer) == [first.json["id"]]
    other = send_photo(visit.customer, visit.request_id, "problem", picture("PNG"), headers=headers)
    assert (other.status_code, other.json["code"]) == (422, "idempotency_key_reused")


def test_concurrent_photos_of_one_phase_stay_within_twelve(visit: Visit, users: Users) -> None:
    """Several devices of one account at once: uploads are claimed per process, so the actions are called directly."""
    do(visit.professional, f"{visit.path}/accept")
    actor = Actor(id=visit.professional.id, role=Role.PROFESSIONAL)

    def add(number: int) -> bool:
        stored = StoredPicture(1, 1, 1, f"{number}", f"race-{number}", 1, f"{number}", f"race-{number}-thumb")
        with users.app.app_context():
            try:
                with transaction():
                    actions.add(actor, request_id=visit.request_id, phase=Phase.BEFORE, stored=stored)
            except TooManyPhotos:
                return False
            finally:
                db.session.remove()
        return True

    with ThreadPoolExecutor(6) as pool:
        added = list(pool.map(add, range(20)))
    assert sum(added) == 12
    slots = select(RequestPhoto.slot).where(RequestPhoto.request_id == visit.request_id).order_by(RequestPhoto.slot)
    assert list(db.session.execute(slots).scalars()) == list(range(1, 13))


# -- deleting and keeping


def test_deleted_photo_is_gone_for_all_and_its_files_follow(visit: Visit) -> None:
    photo = add_photo(visit.customer, visit.request_id, "problem")
    do(visit.professional, f"{visit.path}/accept")
    assert visit.professional.delete(f"/photos/{photo['id']}").json["code"] == "role_not_allowed"
    assert visit.customer.delete(f"/photos/{photo['id']}").status_code == 204
    assert visit.seen(visit.customer) == []
    assert visit.customer.get(f"/photos/{photo['id']}").status_code == 404
    assert visit.customer.get(visit.path).json["history"][-1]["changes"]["sha256"] == photo["sha256"]
    assert _keys_to_drop() == _keys(photo["id"])


def test_photo_cannot_be_deleted_once_its_phase_is_over(visit: Visit) -> None:
    photo = add_photo(visit.customer, visit.request_id, "problem")
    do(visit.professional, f"{visit.path}/accept")
    do(visit.customer, f"{visit.path}/start")
    refused = visit.customer.delete(f"/photos/{photo['id']}")
    assert (refused.status_code, refused.json["code"]) == (409, "photo_not_possible")


def _keys(photo_id: int) -> set[str]:
    row = db.session.get_one(RequestPhoto, photo_id)
    return {row.store_key, row.thumb_store_key}


def _keys_to_drop() -> set[str]:
    jobs = select(Job.payload["store_key"].astext).where(Job.topic == documents.DROP_TOPIC.name)
    return set(db.session.execute(jobs).scalars())


def test_photos_are_removed_some_time_after_the_end_and_digests_stay(visit: Visit) -> None:
    photo = add_photo(visit.customer, visit.request_id, "problem")
    open_one = visit.market.ask(visit.customer, date_of_request=at(days=3))["id"]
    kept = add_photo(visit.customer, open_one, "problem")
    do(visit.customer, f"{visit.path}/cancel", WHY)
    with transaction():
        db.session.execute(text("UPDATE request_photos SET created_at = created_at - interval '181 days'"))
        assert actions.remove_old() == (2, 0)
    ends = text("SELECT ended_after > now() - interval '1 minute' FROM request_photos")
    assert list(db.session.execute(ends).scalars()) == [True, True], "they are looked at again when that is long ago"
    with transaction():
        for later in ("task_requests SET cancelled_at = cancelled_at", "request_photos SET ended_after = ended_after"):
            db.session.execute(text(f"UPDATE {later} - interval '181 days'"))
        assert actions.remove_old() == (2, 1)
    assert visit.seen(visit.customer) == []
    assert visit.customer.get(visit.path).json["history"][1]["changes"]["sha256"] == photo["sha256"]
    assert _keys_to_drop() == _keys(photo["id"])
    assert visit.customer.get(f"/photos/{kept['id']}").status_code == 200


# -- messages


def test_message_with_photo_is_read_by_both_sides_only(visit: Visit, users: Users) -> None:
    do(visit.professional, f"{visit.path}/accept")
    sent = send_message_photo(visit.customer, visit.request_id)
    assert sent.status_code == 201, sent.json
    assert (sent.json["body"], sent.json["photo_id"] is not None) == ("", True)
    photo = f"/photos/{sent.json['photo_id']}"
    (message,) = visit.professional.get(f"{visit.path}/messages").json["items"]
    assert message["photo_id"] == sent.json["photo_id"]
    assert visit.seen(visit.professional) == []
    for who in (visit.customer, visit.professional):
        assert who.get(photo).mimetype == "image/webp"
    for who in (visit.other, users.customer(), visit.admin):
        assert who.get(photo).status_code == 404
    assert visit.customer.delete(photo).status_code == 404
    assert visit.professional.post(f"{visit.path}/messages/report", WHY).status_code == 204
    assert visit.admin.get(photo).status_code == 200


def test_message_with_photo_is_refused_while_contact_details_are_hidden(visit: Visit) -> None:
    asked = visit.market.ask(visit.customer, professional_id=visit.professional.id)["id"]
    early = send_message_photo(visit.customer, asked, "See this")
    assert (early.status_code, early.json["code"]) == (409, "message_photo_not_allowed")
    assert visit.customer.post(f"/requests/{asked}/messages", {"body": "See this"}).json["photo_id"] is None
    do(visit.professional, f"/requests/{asked}/accept")
    assert visit.admin.patch("/settings", {"contact": "masked"}).status_code == 200
    masked = send_message_photo(visit.customer, asked, "See this")
    assert (masked.status_code, masked.json["code"]) == (409, "message_photo_not_allowed")


def test_repeated_message_with_photo_and_key_is_written_once(visit: Visit) -> None:
    do(visit.professional, f"{visit.path}/accept")
    answers = []
    for _ in range(2):
        file = form(picture("JPEG", size=(320, 240)), name="photo.jpg", field="photo", body="Here")
        answers.append(visit.customer.post(f"{visit.path}/messages", headers={"Idempotency-Key": "m"}, **file))
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json == answers[1].json
    assert len(visit.customer.get(f"{visit.path}/messages").json["items"]) == 1
