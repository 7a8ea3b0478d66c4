"""The running product with its web application built, and browser windows on it."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser

from backend.launch import frontend
from tests.browser.chromium import chromium
from tests.browser.screen import DESK, Screen
from tests.harness.fixtures import market
from tests.harness.market import RunningMarket

__all__ = ["market"]
OpenScreen = Callable[..., Screen]


@pytest.fixture(scope="session")
def built() -> None:
    """Build the web application once if its sources changed."""
    frontend.build(print)


@pytest.fixture(scope="session")
def browser(built: None) -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture
def screen(browser: Browser, market: RunningMarket) -> Iterator[OpenScreen]:
    """Return a function that opens windows, which are closed after the test."""
    opened: list[Screen] = []

    def open_screen(*, viewport: dict[str, int] = DESK, dark: bool = False, keeps_application: bool = False) -> Screen:
        window = Screen(browser, market.url(""), viewport=viewport, dark=dark, keeps_application=keeps_application)
        opened.append(window)
        return opened[-1]

    yield open_screen
    for one in opened:
        one.close()
