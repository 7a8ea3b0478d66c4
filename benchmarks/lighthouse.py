"""`make lighthouse`: Lighthouse's mobile preset over TLS and HTTP/2 on loopback, on a market filled by the demo.

Each page is measured several times, and the medians are printed. A machine that does other work meanwhile makes pages
slow: figures for RESULTS.md come from a quiet one.
"""

import argparse
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from backend.launch import frontend
from backend.launch.private_files import free_port
from backend.settings import ROOT
from tests.browser import chromium
from tests.harness.market import RunningMarket
from tests.waiting import wait_until

VERSION: Final = "13.5.0"
FOLDER: Final = ROOT / "build" / "lighthouse"
HOST: Final = "127.0.0.1"
CATEGORIES: Final = ("performance", "accessibility", "best-practices", "seo")
AUDITS: Final = {
    "CLS": "cumulative-layout-shift",
    "FCP ms": "first-contentful-paint",
    "LCP ms": "largest-contentful-paint",
    "TBT ms": "total-blocking-time",
}


def install() -> Path:
    """Install Lighthouse, which is heavy and needed for nothing else, outside of the application's own packages."""
    program = FOLDER / "node_modules" / ".bin" / "lighthouse"
    if not program.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        npm = shutil.which("npm", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
        if npm is None:
            raise SystemExit("npm is missing: run make install")
        packages = [f"lighthouse@{VERSION}", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts"]
        subprocess.run([npm, "install", "--prefix", str(FOLDER), *packages], cwd=FOLDER, check=True)
    return program


def certificate(folder: Path) -> tuple[Path, Path]:
    """Write a key and a certificate of its own for loopback, valid for a day."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(HOST))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "loopback.pem", folder / "loopback.key"
    paths[0].write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return paths


@contextmanager
def secure(market: RunningMarket) -> Iterator[str]:
    """Serve the market over TLS and HTTP/2 as well, as a proxy in front of it would; yields the address."""
    port = free_port(None)
    address = f"https://{HOST}:{port}"
    signed, key = certificate(market.folder)
    options = ["--interface", "wsgi", "--host", HOST, "--port", str(port), "--http", "auto", "--no-ws"]
    options += ["--ssl-certificate", str(signed), "--ssl-keyfile", str(key), "--workers", "1", "--log-level", "error"]
    process = subprocess.Popen(
        [sys.executable, "-m", "granian", "backend.wsgi:app", *options],
        env={**market.environment, "PUBLIC_URL": address, "PORT": str(port)},
        cwd=ROOT,
    )
    try:
        if not wait_until(lambda: _listens(port)):
            raise SystemExit("The web server over TLS did not start.")
        yield address
    finally:
        process.terminate()
        process.wait(timeout=20)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def measure(program: Path, url: str, folder: Path) -> Mapping[str, float]:
    """Return the figures of one run."""
    report = folder / "report.json"
    flags = " ".join([*chromium.ARGUMENTS, "--headless=new", "--ignore-certificate-errors"])
    done = subprocess.run(
        [
            str(program), url, "--quiet", "--output=json", f"--output-path={report}",
            f"--only-categories={','.join(CATEGORIES)}", f"--chrome-flags={flags}",
        ],
        env={**chromium.environment(), "CHROME_PATH": str(chromium.executable()), "PATH": _path()},
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise SystemExit(f"Lighthouse failed on {url}:\n{done.stdout}{done.stderr}")
    result: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    scores = {name: round(result["categories"][name]["score"] * 100) for name in CATEGORIES}
    return scores | {name: result["audits"][audit]["numericValue"] for name, audit in AUDITS.items()}


def _path() -> str:
    return f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"


def failed_audits(folder: Path) -> list[str]:
    """Return what keeps the categories other than performance below 100, from the last report."""
    result = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    names = {one["id"] for name in CATEGORIES[1:] for one in result["categories"][name]["auditRefs"] if one["weight"]}
    return sorted(name for name in names if _has_failed(result["audits"][name]))


def _has_failed(audit: Mapping[str, Any]) -> bool:
    return audit["scoreDisplayMode"] in ("binary", "numeric") and (audit["score"] or 0) < 1


def pages(market: RunningMarket) -> Mapping[str, str]:
    """Return the pages by name: the first of the tasks found, and the first of its professionals."""
    task = market.visitor().get("/search", limit=1)["items"][0]["id"]
    professional = market.admin().get(f"/tasks/{task}/professionals", limit=1)["items"][0]["id"]
    return {
        "landing": "/",
        "search": "/search",
        "task": f"/tasks/{task}",
        "profile": f"/professionals/{professional}",
        "sign-in": "/sign-in",
    }


def main() -> int:
    """`python -m benchmarks.lighthouse [--runs N] [page ...]`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pages", nargs="*", help="pages to measure; all by default")
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    program = install()
    frontend.build(print)
    columns = (*CATEGORIES, *AUDITS)
    with tempfile.TemporaryDirectory() as folder:
        market = RunningMarket(Path(folder))
        try:
            market.start()
            market.flask("demo")
            with secure(market) as address:
                print(f"| page | {' | '.join(columns)} |\n|---|{'---|' * len(columns)}", flush=True)
                for name, path in pages(market).items():
                    if arguments.pages and name not in arguments.pages:
                        continue
                    runs = [measure(program, f"{address}/app{path}", Path(folder)) for _ in range(arguments.runs)]
                    medians = [statistics.median(run[column] for run in runs) for column in columns]
                    print(f"| {name} | {' | '.join(f'{value:.4g}' for value in medians)} |", flush=True)
                    if failed := failed_audits(Path(folder)):
                        print(f"  {name}: {', '.join(failed)}", file=sys.stderr)
        finally:
            market.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
