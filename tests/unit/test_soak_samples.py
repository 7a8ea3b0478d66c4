"""A soak run names what grows, and neither waves, warm-ups nor processes that came and went."""

import math

import pytest

from tests.chaos.samples import Samples, Series, grows

MINUTES = 30


def measured(value_at: dict[int, float]) -> Series:
    return [(minute * 60.0, value) for minute, value in value_at.items()]


def found(measure: str, series: Series) -> list[str]:
    samples = Samples(series={(measure, "one-web 7"): series})
    return list(grows(samples.kept(warm_up=600, until=MINUTES * 60)))


@pytest.mark.parametrize(("measure", "an_hour"), [("memory", 60.0), ("valkey", 60.0), ("descriptors", 40.0)])
def test_series_that_grows_is_named_with_its_limit(measure: str, an_hour: float) -> None:
    (line,) = found(measure, measured({minute: 100 + an_hour * minute / 60 for minute in range(MINUTES + 1)}))
    assert line.startswith(f"{measure} of one-web 7: +")
    assert "at most" in line


def test_waves_and_warm_up_are_no_growth() -> None:
    assert found("memory", measured({minute: 100 + 10 * math.sin(minute) for minute in range(MINUTES + 1)})) == []
    assert found("memory", measured({minute: 50.0 + 10 * min(minute, 9) for minute in range(MINUTES + 1)})) == []


def test_process_that_ended_early_is_left_out() -> None:
    assert found("memory", measured({minute: 10.0 * minute for minute in range(18)})) == []
