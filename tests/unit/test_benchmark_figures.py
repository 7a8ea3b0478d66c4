"""What a benchmark reports as slower than the last kept result."""

from pathlib import Path

import pytest

from benchmarks import figures
from benchmarks.figures import Figure


def rate(ratio: float | None) -> Figure:
    return Figure("lists", 100.0, 100.0, ratio, 0.7)


def growth(ratio: float) -> Figure:
    return Figure("search grows", 100.0, 100.0, ratio, 1.3, "s", at_most=True)


@pytest.mark.parametrize(
    ("figure", "before", "slower"),
    [
        (rate(0.70), 0.80, True),
        (rate(0.74), 0.80, False),
        (rate(1.60), 0.80, False),
        (rate(None), 0.80, False),
        (rate(0.10), None, False),
        (growth(1.40), 1.20, True),
        (growth(1.30), 1.20, False),
        (growth(0.60), 1.20, False),
        (growth(0.014), 0.01, False),  # a kept ratio of 0.01 may have been 0.0149
    ],
)
def test_slower_is_a_ratio_worse_by_more_than_a_tenth(figure: Figure, before: float | None, slower: bool) -> None:
    assert figures.slower(figure, than=before) is slower


def test_benchmarks_name_what_became_slower_than_the_kept_results(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(figures, "RESULTS", tmp_path / "RESULTS.md")
    figures.keep([rate(0.80), growth(1.0)])
    assert figures.kept_ratios() == {"lists": 0.80, "search grows": 1.0}
    figures.run([rate(0.60), growth(1.05)])
    assert capsys.readouterr().out.endswith(f"{figures.WORSE}\n  lists: ratio 0.60, it was 0.80\n")
    figures.run([rate(0.60), growth(1.05)])
    assert capsys.readouterr().out.endswith(f"{figures.NOTHING_WORSE}\n")
