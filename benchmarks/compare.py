"""`make bench-compare REF=commit`: the same calls on this checkout and on an earlier commit, by turns.

Each side is a server of its own with a database of the small scale. A ratio below 1 means that this checkout answers
fewer calls a second than the commit did.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks import lists, load, search, servers

ROOT: Final = Path(__file__).resolve().parent.parent
ROUNDS: Final = 5
SECONDS: Final = 3.0
CACHED: Final = ("/search?pincode=560001", "/tasks")


@dataclass(frozen=True, slots=True)
class Side:
    """A running server and the tokens that its lists are read with."""

    port: int
    tokens: dict[str, str]


def serve() -> None:
    """Start a server on this checkout's small market, say where on standard output, and end with standard input."""
    with search.stand("small", CACHE_SECONDS="1") as ready:
        tokens = {path: lists._token(ready, path) for path in lists.LISTS}  # noqa: SLF001 - its name in any commit
        with servers.web("backend.wsgi:app", ready.env) as port:
            print(json.dumps({"port": port, "tokens": tokens}), flush=True)
            sys.stdin.read()


@contextmanager
def side(checkout: Path, folder: Path) -> Iterator[Side]:
    """A server of a checkout; its market is made the first time."""
    here = str(Path(__file__).resolve())  # an earlier commit need not have this file
    code = f"import runpy, sys; sys.argv = ['compare', 'serve']; runpy.run_path({here!r}, run_name='__main__')"
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=checkout,
        env={**os.environ, "BENCH_DIR": str(folder), "PYTHONPATH": str(checkout)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        for line in process.stdout or ():
            if line.startswith('{"port"'):
                yield Side(**json.loads(line))
                break
        else:
            raise RuntimeError(f"the server of {checkout} did not start")
    finally:
        if process.stdin:
            process.stdin.close()
        process.wait(timeout=60)


def calls(of: Side) -> dict[str, list[bytes]]:
    """What is measured, by name."""
    found = {f"GET {path}": [load.get(path)] for path in CACHED}
    for kind in search.KINDS:
        found[f"search {kind}, not cached"] = [load.get(path) for path in search.addresses(kind)]
    for path in lists.LISTS:
        found[f"GET {path}"] = [load.get(path, Authorization=f"Bearer {of.tokens[path]}")]
    return found


def compare(ours: Side, theirs: Side) -> bool:
    """Print calls a second of both and the median ratio of five pairs; whether none is below 1 / 1.05."""
    others, fine = calls(theirs), True
    for name, requests in calls(ours).items():
        for each, wanted in ((ours, requests), (theirs, others[name])):
            load.run(each.port, wanted, seconds=1)
        ratios, rates = [], []
        for number in range(ROUNDS):
            rate = {}
            for each in (ours, theirs) if number % 2 else (theirs, ours):
                wanted = requests if each is ours else others[name]
                rate[each.port] = load.run(each.port, wanted, seconds=SECONDS).rate
            ratios.append(rate[ours.port] / rate[theirs.port])
            rates.append(rate[ours.port])
        ratio = statistics.median(ratios)
        fine = fine and ratio >= 1 / 1.05
        spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
        print(f"{name:44} {statistics.median(rates):9.0f}/s   {ratio:5.2f}   ({spread})", flush=True)
    return fine


def _git(*arguments: str) -> None:
    subprocess.run([shutil.which("git") or "git", *arguments], cwd=ROOT, check=True)


def main(ref: str) -> int:
    """Compare this checkout with a commit."""
    with tempfile.TemporaryDirectory(prefix="doorstep-compare-") as temporary:
        earlier = Path(temporary) / "checkout"
        _git("worktree", "add", "--quiet", "--detach", str(earlier), ref)
        try:
            with (
                side(earlier, Path(temporary) / "before") as theirs,
                side(ROOT, Path(temporary) / "now") as ours,
            ):
                return 0 if compare(ours, theirs) else 1
        finally:
            _git("worktree", "remove", "--force", str(earlier))


if __name__ == "__main__":
    if sys.argv[1:] == ["serve"]:
        serve()
    else:
        sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "HEAD~1"))
