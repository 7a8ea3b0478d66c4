"""`python -m backend.launch.health URL`: exit code 0 when the address answers 200. For health checks of containers."""

import sys
import urllib.error
import urllib.request


def answers(url: str, *, seconds: float = 5.0) -> bool:
    """Whether a GET of this address is answered with 200 in time."""
    if not url.startswith(("http://", "https://")):
        raise ValueError(f"not a web address: {url}")
    try:
        with urllib.request.urlopen(url, timeout=seconds) as answer:  # noqa: S310 - the scheme was checked
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError, ValueError):
        return False


if __name__ == "__main__":
    sys.exit(0 if len(sys.argv) == 2 and answers(sys.argv[1]) else 1)
