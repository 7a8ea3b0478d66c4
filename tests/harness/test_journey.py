"""The main use case over HTTP against the whole running product, with mails by the real worker."""

import re
from datetime import UTC, datetime, timedelta

import jwt
import psycopg
import pytest
import requests

from backend.settings import VERSION
from tests.factories.files import picture
from tests.harness.caller import BENGALURU, Caller
from tests.harness.mail import text_of
from tests.harness.market import RunningMarket, wait_for
from tests.waiting import HANG_SECONDS

pytestmark = pytest.mark.launch


def in_hours(hours: float) -> str:
    return (datetime.now(UTC) + timedelta(hours=hours)).isoformat()  # the product's processes use the system clock


def approved_professional(market: RunningMarket, task_id: int) -> Caller:
    professional = market.visitor().sign_up("professional", task_ids=[task_id])
    assert professional.account["isactive"] == 0
    assert professional.account["approval"] == "document_missing"
    professional.get("/requests", status=403)
    professional.put("/me/document", files={"document": ("proof.png", picture(), "image/png")})
    assert professional.get("/me")["approval"] == "pending"
    admin = market.admin()
    admin.post(f"/professionals/{professional.account['id']}/approve")
    assert professional.get("/me")["isactive"] == 1
    return professional


def test_request_from_sign_up_to_review_over_http(market: RunningMarket) -> None:
    admin, customer = market.admin(), market.visitor().sign_up("customer")
    token = customer.post("/check", {"username": customer.account["username"], "password": "correct horse battery 9"})
    assert jwt.decode(token["access_token"], options={"verify_signature": False})["role"] == "customer"
    offered = {"name": "Tap repair", "category": "Plumbing", "base_price": "499.00", "time_required": 60}
    task = admin.post("/tasks", {**offered, "description": "Drips no more"}, status=201)
    professional = approved_professional(market, task["id"])
    market.inbox.wait_for(professional.account["email"], subject="approved")

    found = wait_for(lambda: customer.get("/search", q="tap repare", pincode=BENGALURU)["items"])
    assert (found[0]["id"], found[0]["professionals"]) == (task["id"], 1)

    wanted = {
        "task_id": task["id"],
        "date_of_request": in_hours(48),
        "remarks": "The kitchen's",
        "professional_id": professional.account["id"],
    }
    request = customer.post("/requests", wanted, status=201)
    assert request["status"] == "requested"
    path = f"/requests/{request['id']}"
    assert request["id"] in [row["id"] for row in professional.get("/requests")["items"]]
    assert professional.post(f"{path}/accept")["status"] == "accepted"
    assert professional.post(f"{path}/complete")["status"] == "completed"
    assert professional.post(f"{path}/close", {"remarks": "New washer"})["status"] == "closed"
    assert customer.post(f"{path}/review", {"rating": 5, "comment": "On time"}, status=201)["rating"] == 5

    seen = customer.get(path)
    assert [step["action"] for step in seen["history"]] == ["create", "accept", "complete", "close", "review"]
    assert seen["review"]["rating"] == 5
    assert {"request_accepted", "request_completed", "request_closed"} <= kinds(customer)
    assert {"approved", "request_new", "request_reviewed"} <= kinds(professional)
    for words in ("Accepted", "Completed", "Closed"):
        assert "Tap repair" in market.inbox.wait_for(customer.account["email"], subject=words)["Subject"]
    new = market.inbox.wait_for(professional.account["email"], subject="New request")
    assert "The kitchen's" in text_of(new)
    assert f"/app/requests/{request['id']}" in text_of(new)


def test_block_takes_effect_with_next_call_and_is_mailed(market: RunningMarket) -> None:
    customer = market.visitor().sign_up("customer")
    customer.get("/me")
    market.admin().post(f"/users/{customer.account['id']}/block", {"reason": "fraud"})
    assert customer.get("/me", status=403)["code"] == "account_blocked"
    assert customer.get("/tasks", status=403)["code"] == "account_blocked"
    market.inbox.wait_for(customer.account["email"], subject="blocked")


def test_readyz_shows_every_part_with_its_age(market: RunningMarket) -> None:
    ready = market.visitor().get("/readyz")
    assert {ready[part]["state"] for part in ("database", "cache", "broker", "events", "workers")} == {"up"}
    assert all(ready[part]["age"] < 30 for part in ("database", "cache", "broker", "events", "workers"))


def test_metrics_add_up_all_processes_and_reject_proxied_calls(market: RunningMarket) -> None:
    for _ in range(20):
        market.visitor().get("/healthz")
    figures = market.visitor().call("GET", "/metrics").text
    line = next(line for line in figures.splitlines() if line.startswith("http_requests_total") and "/healthz" in line)
    assert float(line.rsplit(" ", 1)[1]) >= 20
    assert "jobs_waiting" in figures
    assert "jobs_run_total" in figures
    proxied = market.visitor().call("GET", "/metrics", headers={"X-Forwarded-For": "127.0.0.1"})
    assert proxied.status_code == 403


def test_metrics_port_of_workers_serves_every_kind_of_process(market: RunningMarket) -> None:
    address = f"http://127.0.0.1:{market.metrics_port}/metrics"

    def figures() -> str:
        return requests.get(address, timeout=HANG_SECONDS).text

    kinds = [
        f'process_resident_memory_bytes{{kind="{kind}"}}' for kind in ("web", "worker", "beat", "events", "hashing")
    ]
    wait_for(lambda: all(kind in figures() for kind in kinds))
    text = figures()
    assert re.search(r'^process_cpu_seconds_total\{kind="worker"\} 0*[1-9.]', text, re.MULTILINE)
    assert f'build_info{{version="{VERSION}"}} 1.0' in text
    assert 'db_connections_limit{pool="session"}' in text
    assert "http_requests_total" in text
    proxied = requests.get(address, headers={"X-Forwarded-For": "127.0.0.1"}, timeout=HANG_SECONDS)
    assert (proxied.status_code, "process_" in proxied.text) == (403, False)
    assert requests.get(address.replace("/metrics", "/"), timeout=HANG_SECONDS).status_code == 404


def test_request_id_of_call_is_stored_with_its_jobs(market: RunningMarket) -> None:
    customer = market.visitor().sign_up("customer")
    mark = f"journey-{customer.account['id']}-id"
    asked = customer.call(
        "POST", "/password/forgot", json={"email": customer.account["email"]}, headers={"X-Request-Id": mark}
    )
    assert (asked.status_code, asked.headers["X-Request-Id"]) == (202, mark)
    market.inbox.wait_for(customer.account["email"], subject="password")
    with psycopg.connect(market.postgres.url) as connection:
        jobs = connection.execute("SELECT topic FROM jobs WHERE trace_id = %s", (mark,)).fetchall()
    assert jobs, "the job does not carry the id of the call that made it"


def test_body_over_limit_returns_413(market: RunningMarket) -> None:
    answer = requests.post(
        market.url("/check"), data=b"x" * 8_000_000, headers={"Content-Type": "application/json"}, timeout=HANG_SECONDS
    )
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def kinds(user: Caller) -> set[str]:
    return {row["kind"] for row in user.get("/notifications", limit=100)["items"]}
