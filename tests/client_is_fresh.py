"""Compares the committed typed client with the one generated from openapi.json: `python -m tests.client_is_fresh`."""

import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.waiting import HANG_SECONDS

FRONTEND: Final = Path(__file__).resolve().parents[1] / "frontend"
GENERATED: Final = FRONTEND / "src" / "shared" / "api" / "generated"
NPM: Final = Path(sys.executable).parent / "npm"


def client() -> dict[str, bytes]:
    """Return the content of every generated file by its name."""
    return {str(path.relative_to(GENERATED)): path.read_bytes() for path in GENERATED.rglob("*") if path.is_file()}


def main() -> int:
    """Return 0 if nothing differs; the committed files are restored."""
    committed = client()
    subprocess.run([NPM, "run", "--silent", "api"], cwd=FRONTEND, check=True, timeout=HANG_SECONDS)
    made = client()
    for name, content in committed.items():
        (GENERATED / name).write_bytes(content)
    for name in made.keys() - committed.keys():
        (GENERATED / name).unlink()
    stale = sorted(name for name in made.keys() | committed.keys() if made.get(name) != committed.get(name))
    if stale:
        print(f"The typed client is stale ({', '.join(stale)}). Run: make generate")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
