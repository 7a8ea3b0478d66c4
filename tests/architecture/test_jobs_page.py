"""What jobs note of themselves has words on the admin's page of jobs."""

import json

from backend.jobs import housekeeping, schedule
from tests.architecture.source import ROOT

WORDS = json.loads((ROOT / "frontend/src/locales/en/jobs.json").read_text(encoding="utf-8"))


def test_each_part_of_housekeeping_has_a_figure_in_words() -> None:
    assert {part.name for part in housekeeping.PARTS} <= set(WORDS["figures"])


def test_each_scheduled_job_has_a_name_and_says_what_it_does() -> None:
    names = {row.name for row in schedule.TABLE}
    assert names <= set(WORDS["names"])
    assert names <= set(WORDS["does"])
