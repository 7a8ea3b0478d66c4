"""Starts the process: `python -m backend.events`."""

import sys

from backend.events.server import main

if __name__ == "__main__":
    sys.exit(main())
