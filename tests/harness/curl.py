#!/usr/bin/env python3
"""As much of curl as the README's example uses, for a machine without it."""

import argparse
import sys
from pathlib import Path

import requests

from tests.waiting import HANG_SECONDS


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--silent", action="store_true")
    parser.add_argument("--show-error", action="store_true")
    parser.add_argument("--fail", action="store_true")
    parser.add_argument("-X", dest="method")
    parser.add_argument("-H", dest="headers", action="append", default=[])
    parser.add_argument("-d", dest="data")
    parser.add_argument("-F", dest="form", action="append", default=[])
    parser.add_argument("-o", dest="output")
    parser.add_argument("url")
    asked = parser.parse_args()
    pairs = [tuple(part.split("=", 1)) for part in asked.form]
    answer = requests.request(
        asked.method or ("POST" if asked.data is not None or pairs else "GET"),
        asked.url,
        headers=dict(header.split(": ", 1) for header in asked.headers),
        data=asked.data.encode() if asked.data is not None else [pair for pair in pairs if not pair[1].startswith("@")],
        files={name: Path(value[1:]).open("rb") for name, value in pairs if value.startswith("@")} or None,  # noqa: SIM115 - sent, then we end
        timeout=HANG_SECONDS,
    )
    if asked.fail and answer.status_code >= 400:
        sys.stderr.write(f"curl: the answer was {answer.status_code}: {answer.text}\n")
        return 22
    Path(asked.output).write_bytes(answer.content) if asked.output else sys.stdout.write(answer.text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
