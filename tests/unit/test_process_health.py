"""Health checks of job processes, while the database does not answer."""

import pytest

from backend.launch import process_health
from tests.factories.servers import free_port


@pytest.mark.parametrize(("options", "code"), [([], 1), (["--if-reachable"], 0)])
def test_unreachable_database_fails_only_the_strict_check(
    options: list[str], code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"postgresql://a:b@127.0.0.1:{free_port()}/none")
    assert process_health.main(["worker", *options]) == code
    assert "refused" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["nobody"], ["worker", "--maybe"]])
def test_wrong_arguments_print_the_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert process_health.main(arguments) == 2
    assert "web|worker|beat|events [--if-reachable]" in capsys.readouterr().err
