"""The admin's page of jobs has a text for every job and every housekeeping part."""

import json

from backend.jobs import housekeeping, schedule
from tests.architecture.source import ROOT

WORDS = json.loads((ROOT / "frontend/src/locales/en/jobs.json").read_text(encoding="utf-8"))


def test_housekeeping_parts_have_a_text_on_jobs_page() -> None:
    assert {part.name for part in housekeeping.PARTS} <= set(WORDS["figures"])


def test_scheduled_jobs_have_a_name_and_description_on_jobs_page() -> None:
    names = {row.name for row in schedule.TABLE}
    assert names <= set(WORDS["names"])
    assert names <= set(WORDS["does"])
