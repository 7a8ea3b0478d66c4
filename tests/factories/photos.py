"""Photos of profiles, uploaded and approved over HTTP."""

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
