"""Shift the clock of a Python process by CLOCK_SHIFT seconds: the interpreter imports it from PYTHONPATH."""

import os
from datetime import UTC, datetime, timedelta

import time_machine

time_machine.travel(datetime.now(UTC) + timedelta(seconds=float(os.environ["CLOCK_SHIFT"]))).start()
