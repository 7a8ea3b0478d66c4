"""Contributor tools: workflow files, pre-commit hooks, and the selection of affected tests."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.architecture.source import ROOT
from tests.changed import affected_tests, module_of

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("[!c]*.yml"))


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def targets() -> set[str]:
    lines = re.findall(r"^([a-z][a-z -]*):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    return {name for line in lines for name in line.split()}


@pytest.mark.parametrize(
    ("schema", "files"), [("vendor.github-workflows", WORKFLOWS), ("vendor.github-issue-forms", FORMS)]
)
def test_github_files_are_valid_against_their_schemas(schema: str, files: list[Path]) -> None:
    assert files
    program = Path(sys.executable).parent / "check-jsonschema"
    done = subprocess.run(
        [program, "--builtin-schema", schema, *files], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_github_workflow_runs_make_test_without_third_party_actions() -> None:
    commands = ""
    for path in WORKFLOWS:
        workflow = read(path)
        assert workflow["permissions"] == {"contents": "read"}
        steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
        assert [step for step in steps if "uses" in step] == [], "no third-party actions"
        assert "secrets." not in path.read_text()
        commands += "".join(f"{step['run']}\n" for step in steps)
    assert "make test\n" in commands
    assert ".ci/image-digests > images.env\n" in commands, "releases name their base images by digest"


@pytest.mark.parametrize(
    ("answer", "code"),
    [('{"digest": "sha256:' + "a" * 64 + '"}', 0), ('{"digest": "latest"}', 1), ("{}", 1), ("not found", 1)],
)
def test_image_digests_names_every_image_by_digest_or_fails(tmp_path: Path, answer: str, code: int) -> None:
    """Docker is replaced by a program that gives the registry's answer: there is no registry for tests."""
    docker = tmp_path / "docker"
    docker.write_text(f"#!/bin/sh\necho '{answer}'\n")
    docker.chmod(0o755)
    done = subprocess.run(
        [sys.executable, ROOT / ".ci" / "image-digests"], env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, bool(done.stdout)) == (code, code == 0), done.stderr
    if code == 0:
        found = dict(line.split("=", 1) for line in done.stdout.splitlines())
        files = [ROOT / name for name in ("Dockerfile", "docker-compose.yml", "compose.scale.yml")]
        assert set(found) == {name for file in files for name in re.findall(r"\b[A-Z]+_IMAGE\b", file.read_text())}
        assert all(re.fullmatch(r"[\w./-]+:[\w.-]+@sha256:[0-9a-f]{64}", image) for image in found.values())


def test_pre_commit_hooks_are_local_and_call_existing_programs() -> None:
    config = read(ROOT / ".pre-commit-config.yaml")
    assert [repo["repo"] for repo in config["repos"]] == ["local"]
    for hook in config["repos"][0]["hooks"]:
        assert hook["language"] == "system", hook["id"]
        program, *arguments = hook["entry"].split()
        if program == "make":
            assert arguments[0] in targets(), hook["id"]
        else:
            assert (ROOT / program).exists(), hook["id"]


def test_affected_tests_are_found_by_import_and_by_name(tmp_path: Path) -> None:
    files = {
        "tests/api/test_direct.py": "from backend.domain.tasks import queries\n",
        "tests/api/test_by_helper.py": "from tests.factories.tasks import a_task\n",
        "tests/factories/tasks.py": "from backend.domain.tasks.queries import find\n",
        "backend/api/resources/catalogue.py": "from backend.domain.tasks import queries\n",
        "tests/api/test_catalogue.py": "import json\n",
        "tests/api/test_queries_slow.py": "import json\n",
        "tests/api/test_tasks_slow.py": "import json\n",
        "tests/api/test_other.py": "from backend.domain.places import queries\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    found = affected_tests(["backend/domain/tasks/queries.py"], root=tmp_path)
    names = ("by_helper", "catalogue", "direct", "tasks_slow")
    assert found == [f"tests/api/test_{name}.py" for name in names]
    assert affected_tests(["backend/domain/tasks/models.py"], root=tmp_path) == ["tests/api/test_tasks_slow.py"]
    assert affected_tests(["tests/api/test_other.py"], root=tmp_path) == ["tests/api/test_other.py"]
    assert affected_tests(["README.md"], root=tmp_path) == []


def test_module_of_package_is_its_folder() -> None:
    assert module_of("backend/domain/tasks/__init__.py") == "backend.domain.tasks"
