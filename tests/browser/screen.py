"""One person's window: does what people do, and looks at each page with axe."""

import re
from pathlib import Path
from time import monotonic
from typing import Any, Final, Self

from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Request, expect

from tests.browser.chromium import FRONTEND

AXE: Final = FRONTEND / "node_modules" / "axe-core" / "axe.min.js"
SHOTS: Final = Path(__file__).resolve().parent / "screenshots"
PHONE: Final = {"width": 360, "height": 780}
DESK: Final = {"width": 1440, "height": 900}
PATIENCE_MS: Final = 120_000  # a bound for what hangs, not a claim about speed
expect.set_options(timeout=PATIENCE_MS)
# Reka's toasts put invisible focus proxies beside their region, which axe takes for unnamed controls (known upstream).
NOT_OURS: Final = ["div[role=region] > span[aria-hidden=true]"]
# Notes the text of each toast, which on a slow machine may be gone again before anyone looks.
TOASTS: Final = """
    window.toasts = []
    new MutationObserver((changes) => {
      for (const node of changes.flatMap((change) => [...change.addedNodes]))
        if (node instanceof HTMLLIElement && node.closest('[role=region] > ol'))
          window.toasts.push(node.textContent)
    }).observe(document, { childList: true, subtree: true })
"""
GLANCE_MS: Final = 1_000
RULES: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


class Screen:
    """A browser window of its own, with its own cookies."""

    def __init__(self, browser: Browser, base: str, *, viewport: dict[str, int], dark: bool = False) -> None:
        self.base = base
        self.complaints: list[str] = []
        self.strangers: list[str] = []
        context = browser.new_context(
            viewport={"width": viewport["width"], "height": viewport["height"]},
            has_touch=viewport is PHONE,
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            locale="en-IN",
            timezone_id="Asia/Kolkata",
        )
        context.set_default_timeout(PATIENCE_MS)
        context.add_init_script(TOASTS)
        self.page: Page = context.new_page()
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        self.page.on("request", self._watch)

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
        return self.page.get_by_role("button", name=name, exact=True)

    def press(self, name: str) -> Self:
        self.page.evaluate("window.toasts = []")  # what is said from here on answers to this
        self.button(name).first.click()
        return self

    def follow(self, name: str | re.Pattern[str]) -> Self:
        self.page.get_by_role("link", name=name).first.click()
        return self

    def sees(self, words: str | re.Pattern[str]) -> Self:
        """The words show on the page, in time, or a toast said them since the last press."""
        shown, until = self.page.get_by_text(words).first, monotonic() + PATIENCE_MS / 1000
        while monotonic() < until:
            try:
                expect(shown).to_be_visible(timeout=GLANCE_MS)
            except AssertionError:
                if not any(_matches(words, toast) for toast in self.page.evaluate("window.toasts ?? []")):
                    continue
            return self
        expect(shown).to_be_visible(timeout=GLANCE_MS)
        return self

    def goes_offline(self) -> Self:
        """Lose the connection, once the parts that load after the page are there."""
        self.page.wait_for_load_state("networkidle")
        self.page.context.set_offline(True)
        return self

    def stands_at(self, path: str) -> Self:
        expect(self.page).to_have_url(
            re.compile(re.escape(f"{self.base}/app{path}") + r"([?#].*)?$"), timeout=PATIENCE_MS
        )
        return self

    def look(self, name: str) -> Self:
        """Axe finds nothing, nothing is wider than the screen, nothing broke and nobody else was asked."""
        self.page.wait_for_load_state("networkidle")
        expect(self.page.locator("h1").first).to_be_visible(timeout=PATIENCE_MS)
        self._shoot(name)
        found = self._axe()
        assert not found, f"{name}: {found}"
        wider = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wider <= 0, f"{name} is {wider} px wider than the screen"
        assert not self.complaints, f"{name}: {self.complaints}"
        assert not self.strangers, f"{name} asks others: {self.strangers}"
        return self

    def close(self) -> None:
        self.page.context.close()

    def _axe(self) -> list[str]:
        self.page.evaluate(AXE.read_text(encoding="utf-8"))
        result: dict[str, Any] = self.page.evaluate(
            "([exclude, rules]) => axe.run({exclude: exclude.map((one) => [one])}, {runOnly: rules})", [NOT_OURS, RULES]
        )
        return [
            f"{violation['id']} at {node['target']}: {node['failureSummary']}"
            for violation in result["violations"]
            for node in violation["nodes"]
        ]

    def _shoot(self, name: str) -> None:
        SHOTS.mkdir(exist_ok=True)
        width = (self.page.viewport_size or DESK)["width"]
        self.page.screenshot(path=SHOTS / f"{name.replace(' ', '-')}-{width}.png")

    def _hear(self, message: ConsoleMessage) -> None:
        refused = "Failed to load resource" in message.text  # a refusal by the API that the page shows in its own words
        if message.type == "error" and not refused:
            self.complaints.append(message.text)

    def _watch(self, request: Request) -> None:
        if not request.url.startswith((self.base, "data:", "blob:")):
            self.strangers.append(request.url)


def _matches(words: str | re.Pattern[str], said: str) -> bool:
    return bool(words.search(said)) if isinstance(words, re.Pattern) else words.casefold() in said.casefold()
