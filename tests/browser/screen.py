"""A browser window for tests: user actions, expectations, and a check of each page with axe."""

import re
from pathlib import Path
from time import monotonic
from typing import Final, Self, TypedDict

from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Request, expect

from tests.browser.chromium import FRONTEND

AXE: Final = FRONTEND / "node_modules" / "axe-core" / "axe.min.js"
SCREENSHOTS: Final = Path(__file__).resolve().parent / "screenshots"
PHONE: Final = {"width": 360, "height": 780}
DESK: Final = {"width": 1440, "height": 900}
TIMEOUT_MS: Final = 40_000  # for what hangs; it says nothing about speed
expect.set_options(timeout=TIMEOUT_MS)
# Reka adds invisible focus proxies beside the toasts, which axe reports as unnamed controls (known upstream).
NOT_OURS: Final = ["div[role=region] > span[aria-hidden=true]"]
# Records the text of each toast, as on a slow machine it may disappear before it is checked.
TOASTS: Final = """
    window.toasts = []
    new MutationObserver((changes) => {
      for (const node of changes.flatMap((change) => [...change.addedNodes]))
        if (node instanceof HTMLLIElement && node.closest('[role=region] > ol'))
          window.toasts.push(node.textContent)
    }).observe(document, { childList: true, subtree: true })
"""
MESSAGES: Final = "[role=region] > ol"
NO_TOAST_CLOSE: Final = f":not({MESSAGES} [data-slot=close])"
POLL_MS: Final = 1_000
QUIET_SECONDS: Final = 0.5
# What axe says of elements that pass is a megabyte for a page: sending it takes five times as long as the checks.
RUN_AXE: Final = """
    async ([exclude, rules]) => {
      const context = { exclude: exclude.map((one) => [one]) }
      return (await axe.run(context, { runOnly: rules, resultTypes: ['violations'] })).violations
    }
"""
RULES: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


class Node(TypedDict):
    """A part of a page where axe found a fault."""

    target: list[str]
    failureSummary: str


class Violation(TypedDict):
    """A rule of axe, and where the page breaks it."""

    id: str
    nodes: list[Node]


class Screen:
    """A separate browser window with its own cookies."""

    def __init__(
        self,
        browser: Browser,
        base: str,
        *,
        viewport: dict[str, int],
        dark: bool = False,
        keeps_application: bool = False,
    ) -> None:
        self.base = base
        self.console_errors: list[str] = []
        self.foreign_requests: list[str] = []
        context = browser.new_context(
            viewport={"width": viewport["width"], "height": viewport["height"]},
            has_touch=viewport is PHONE,
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            locale="en-IN",
            timezone_id="Asia/Kolkata",
            # Requests that a service worker answers cannot be watched or refused by a test.
            service_workers="allow" if keeps_application else "block",
        )
        context.set_default_timeout(TIMEOUT_MS)
        context.add_init_script(TOASTS)
        self.page: Page = context.new_page()
        self.page.on("console", self._record_console)
        self.page.on("pageerror", lambda error: self.console_errors.append(f"error: {error}"))
        self.page.on("request", self._record_request)
        self._under_way: set[Request] = set()
        self.page.on("requestfinished", self._record_end)
        self.page.on("requestfailed", self._record_end)

    def go(self, path: str) -> Self:
        self.page.goto(f"{self.base}/app{path}")
        return self

    def fill(self, **fields: str) -> Self:
        """Type into fields by their labels (underscores for blanks)."""
        for label, value in fields.items():
            name = re.compile(rf"^{label.replace('_', ' ')}", re.IGNORECASE)
            self.page.get_by_label(name).first.fill(value)
        return self

    def button(self, name: str) -> Locator:
        """Return the buttons of that name but those that close a toast: "Close" may be there before the page's own."""
        return self.page.get_by_role("button", name=name, exact=True).and_(self.page.locator(NO_TOAST_CLOSE))

    def press(self, name: str) -> Self:
        self.page.evaluate("window.toasts = []")  # later toasts belong to this click
        self.button(name).first.click()
        return self

    def follow(self, name: str | re.Pattern[str]) -> Self:
        self.page.get_by_role("link", name=name).first.click()
        return self

    def expect_text(self, words: str | re.Pattern[str]) -> Self:
        """Wait until the page shows the text or a toast has shown it since the last press."""
        shown, until = self.page.get_by_text(words).first, monotonic() + TIMEOUT_MS / 1000
        while monotonic() < until:
            try:
                expect(shown).to_be_visible(timeout=POLL_MS)
            except AssertionError:
                if not any(_matches(words, toast) for toast in self.page.evaluate("window.toasts ?? []")):
                    continue
            return self
        expect(shown).to_be_visible(timeout=POLL_MS)
        return self

    def go_offline(self) -> Self:
        """Go offline once a signed-in user's page has loaded completely, with what shows messages over it."""
        expect(self.page.locator(MESSAGES)).to_be_attached()  # loaded when the browser is idle
        self.wait_until_idle()
        self.page.context.set_offline(True)
        return self

    def wait_until_idle(self) -> None:
        """Wait until nothing was loaded for a moment, whether or not a stream of live updates is open."""
        self.page.wait_for_load_state("load")
        until, quiet_since = monotonic() + TIMEOUT_MS / 1000, monotonic()
        while monotonic() - quiet_since < QUIET_SECONDS:
            assert monotonic() < until, [request.url for request in self._under_way]
            self.page.wait_for_timeout(50)  # also lets the page's own events arrive
            if self._under_way:
                quiet_since = monotonic()

    def expect_path(self, path: str) -> Self:
        expect(self.page).to_have_url(
            re.compile(re.escape(f"{self.base}/app{path}") + r"([?#].*)?$"), timeout=TIMEOUT_MS
        )
        return self

    def inspect(self, name: str) -> Self:
        """Check accessibility with axe, the width, console errors and calls to other hosts, and take a screenshot."""
        self.wait_until_idle()
        expect(self.page.locator("h1").first).to_be_visible(timeout=TIMEOUT_MS)
        self._screenshot(name)
        found = self._axe()
        assert not found, f"{name}: {found}"
        wider = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wider <= 0, f"{name} is {wider} px wider than the screen"
        assert not self.console_errors, f"{name}: {self.console_errors}"
        assert not self.foreign_requests, f"{name} calls other hosts: {self.foreign_requests}"
        return self

    def close(self) -> None:
        self.page.context.close()

    def _axe(self) -> list[str]:
        self.page.evaluate(AXE.read_text(encoding="utf-8"))
        violations: list[Violation] = self.page.evaluate(RUN_AXE, [NOT_OURS, RULES])
        return [
            f"{violation['id']} at {node['target']}: {node['failureSummary']}"
            for violation in violations
            for node in violation["nodes"]
        ]

    def _screenshot(self, name: str) -> None:
        SCREENSHOTS.mkdir(exist_ok=True)
        width = (self.page.viewport_size or DESK)["width"]
        self.page.screenshot(path=SCREENSHOTS / f"{name.replace(' ', '-')}-{width}.png")

    def _record_console(self, message: ConsoleMessage) -> None:
        refused = "Failed to load resource" in message.text  # an API error that the page shows itself
        if message.type == "error" and not refused:
            self.console_errors.append(message.text)

    def _record_request(self, request: Request) -> None:
        if not request.url.endswith("/events"):
            self._under_way.add(request)
        if not request.url.startswith((self.base, "data:", "blob:")):
            self.foreign_requests.append(request.url)

    def _record_end(self, request: Request) -> None:
        self._under_way.discard(request)


def _matches(words: str | re.Pattern[str], toast: str) -> bool:
    return bool(words.search(toast)) if isinstance(words, re.Pattern) else words.casefold() in toast.casefold()
