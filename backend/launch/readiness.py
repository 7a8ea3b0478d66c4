"""`python -m backend.launch.readiness URL [PART]`: exit code 0 when it answers 200, or says that PART is up."""

import json
import sys
import urllib.error
import urllib.request
from typing import Any


def answers(url: str, *, seconds: float = 5.0) -> bool:
    """Whether a GET of this address is answered with 200 in time."""
    if not url.startswith(("http://", "https://")):
        raise ValueError(f"not a web address: {url}")
    try:
        with urllib.request.urlopen(url, timeout=seconds) as answer:  # noqa: S310 - the scheme was checked
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError, ValueError):
        return False


def is_ready(url: str) -> bool:
    """Whether every part works; the web server answers calls before that."""
    return _readiness(url).get("status") == "ready"


def is_up(url: str, part: str) -> bool:
    """Whether /readyz at this address says that one part works."""
    state = _readiness(url).get(part)
    return isinstance(state, dict) and state.get("state") == "up"


def _readiness(url: str, *, seconds: float = 5.0) -> dict[str, Any]:
    if not url.startswith(("http://", "https://")):
        raise ValueError(f"not a web address: {url}")
    try:
        with urllib.request.urlopen(url, timeout=seconds) as answer:  # noqa: S310 - the scheme was checked
            said = json.load(answer)
    except (urllib.error.URLError, OSError, ValueError):
        return {}
    return said if isinstance(said, dict) else {}


def main(arguments: list[str]) -> int:
    if len(arguments) == 2:
        return 0 if is_up(*arguments) else 1
    return 0 if len(arguments) == 1 and answers(arguments[0]) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
