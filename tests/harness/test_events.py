"""Live updates of the running product: who is told what, when a stream ends, and what outages do."""

import contextlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from backend.launch import processes
from tests.harness.caller import PASSWORD, Caller
from tests.harness.event_stream import EventStream
from tests.harness.market import RunningMarket, wait_for
from tests.waiting import HANG_SECONDS

OpenStream = Callable[..., EventStream]


@pytest.fixture
def direct(market: RunningMarket) -> Iterator[OpenStream]:
    """Return a function that opens a caller's stream at the process that holds it."""
    with contextlib.ExitStack() as opened:

        def open_stream(caller: Caller | None, *, through: str = "", last_event_id: str = "") -> EventStream:
            url = through or f"http://127.0.0.1:{market.events_port}"
            stream = EventStream(url, caller.token if caller else None, last_event_id=last_event_id)
            opened.callback(stream.close)
            return stream.wait_until_open() if stream.status == 200 else stream

        yield open_stream


def test_stream_without_valid_token_is_rejected_as_every_call(market: RunningMarket, direct: OpenStream) -> None:
    for through in ("", market.url("")):
        stream = direct(None, through=through)
        assert stream.status == 401
        assert stream.headers["Content-Type"] == "application/problem+json"
        assert stream.headers["WWW-Authenticate"].startswith("Bearer")
        assert stream.problem()["code"] == "unauthenticated"


def test_problem_of_events_is_in_the_language_that_is_asked_for(market: RunningMarket) -> None:
    answer = requests.get(
        f"http://127.0.0.1:{market.events_port}/nowhere", headers={"Accept-Language": "hi-IN, en;q=0.5"}, timeout=60
    )
    assert (answer.status_code, answer.headers["Content-Language"]) == (404, "hi")
    assert answer.json()["detail"] == "यह पता मौजूद नहीं है। इवेंट /events पर हैं।"
    assert answer.json()["code"] == "not_found"


def test_stream_tells_both_sides_of_request_and_no_other_account(market: RunningMarket, direct: OpenStream) -> None:
    admin, customer, other = market.admin(), market.visitor().sign_up(), market.visitor().sign_up()
    streams = {name: direct(who) for name, who in {"admin": admin, "customer": customer, "other": other}.items()}
    request = customer.post("/requests", request_for(admin), status=201)
    event = streams["customer"].wait_for("requests")
    assert (event["id"], event["version"]) == (request["id"], 1)
    assert streams["admin"].wait_for("requests")["id"] == request["id"]
    other.post("/requests", request_for(admin), status=201)
    streams["other"].wait_for("requests")
    assert [one["id"] for one in streams["customer"].events if one["topic"] == "requests"] == [request["id"]]
    assert request["id"] not in [one["id"] for one in streams["other"].events]


def test_stream_through_web_server_is_same_stream(market: RunningMarket, direct: OpenStream) -> None:
    customer = market.visitor().sign_up()
    stream = direct(customer, through=market.url(""))
    assert stream.headers["Content-Type"].startswith("text/event-stream")
    assert stream.headers["Cache-Control"] == "no-store"
    customer.post("/requests", request_for(market.admin()), status=201)
    assert stream.wait_for("requests")["version"] == 1


def test_stream_is_silent_about_change_that_is_refused(market: RunningMarket, direct: OpenStream) -> None:
    customer = market.visitor().sign_up()
    stream = direct(customer)
    body = {**request_for(market.admin()), "professional_id": 999_999}
    assert customer.post("/requests", body, status=422)["code"] == "professional_not_available"
    customer.post("/notifications/read", {"all": True})
    stream.wait_for("notifications")
    assert stream.topics() == {"notifications"}


@pytest.mark.parametrize("through_web", [False, True])
def test_stream_ends_with_sign_out(market: RunningMarket, direct: OpenStream, through_web: bool) -> None:
    customer = market.visitor().sign_up()
    stream = direct(customer, through=market.url("") if through_web else "")
    customer.post("/logout", status=204)
    assert stream.ended.wait(HANG_SECONDS)
    assert direct(customer).problem()["code"] == "session_ended"


def test_stream_ends_with_block_and_password_change(market: RunningMarket, direct: OpenStream) -> None:
    admin, customer = market.admin(), market.visitor().sign_up()
    elsewhere = market.visitor().sign_in(customer.account["username"])
    mine, theirs = direct(customer), direct(elsewhere)
    elsewhere.post("/me/password", {"current_password": PASSWORD, "password": "another password 99"}, status=204)
    assert mine.ended.wait(HANG_SECONDS)
    assert not theirs.ended.is_set()
    admin.post(f"/users/{customer.account['id']}/block", {"reason": "fraud"})
    assert theirs.ended.wait(HANG_SECONDS)
    assert direct(elsewhere).problem()["code"] == "account_blocked"


def test_stream_resumed_after_missed_events_says_resync(market: RunningMarket, direct: OpenStream) -> None:
    customer = market.visitor().sign_up()
    first = direct(customer)
    first.close()
    customer.post("/notifications/read", {"all": True})
    probe = direct(customer)
    customer.post("/notifications/read", {"all": True})
    probe.wait_for("notifications")
    assert direct(customer, last_event_id=first.last_id).wait_for("resync")
    assert any(resumes_quietly(customer, direct) for _ in range(5)), "an event of another account may come between"


def resumes_quietly(customer: Caller, direct: OpenStream) -> bool:
    """Return whether a stream that is resumed after the last event of all says nothing of missed ones."""
    before = direct(customer)
    customer.post("/notifications/read", {"all": True})
    before.wait_for("notifications")
    resumed = direct(customer, last_event_id=before.last_id)
    customer.post("/notifications/read", {"all": True})
    resumed.wait_for("notifications")
    before.close()
    resumed.close()
    return resumed.topics() == {"notifications"}


def test_streams_of_one_account_are_limited(market: RunningMarket, direct: OpenStream) -> None:
    customer = market.visitor().sign_up()
    streams = [direct(customer) for _ in range(11)]
    assert [stream.status for stream in streams] == [200] * 10 + [503]
    assert streams[-1].problem()["code"] == "too_many_streams"
    assert int(streams[-1].headers["Retry-After"]) > 0
    streams[0].close()
    wait_for(lambda: direct(customer).status == 200)


def test_two_hundred_streams_get_their_own_events(market: RunningMarket, direct: OpenStream) -> None:
    with ThreadPoolExecutor(4) as pool:
        customers = list(pool.map(lambda _: market.visitor().sign_up(), range(20)))
        streams = list(pool.map(direct, customers * 10))
    assert [stream.status for stream in streams] == [200] * 200
    for customer in customers:
        customer.post("/notifications/read", {"all": True})
    wait_for(lambda: all(stream.topics() == {"notifications"} for stream in streams))
    assert {len(stream.events) for stream in streams} == {1}


def test_streams_end_while_valkey_is_down_and_open_again(market: RunningMarket, direct: OpenStream) -> None:
    customer = market.visitor().sign_up()
    stream = direct(customer)
    market.valkey.stop()
    try:
        assert stream.ended.wait(HANG_SECONDS)
        refused = direct(customer)
        assert (refused.status, refused.problem()["code"]) == (503, "unavailable")
        customer.post("/notifications/read", {"all": True})
        ready = market.visitor().get("/readyz")
        assert (ready["status"], ready["events"]["state"]) == ("degraded", "down")
        assert "live updates runs, but has no connection to Valkey" in ready["detail"]
    finally:
        market.valkey.start()
    wait_for(lambda: direct(customer).status == 200)
    market.wait_until_ready()


def test_killed_process_of_streams_is_noticed_and_replaced(market: RunningMarket, direct: OpenStream) -> None:
    customer = market.visitor().sign_up()
    streams = [direct(customer), direct(customer, through=market.url(""))]
    program = market.programs["events"]
    assert program.process is not None
    processes.kill_group(program.process)
    program.process.wait()
    assert all(stream.ended.wait(HANG_SECONDS) for stream in streams)
    refused = direct(customer, through=market.url(""))
    assert (refused.status, refused.problem()["code"]) == (503, "unavailable")
    program.start()
    wait_for(lambda: direct(customer, through=market.url("")).status == 200)


def test_stopped_process_ends_streams_with_spread_retry(market: RunningMarket, direct: OpenStream) -> None:
    customers = [market.visitor().sign_up() for _ in range(5)]
    streams = [direct(customer) for customer in customers]
    program = market.programs["events"]
    assert program.process is not None
    program.process.terminate()
    assert program.process.wait(timeout=HANG_SECONDS) == 0
    assert all(stream.ended.wait(HANG_SECONDS) for stream in streams)
    assert len({stream.retry for stream in streams}) > 1
    program.start()
    wait_for(lambda: is_listening(market))


def test_metrics_count_open_streams_and_events(market: RunningMarket, direct: OpenStream) -> None:
    customer = market.visitor().sign_up()
    stream = direct(customer)
    customer.post("/notifications/read", {"all": True})
    stream.wait_for("notifications")
    text = market.visitor().get("/metrics").decode()
    figures = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    assert float(figures["event_streams"]) >= 1
    assert float(figures["events_sent_total"]) >= 1


def is_listening(market: RunningMarket) -> bool:
    try:
        probe = EventStream(f"http://127.0.0.1:{market.events_port}", None)
    except ConnectionError:
        return False
    probe.close()
    return probe.status == 401


def request_for(admin: Caller) -> dict[str, object]:
    """Return a request for some task, in a year in which nobody works."""
    tasks = admin.get("/tasks")["items"]
    if not tasks:
        task = {
            "name": "Window cleaning", "description": "Both sides", "category": "Home",
            "base_price": "499.00", "time_required": 60,
        }  # fmt: skip
        tasks = [admin.post("/tasks", task, status=201)]
    return {"task_id": tasks[0]["id"], "date_of_request": "2031-05-05T10:00:00+05:30"}
