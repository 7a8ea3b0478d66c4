"""Calls of an open inbox that nobody touches, against the running product with a real browser.

Run: python -m benchmarks.idle_inbox [SECONDS]. Needs the built web application; prints a row for RESULTS.md.
"""

import sys
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from playwright.sync_api import Request

from tests.browser.chromium import chromium
from tests.browser.screen import PHONE, Screen
from tests.browser.test_pages import sign_in
from tests.factories.files import picture
from tests.harness.caller import PASSWORD, Caller
from tests.harness.market import RunningMarket

SECONDS = 180
GOAL = 1.0


def main(seconds: int) -> None:
    """Open the inbox, wait until it is quiet, then count what it asks for."""
    with TemporaryDirectory() as folder, chromium() as browser:
        market = RunningMarket(Path(folder))
        try:
            market.start()
            counted = measure(Screen(browser, market.url(""), viewport=PHONE), professional_of(market), seconds)
        finally:
            market.stop()
    for call, number in counted.most_common():
        print(f"{number:4}  {call}")
    a_minute = counted.total() * 60 / seconds
    fits = "yes" if a_minute < GOAL else "no"
    print(f"| idle open inbox: calls a minute | {a_minute:.2f} |  |  | below {GOAL:g} | {fits} | over {seconds} s |")


def professional_of(market: RunningMarket) -> Caller:
    """Return an approved professional."""
    admin, professional = market.admin(), market.visitor().sign_up("professional")
    proof = picture(size=(300, 200))
    professional.put("/me/document", files={"document": ("proof.png", proof, "image/png")})
    admin.post(f"/professionals/{professional.account['id']}/approve")
    task = {"name": "Idle repair", "category": "Repairs", "base_price": "349.00", "time_required": 60}
    made = admin.post("/tasks", {**task, "description": "By the hour"}, status=201)["id"]
    professional.patch("/me", {"task_ids": [made]})
    return professional


def measure(window: Screen, professional: Caller, seconds: int) -> Counter[str]:
    """Return the calls of the open page by method and path."""
    sign_in(window, professional.account["username"], PASSWORD)
    window.go("/inbox").wait_until_idle()
    calls: Counter[str] = Counter()

    def note(request: Request) -> None:
        calls[f"{request.method} {urlsplit(request.url).path}"] += 1

    window.page.on("request", note)
    window.page.wait_for_timeout(seconds * 1000)
    return calls


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else SECONDS)
