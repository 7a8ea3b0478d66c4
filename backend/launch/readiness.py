"""`python -m backend.launch.readiness URL [PART]`: exit with 0 if the URL answers 200, or reports PART as up."""

import json
import sys
import urllib.error
import urllib.request


def answers(url: str, *, seconds: float = 5.0) -> bool:
    """Return whether a GET of this URL answers 200 in time."""
    if not url.startswith(("http://", "https://")):
        raise ValueError(f"not a web address: {url}")
    try:
        with urllib.request.urlopen(url, timeout=seconds) as answer:  # noqa: S310 - the scheme was checked
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError, ValueError):
        return False


def is_ready(url: str) -> bool:
    """Return whether every part works; the web server serves calls before that."""
    return _readiness(url).get("status") == "ready"


def is_up(url: str, part: str) -> bool:
    """Return whether /readyz at this URL reports one part as up."""
    state = _readiness(url).get(part)
    return isinstance(state, dict) and state.get("state") == "up"


def _readiness(url: str, *, seconds: float = 5.0) -> dict[str, object]:
    if not url.startswith(("http://", "https://")):
        raise ValueError(f"not a web address: {url}")
    try:
        with urllib.request.urlopen(url, timeout=seconds) as answer:  # noqa: S310 - the scheme was checked
            found = json.load(answer)
    except (urllib.error.URLError, OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def main(arguments: list[str]) -> int:
    if len(arguments) == 2:
        return 0 if is_up(*arguments) else 1
    return 0 if len(arguments) == 1 and answers(arguments[0]) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
