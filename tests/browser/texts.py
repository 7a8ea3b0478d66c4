"""The texts of the web application, so that tests can find elements by their text without repeating it."""

import json
from functools import cache, reduce
from typing import Any

from tests.browser.chromium import FRONTEND


@cache
def _texts(name: str, language: str) -> dict[str, Any]:
    file = FRONTEND / "src" / "locales" / language / f"{name}.json"
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found


def text(key: str, language: str = "en") -> str:
    """Return one text, for example ``text("errors.wrong_code")``.

    Raises:
        KeyError: there is no such text.
    """
    name, *rest = key.split(".")
    found: Any = reduce(lambda texts, part: texts[part], rest, _texts(name, language))
    return str(found)
