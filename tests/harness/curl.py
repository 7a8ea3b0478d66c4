#!/usr/bin/env python3
"""The part of curl that the README's commands use, for machines without it."""

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
    given = parser.parse_args()
    pairs = [tuple(part.split("=", 1)) for part in given.form]
    answer = requests.request(
        given.method or ("POST" if given.data is not None or pairs else "GET"),
        given.url,
        headers=dict(header.split(": ", 1) for header in given.headers),
        data=given.data.encode() if given.data is not None else [pair for pair in pairs if not pair[1].startswith("@")],
        files={name: Path(value[1:]).open("rb") for name, value in pairs if value.startswith("@")} or None,  # noqa: SIM115 - the program ends after sending
        timeout=HANG_SECONDS,
    )
    if given.fail and answer.status_code >= 400:
        sys.stderr.write(f"curl: the response was {answer.status_code}: {answer.text}\n")
        return 22
    Path(given.output).write_bytes(answer.content) if given.output else sys.stdout.write(answer.text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
