"""Documents over HTTP: detected by content, sanitised or rejected, private."""

import hashlib
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from pypdf import PdfWriter
from pypdf.generic import ArrayObject, DictionaryObject, NameObject, NumberObject, TextStringObject
from sqlalchemy import select

from backend.core import child_process, storage
from backend.core.clock import now
from backend.core.db.session import db
from backend.core.queue import Job
from backend.domain.documents import actions, capacity, inspection
from backend.domain.documents.models import Document
from tests.factories.files import form, pdf, picture, slow_pdf
from tests.factories.users import User, Users
from tests.waiting import wait_until


def script(writer: PdfWriter) -> None:
    action = {NameObject("/S"): NameObject("/JavaScript"), NameObject("/JS"): TextStringObject("app.alert(1)")}
    names = ArrayObject([TextStringObject("hello"), writer._add_object(DictionaryObject(action))])
    scripts = DictionaryObject({NameObject("/JavaScript"): DictionaryObject({NameObject("/Names"): names})})
    writer.root_object[NameObject("/Names")] = scripts


def attachment(writer: PdfWriter) -> None:
    writer.add_attachment("run.exe", b"MZ")


def launch(writer: PdfWriter) -> None:
    action = DictionaryObject({NameObject("/S"): NameObject("/Launch"), NameObject("/F"): TextStringObject("calc.exe")})
    writer.root_object[NameObject("/OpenAction")] = action


def submit_on_open(writer: PdfWriter) -> None:
    action = DictionaryObject(
        {NameObject("/S"): NameObject("/SubmitForm"), NameObject("/F"): TextStringObject("http://x")}
    )
    writer.root_object[NameObject("/OpenAction")] = writer._add_object(action)


def script_on_a_page(writer: PdfWriter) -> None:
    action = DictionaryObject({NameObject("/S"): NameObject("/JavaScript"), NameObject("/JS"): TextStringObject("1")})
    writer.pages[0][NameObject("/AA")] = DictionaryObject({NameObject("/O"): writer._add_object(action)})


def locked(writer: PdfWriter) -> None:
    writer.encrypt("secret", algorithm="RC4-128")


def opens_at_the_first_page(writer: PdfWriter) -> None:
    target = ArrayObject([writer.pages[0].indirect_reference, NameObject("/Fit")])
    writer.root_object[NameObject("/OpenAction")] = target


@pytest.fixture
def ravi(users: Users) -> User:
    return users.professional(approved=False)


def action(kind: str, **more: Any) -> DictionaryObject:
    values = {NameObject(f"/{name}"): value for name, value in more.items()}
    return DictionaryObject({NameObject("/S"): NameObject(kind), **values})


def link_to(target: str) -> Callable[[PdfWriter], None]:
    return link(action("/URI", URI=TextStringObject(target)))


def link(what: DictionaryObject) -> Callable[[PdfWriter], None]:
    """Return a change that adds a link with this action to the first page."""

    def change(writer: PdfWriter) -> None:
        annotation = DictionaryObject({NameObject("/Subtype"): NameObject("/Link"), NameObject("/A"): what})
        annotation[NameObject("/Rect")] = ArrayObject([NumberObject(one) for one in (0, 0, 50, 50)])
        writer.pages[0][NameObject("/Annots")] = ArrayObject([writer._add_object(annotation)])

    return change


ACTIVE_LINKS = [
    link_to("javascript:app.alert(1)"),
    link_to(" JavaScript:app.alert(1)"),
    link_to("file:///etc/passwd"),
    link_to("//host/share"),
    link_to("smb://host/share"),
    *(link(action(kind)) for kind in ("/Sound", "/Hide", "/Thread", "/RichMediaExecute", "/SetOCGState", "/Unknown")),
    link(action("/GoTo", Next=ArrayObject([action("/Named"), action("/Hide")]))),
    link(DictionaryObject({NameObject("/Type"): NameObject("/Action")})),
]
HARMLESS_LINKS = [
    link_to("https://example.org/proof"),
    link_to("HTTP://example.org"),
    link_to("mailto:ravi@example.org"),
    link(action("/Named", N=NameObject("/NextPage"), Next=action("/GoTo"))),
]


@pytest.mark.parametrize("change", ACTIVE_LINKS)
def test_put_document_with_active_pdf_link_is_rejected(ravi: User, change: Callable[[PdfWriter], None]) -> None:
    answer = ravi.put("/me/document", **form(pdf(change), name="proof.pdf"))
    assert (answer.status_code, answer.json["code"]) == (422, "document_refused"), answer.json


@pytest.mark.parametrize("change", HARMLESS_LINKS)
def test_put_document_with_plain_pdf_link_is_accepted(ravi: User, change: Callable[[PdfWriter], None]) -> None:
    assert ravi.put("/me/document", **form(pdf(change), name="proof.pdf")).status_code == 200


def test_put_document_with_too_many_pdf_objects_is_rejected(ravi: User) -> None:
    answer = ravi.put("/me/document", **form(slow_pdf(50_001), name="proof.pdf"))
    assert (answer.status_code, answer.json["code"]) == (422, "document_refused")
    assert "too complex" in answer.json["detail"]


@pytest.mark.parametrize("change", [script, attachment, launch, submit_on_open, script_on_a_page])
def test_put_document_with_active_pdf_content_is_rejected(ravi: User, change: Callable[[PdfWriter], None]) -> None:
    answer = ravi.put("/me/document", **form(pdf(change), name="proof.pdf"))
    assert (answer.status_code, answer.json["code"]) == (422, "document_refused"), answer.json
    assert ravi.get("/me").json["approval"] == "document_missing"


def test_put_document_with_escaped_pdf_script_name_is_rejected(ravi: User) -> None:
    hidden = pdf(script).replace(b"/JavaScript", b"/J#61vaScript")
    assert ravi.put("/me/document", **form(hidden, name="proof.pdf")).status_code == 422


@pytest.mark.parametrize(
    "data",
    [b"%PDF-1.7\nnothing else", pdf()[: len(pdf()) // 3], pdf(locked), picture()[:40], picture("JPEG")[:100], b"",
     pdf(pages=101)],
)  # fmt: skip
def test_put_document_with_unreadable_content_returns_422(ravi: User, data: bytes) -> None:
    answer = ravi.put("/me/document", **form(data))
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["document"])


@pytest.mark.parametrize(
    "data",
    [b"<html><script>1</script>", b"MZ\x90\x00", b"plain text", b"PK\x03\x04zip", picture("GIF"), picture("WEBP")],
)
def test_put_document_with_other_content_type_returns_415_despite_filename(ravi: User, data: bytes) -> None:
    assert ravi.put("/me/document", **form(data, name="proof.pdf")).status_code == 415


def test_put_document_over_5_mib_returns_413(ravi: User) -> None:
    for size in (5 * 1024 * 1024 + 1, 8 * 1024 * 1024):
        data = picture("JPEG") + b"\0" * (size - len(picture("JPEG")))
        assert ravi.put("/me/document", **form(data)).status_code == 413


def test_put_document_of_exactly_5_mib_is_accepted(ravi: User) -> None:
    data = picture("JPEG") + b"\0" * (5 * 1024 * 1024 - len(picture("JPEG")))
    answer = ravi.put("/me/document", **form(data))
    assert answer.status_code == 200
    assert answer.json["document"]["size"] < 10_000, "data appended to the picture is removed"


def test_put_document_with_400_million_pixels_is_rejected(ravi: User) -> None:
    bomb = BytesIO()
    Image.new("1", (20_000, 20_000)).save(bomb, "PNG")
    answer = ravi.put("/me/document", **form(bomb.getvalue()))
    assert (answer.status_code, answer.json["code"]) == (422, "too_many_pixels")


def test_put_document_with_picture_is_reencoded_without_metadata(ravi: User) -> None:
    source, exif = BytesIO(), Image.Exif()
    exif[0x010E] = "where I live"
    Image.new("RGB", (30, 20), "red").save(source, "JPEG", exif=exif)
    ravi.put("/me/document", **form(source.getvalue(), name="../../my proof.exe"))
    answer = ravi.get("/me/document")
    assert answer.mimetype == "image/jpeg"
    assert b"where I live" not in answer.data
    with Image.open(BytesIO(answer.data)) as image:
        assert (image.size, image.format) == ((30, 20), "JPEG")
    assert ravi.get("/me").json["document"]["filename"] == "my proof.jpg"


def test_put_document_form_without_file_or_with_extra_files_is_rejected(ravi: User) -> None:
    kind = {"content_type": "multipart/form-data"}
    assert ravi.put("/me/document", data={}, **kind).status_code in (415, 422)
    assert ravi.put("/me/document", data={"document": "text"}, **kind).status_code == 422
    two = {"document": [(BytesIO(picture()), "a.png"), (BytesIO(picture()), "b.png")]}
    assert ravi.put("/me/document", data=two, **kind).status_code == 422
    extra = {"document": (BytesIO(picture()), "a.png"), "other": (BytesIO(picture()), "b.png")}
    assert list(ravi.put("/me/document", data=extra, **kind).json["errors"]) == ["other"]
    assert ravi.put("/me/document", {"document": "x"}).status_code == 415


def test_document_download_is_private_and_has_safe_headers(users: Users, ravi: User) -> None:
    data = pdf(opens_at_the_first_page, pages=2)
    assert ravi.put("/me/document", **form(data, name='pro"of हिन्दी.PDF')).status_code == 200
    path = f"/professionals/{ravi.id}/document"
    for answer in (ravi.get("/me/document"), users.admin().get(path)):
        assert (answer.status_code, answer.data, answer.mimetype) == (200, data, "application/pdf")
        assert answer.headers["Content-Disposition"].startswith("attachment; ")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert answer.headers["Cache-Control"] == "private, no-store"
    assert users.professional().get(path).status_code == 403
    assert users.customer().get(path).status_code == 403
    assert users.visitor().get(path).status_code == 401
    assert users.admin().get("/professionals/4711/document").status_code == 404


@pytest.mark.parametrize("data", [pdf(pages=2), picture(size=(3000, 200))])
def test_document_page_is_rendered_as_picture(users: Users, ravi: User, data: bytes) -> None:
    ravi.put("/me/document", **form(data))
    admin, path = users.admin(), f"/professionals/{ravi.id}/document"
    page = admin.get(f"{path}?page=1")
    assert (page.status_code, page.mimetype) == (200, "image/png")
    with Image.open(BytesIO(page.data)) as image:
        assert image.width <= 1400
    pages = ravi.get("/me").json["document"]["pages"]
    assert admin.get(f"{path}?page={pages}").status_code == 200
    assert admin.get(f"{path}?page={pages + 1}").status_code == 404
    assert admin.get(f"{path}?page=0").status_code == 422


def test_put_document_drops_file_of_previous_document(ravi: User) -> None:
    ravi.put("/me/document", **form(picture()))
    ravi.put("/me/document", **form(picture("JPEG")))
    first, second = db.session.execute(select(Document).order_by(Document.id)).scalars()
    assert (first.replaced_at is None, second.replaced_at) == (False, None)
    payload = db.session.execute(select(Job.payload).where(Job.topic == actions.DROP_TOPIC.name)).scalar_one()
    assert payload == {"store_key": first.store_key}
    actions.drop(first.store_key)
    actions.drop(first.store_key)
    with pytest.raises(storage.FileMissing):
        storage.documents().get(first.store_key)
    assert hashlib.sha256(storage.documents().get(second.store_key)).hexdigest() == second.sha256


def test_put_document_with_failing_store_returns_503_and_changes_nothing(
    ravi: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, app: Any
) -> None:
    blocked = tmp_path / "file"
    blocked.write_bytes(b"in the way")
    monkeypatch.setitem(app.extensions, "document_store", storage.Store(f"file://{blocked}"))
    answer = ravi.put("/me/document", **form(picture()))
    assert (answer.status_code, answer.json["code"]) == (503, "storage_unavailable")
    assert answer.headers["Retry-After"]
    assert ravi.get("/me").json["approval"] == "document_missing"


def test_put_document_on_overloaded_machine_returns_503_and_can_be_retried(
    ravi: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as slow:
        slow.setattr(inspection, "CHILD_SECONDS", 0.001)  # no process has started by then
        answer = ravi.put("/me/document", **form(picture()))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, str(capacity.RETRY_SECONDS))
    assert ravi.get("/me").json["approval"] == "document_missing"
    assert ravi.put("/me/document", **form(picture())).status_code == 200


@pytest.mark.parametrize("size", [(6001, 4000), (20_000, 20_000)])
def test_put_document_over_24_million_pixels_is_rejected(ravi: User, size: tuple[int, int]) -> None:
    bomb = BytesIO()
    Image.new("1", size).save(bomb, "PNG")
    answer = ravi.put("/me/document", **form(bomb.getvalue()))
    assert (answer.status_code, answer.json["code"]) == (422, "too_many_pixels")


@pytest.mark.parametrize(("mode", "kind"), [("RGBA", "PNG"), ("1", "PNG"), ("CMYK", "JPEG")])
def test_put_document_with_large_picture_is_scaled_down(ravi: User, mode: str, kind: str) -> None:
    large = BytesIO()
    Image.new(mode, (6000, 4000)).save(large, kind)

    def stored() -> bool:
        answer = ravi.put("/me/document", **form(large.getvalue()))
        assert answer.status_code in {200, 503}, answer.json  # too busy: the client repeats
        return bool(answer.status_code == 200)

    assert wait_until(stored)
    with Image.open(BytesIO(ravi.get("/me/document").data)) as image:
        assert (image.size, image.format) == ((4000, 2667), kind)


def test_document_with_missing_file_returns_file_missing(users: Users, ravi: User) -> None:
    ravi.put(
        "/me/document", **form(picture(size=(311, 173)))
    )  # a size that no other test uses, whose page may be cached
    storage.documents().drop(db.session.execute(select(Document.store_key)).scalar_one())
    for path in ("/me/document", "/me/document?page=1"):
        answer = ravi.get(path)
        assert (answer.status_code, answer.json["code"]) == (410, "file_missing")
        assert "Upload the document again" in answer.json["detail"]
        assert "Retry-After" not in answer.headers
    assert users.admin().get(f"/professionals/{ravi.id}/document").json["code"] == "file_missing"


def test_document_page_etag_identifies_document_and_page(users: Users, ravi: User) -> None:
    document = ravi.put("/me/document", **form(pdf(pages=2), name="proof.pdf")).json["document"]
    admin, path = users.admin(), f"/professionals/{ravi.id}/document"
    first = admin.get(f"{path}?page=2")
    assert first.headers["ETag"] == f'"{document["sha256"]}-2"'
    assert admin.get(path).headers["ETag"] == f'"{document["sha256"]}"'
    again = admin.get(f"{path}?page=2", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    ravi.put("/me/document", **form(pdf(pages=3), name="proof.pdf"))
    changed = admin.get(f"{path}?page=2", headers={"If-None-Match": first.headers["ETag"]})
    assert changed.status_code == 200
    assert changed.headers["ETag"] != first.headers["ETag"]


def test_document_page_rendered_once_is_cached(users: Users, ravi: User, monkeypatch: pytest.MonkeyPatch) -> None:
    ravi.put("/me/document", **form(picture("JPEG", size=(31, 17))))
    first = ravi.get("/me/document?page=1")

    def broken(*_: Any, **__: Any) -> None:
        raise AssertionError("the cached page was not used")

    monkeypatch.setattr(child_process, "run", broken)
    assert users.admin().get(f"/professionals/{ravi.id}/document?page=1").data == first.data


def test_put_document_that_fails_leaves_no_file(ravi: User) -> None:
    before = set(storage.documents().keys_from_before(now() + timedelta(minutes=1)))
    answer = ravi.put("/me/document", **form(picture()), headers={"If-Match": '"v0-00"'})
    assert answer.status_code == 412
    assert set(storage.documents().keys_from_before(now() + timedelta(minutes=1))) == before
