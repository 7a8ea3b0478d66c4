"""Photos of profiles, uploaded and approved over HTTP, and photos of requests."""

from typing import Any

from tests.factories.files import form, picture
from tests.factories.users import User


def upload_photo(who: User, width: int = 300) -> dict[str, Any]:
    """Upload a square photo of this width, which makes its bytes, and return the professional's own profile."""
    answer = who.put("/me/profile/photo", **form(picture("JPEG", size=(width, width)), name="me.jpg", field="photo"))
    assert answer.status_code == 200, answer.json
    return dict(answer.json)


def show_photo(who: User, admin: User, width: int = 300) -> str:
    """Upload a photo, have it approved, and return its public address."""
    photo = upload_photo(who, width)["photo"]
    assert admin.post(f"/profile_photos/{photo['id']}/approve").status_code == 200
    return str(who.get("/me/profile").json["photo_url"])


def send_photo(
    who: User, request_id: int, phase: str, data: bytes | None = None, *, point: int | None = None, **options: Any
) -> Any:
    """Upload a photo of a request, and return the response."""
    fields = {"phase": phase} if point is None else {"phase": phase, "point": str(point)}
    file = form(data or picture("JPEG", size=(320, 240)), name="photo.jpg", field="photo", **fields)
    return who.post(f"/requests/{request_id}/photos", **file, **options)


def add_photo(
    who: User, request_id: int, phase: str, data: bytes | None = None, *, point: int | None = None
) -> dict[str, Any]:
    """Add a photo to a request, which must succeed."""
    answer = send_photo(who, request_id, phase, data, point=point)
    assert answer.status_code == 201, answer.json
    return dict(answer.json)


def send_message_photo(who: User, request_id: int, body: str = "") -> Any:
    """Write a message with a photo, and return the response."""
    file = form(picture("JPEG", size=(320, 240)), name="photo.jpg", field="photo", body=body)
    return who.post(f"/requests/{request_id}/messages", **file)
