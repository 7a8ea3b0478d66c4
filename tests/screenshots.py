"""`make docs-screenshots`: take the documentation's screenshots from the demo, in Chromium."""

import argparse
import io
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from PIL import Image
from playwright.sync_api import Browser

from backend.launch import frontend
from backend.settings import ROOT
from tests.browser.chromium import chromium
from tests.browser.screen import PHONE, Screen
from tests.harness.caller import ADMIN_PASSWORD, Caller
from tests.harness.market import RunningMarket

IMAGES: Final = ROOT / "docs" / "images"
DESK: Final = {"width": 1200, "height": 800}
QUALITY: Final = 82
GAP: Final = 24
GROUND: Final = (244, 241, 234)
JOURNEY: Final = ("search-phone", "request-phone", "inbox-phone", "review-phone")
PUBLIC: Final = ("landing-phone", "search-phone", "task-phone", "profile-phone", "sign-in-phone")


@dataclass(frozen=True)
class Shot:
    """One screenshot: the role and the page."""

    name: str
    who: str
    path: str
    viewport: dict[str, int]


def shots(customer: Caller, day: str) -> Iterator[Shot]:
    """Return every picture; the pages of single requests are found through the API."""
    pincode = customer.get("/me")["pincode"]
    mine = customer.get("/requests", limit=50)["items"]
    done = max(mine, key=lambda one: (bool(one["reviewed"]), one["status"] in ("completed", "closed"), one["id"]))
    task = done["task_id"]
    word = done["task_name"].split()[0]
    pages = (
        ("landing", "visitor", "/"),
        ("search", "visitor", f"/search?q={word}&pincode={pincode}"),
        ("task", "visitor", f"/tasks/{task}?pincode={pincode}"),
        ("profile", "visitor", f"/professionals/{done['professional_id']}"),
        ("sign-in", "visitor", "/sign-in"),
        ("request", "customer", f"/tasks/{task}/ask"),
        ("requests", "customer", "/requests"),
        ("review", "customer", f"/requests/{done['id']}"),
        ("inbox", "professional", "/inbox"),
        ("agenda", "busy", f"/agenda?day={day}"),
        ("dashboard", "admin", "/admin"),
        ("approvals", "admin", "/admin/approvals"),
        ("jobs", "admin", "/admin/jobs"),
    )
    for name, who, path in pages:
        yield Shot(name, who, path, DESK)
        if f"{name}-phone" in (*JOURNEY, *PUBLIC):
            yield Shot(f"{name}-phone", who, path, PHONE)


def busiest(admin: Caller) -> tuple[str, str]:
    """Return the username of the professional with the most accepted requests in one week, and a day of that week."""
    accepted = admin.get("/requests?status=accepted", limit=100)["items"]
    days = [(one["professional_id"], date.fromisoformat(one["date_of_request"][:10])) for one in accepted]
    ((professional, week), _), *_ = Counter((who, day.isocalendar()[:2]) for who, day in days).most_common(1)
    return str(admin.get(f"/professionals/{professional}")["username"]), date.fromisocalendar(*week, 3).isoformat()


class ScreenshotSession:
    """Opens the application as each kind of user, once per size of window."""

    def __init__(self, browser: Browser, market: RunningMarket, accounts: dict[str, tuple[str, str]]) -> None:
        self.browser, self.market, self.accounts = browser, market, accounts
        self.screens: dict[tuple[str, int], Screen] = {}

    def take(self, shot: Shot) -> Image.Image:
        """Return the visible part of a page once it has settled."""
        screen = self.screens.get((shot.who, shot.viewport["width"]))
        if screen is None:
            screen = Screen(self.browser, self.market.url(""), viewport=shot.viewport)
            self.screens[shot.who, shot.viewport["width"]] = screen
            if shot.who in self.accounts:
                self.sign_in(screen, *self.accounts[shot.who])
        screen.go(shot.path)
        screen.page.locator("h1").first.wait_for()
        screen.wait_until_idle()
        return Image.open(io.BytesIO(screen.page.screenshot())).convert("RGB")

    def sign_in(self, screen: Screen, username: str, password: str) -> None:
        """Sign in by the form, as everyone does."""
        screen.go("/sign-in")
        screen.page.locator("input[autocomplete=username]").fill(username)
        screen.page.locator("input[autocomplete=current-password]").fill(password)
        screen.page.locator("form").get_by_role("button", name="Sign in", exact=True).click()
        screen.page.wait_for_url(re.compile(r"/app/(?!sign-in)"))


def side_by_side(parts: Sequence[Image.Image]) -> Image.Image:
    """Return the pictures of a phone in one row."""
    width = sum(part.width for part in parts) + GAP * (len(parts) + 1)
    whole = Image.new("RGB", (width, parts[0].height + 2 * GAP), GROUND)
    for number, part in enumerate(parts):
        whole.paste(part, (GAP + number * (part.width + GAP), GAP))
    return whole


def draw(market: RunningMarket, folder: Path) -> None:
    """Fill the marketplace with the demo and save every picture as WebP."""
    output = market.flask("demo")
    names = {kind: name for name, kind in re.findall(r"^  (\S+) +(customer|professional)$", output, re.MULTILINE)}
    (password,) = re.findall(r"password of all demo accounts: (\S+)$", output, re.MULTILINE)
    accounts = {
        "customer": (names["customer"], password),
        "professional": (names["professional"], password),
        "admin": ("admin", ADMIN_PASSWORD),
    }
    customer = market.visitor().sign_in(*accounts["customer"])
    busy, day = busiest(market.admin())
    accounts["busy"] = (busy, password)
    folder.mkdir(parents=True, exist_ok=True)
    with chromium() as browser:
        session = ScreenshotSession(browser, market, accounts)
        pictures = {shot.name: session.take(shot) for shot in shots(customer, day)}
    for name, row in (("journey", JOURNEY), ("public-phone", PUBLIC)):
        pictures[name] = side_by_side([pictures[each] for each in row])
    for name in pictures.keys() - {*JOURNEY, *PUBLIC}:
        pictures[name].save(folder / f"{name}.webp", quality=QUALITY, method=6)
        print(f"{name}.webp: {(folder / f'{name}.webp').stat().st_size // 1024} KiB")


def main() -> int:
    """Start a marketplace, draw, and end it."""
    parser = argparse.ArgumentParser(prog="make docs-screenshots", description=__doc__)
    parser.add_argument("--to", type=Path, default=IMAGES)
    given = parser.parse_args()
    frontend.build(print)
    with tempfile.TemporaryDirectory() as folder:
        market = RunningMarket(Path(folder))
        try:
            market.start()
            draw(market, given.to)
        finally:
            market.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
