"""An admin sees all that happened around a request in one view, and saves it as a PDF of evidence."""

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pypdf import PdfReader

from tests.browser.conftest import OpenScreen
from tests.browser.screen import DESK, PHONE
from tests.browser.test_pages import sign_in
from tests.factories.files import picture
from tests.harness.caller import ADMIN_PASSWORD
from tests.harness.market import RunningMarket

pytestmark = pytest.mark.browser


def test_admin_reads_activity_and_saves_it_as_pdf(screen: OpenScreen, market: RunningMarket) -> None:
    admin, customer = market.admin(), market.visitor().sign_up("customer")
    offered = {"name": "Oven cleaning", "category": "Cleaning", "base_price": "599.00", "time_required": 60}
    task = admin.post("/tasks", {**offered, "description": "Inside and outside"}, status=201)["id"]
    professional = market.visitor().sign_up("professional", task_ids=[task], firstname="Meera")
    professional.put("/me/document", files={"document": ("proof.png", picture(size=(300, 200)), "image/png")})
    admin.post(f"/professionals/{professional.account['id']}/approve")
    when = (datetime.now(UTC) + timedelta(days=3)).isoformat()
    number = customer.post("/requests", {"task_id": task, "date_of_request": when}, status=201)["id"]
    for step in ("accept", "arrive", "start", "complete"):
        professional.post(f"/requests/{number}/{step}")
    customer.post(f"/requests/{number}/close")
    customer.post(f"/requests/{number}/review", {"rating": 2, "comment": "The oven still smells"}, status=201)
    customer.post(f"/requests/{number}/messages", {"body": "Please come again."}, status=201)

    window = screen(viewport=DESK, dark=True)
    sign_in(window, "admin", ADMIN_PASSWORD)
    window.go(f"/requests/{number}").expect_text("The oven still smells")
    window.expect_text("1 message is not shown").expect_text("Notification: Request accepted")
    window.inspect("activity")
    with window.page.expect_download() as saved:
        window.press("Download PDF")
    assert saved.value.suggested_filename == f"request-{number}-activity.pdf"
    content = Path(saved.value.path()).read_bytes()
    text = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)
    assert "The oven still smells" in text

    admin.patch("/me", {"language": "hi"})
    phone = screen(viewport=PHONE)
    sign_in(phone, "admin", ADMIN_PASSWORD)
    phone.go(f"/requests/{number}").expect_text("PDF डाउनलोड करें").expect_text("The oven still smells")
    phone.inspect("activity hindi")
    admin.patch("/me", {"language": "en"})
