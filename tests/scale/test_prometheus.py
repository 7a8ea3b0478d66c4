"""Prometheus reads every process of several machines, and its sums are those of the database."""

import json
from urllib.parse import quote

import pytest
import yaml

from tests.factories.requests import RequestMarket
from tests.factories.servers import free_port
from tests.scale.lab import Lab, find_program, get, needs
from tests.scale.load import Load
from tests.scale.test_rolling_upgrade import ask
from tests.waiting import wait_until

CALLS = 60
DONE = "SELECT count(*) FROM jobs WHERE done_at IS NOT NULL"
JOBS = 'sum(jobs_run_total{outcome="done"})'
CALLED = 'sum(http_requests_total{route="/requests",method="POST"})'


def start_prometheus(lab: Lab, targets: list[str]) -> str:
    """Start Prometheus, which reads these targets each second, and return its address."""
    configuration = lab.folder / "prometheus.yml"
    jobs = [{"job_name": "doorstep", "scrape_interval": "1s", "static_configs": [{"targets": targets}]}]
    configuration.write_text(yaml.safe_dump({"scrape_configs": jobs}))
    address = f"127.0.0.1:{free_port()}"
    command = [find_program("prometheus") or "", f"--config.file={configuration}"]
    command += [f"--storage.tsdb.path={lab.folder / 'series'}", f"--web.listen-address={address}"]
    process = lab.spawn("prometheus", command, {})
    lab.wait_for(process, lambda: get(f"http://{address}/-/ready")[0] == 200)
    return f"http://{address}"


def value(prometheus: str, query: str) -> float:
    """Return the value of a query with one result; 0 without any."""
    found = json.loads(get(f"{prometheus}/api/v1/query?query={quote(query)}")[1])["data"]["result"]
    return float(found[0]["value"][1]) if found else 0.0


@needs("prometheus")
@pytest.mark.long
def test_sums_over_all_machines_are_the_jobs_and_calls_that_were(lab: Lab, market: RequestMarket) -> None:
    """Two web machines and two worker machines; each job and each call is counted once."""
    market.professional()
    webs, workers = (
        [lab.machine(f"{kind}-{number}", METRICS_PORT=str(free_port())) for number in (1, 2)]
        for kind in ("web", "worker")
    )
    for machine in webs:
        machine.changes["PUBLIC_URL"] = webs[0].url
        machine.start("web")
    for machine in workers:
        machine.start("worker")
    targets = [f"127.0.0.1:{machine.port}" for machine in webs]
    prometheus = start_prometheus(
        lab, targets + [f"127.0.0.1:{machine.changes['METRICS_PORT']}" for machine in workers]
    )
    assert wait_until(lambda: value(prometheus, "sum(up)") == len(webs) + len(workers))
    created = 0
    for machine in webs:
        with Load(machine.url, [market.users.customer()], market.task_id) as load:
            load.wait_for_calls(CALLS)
        created += sum(answer.call == "create" for answer in load.answers)
    assert wait_until(lambda: ask(DONE) != 0)
    assert wait_until(lambda: value(prometheus, JOBS) == ask(DONE)), (value(prometheus, JOBS), ask(DONE))
    assert wait_until(lambda: value(prometheus, CALLED) == created), (value(prometheus, CALLED), created)
