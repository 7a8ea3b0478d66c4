"""Every route with every kind of caller: who may gets what the row says, everyone else the refusal of their letter."""

import re
from collections.abc import Iterator
from typing import Any, Final

import pytest
from flask import Flask

from tests.api.route_table import CALLERS, TABLE, Row
from tests.api.scene import Scene, staged
from tests.factories.files import form, picture

UNKNOWN: Final = "99999"
FILE: Final = picture(size=(240, 240))
REFUSALS: Final = {
    "T": (401, None),
    "B": (403, "account_blocked"),
    "P": (403, "not_active"),
    "R": (403, "role_not_allowed"),
    "N": (404, "not_found"),
}
METHODS: Final = {"GET", "POST", "PUT", "PATCH", "DELETE"}
PARAMETER: Final = re.compile(r"<(?:(\w+):)?(\w+)>")


@pytest.fixture(scope="module")
def scene(shared_app: Flask, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """The market that all calls are made on; calls that change it are followed by a restore."""
    with staged(shared_app, tmp_path_factory.mktemp("dist")) as built:
        yield built


def test_route_table_has_every_route_and_no_other(shared_app: Flask) -> None:
    served = {
        f"{method} {rule.rule}"
        for rule in shared_app.url_map.iter_rules()
        for method in (rule.methods or ())
        if method in METHODS
    }
    assert served - set(TABLE) == set(), "say in tests/api/route_table.py who may make these calls"
    assert set(TABLE) - served == set(), "these calls are gone: remove them from tests/api/route_table.py"


@pytest.mark.parametrize("name", TABLE)
def test_route_answers_each_caller_as_the_table_says(name: str, scene: Scene) -> None:
    """Those who may come last, each on the same market: what one changes is put back before the next."""
    row = TABLE[name]
    letters = dict(zip(CALLERS, row.gets, strict=True))
    wrong = []
    for caller in sorted(CALLERS, key=lambda caller: letters[caller] == "+"):
        response = call(name, row, scene, caller)
        if problem := mismatch(letters[caller], row, response):
            wrong.append(f"{caller}: {problem}")
        if letters[caller] == "+" and not name.startswith("GET "):
            scene.snapshot.restore()
    assert not wrong, "\n".join([name, *wrong])


@pytest.mark.parametrize("name", [name for name in TABLE if "<id:" in name and not name.startswith("GET /app/")])
def test_route_with_an_unknown_id_answers_404(name: str, scene: Scene) -> None:
    """For those who may see such an object at all. Pages, which are not JSON: test_public_pages.py."""
    row = TABLE[name]
    wrong = {}
    for caller, letter in zip(CALLERS, row.gets, strict=True):
        response = call(name, row, scene, caller, unknown=True)
        if letter == "+" and row.repeatable and response.status_code == row.status:
            continue
        if letter == "+" and (response.status_code, response.json["code"]) != REFUSALS["N"]:
            wrong[caller] = describe(response)
    assert not wrong


def call(name: str, row: Row, scene: Scene, caller: str, *, unknown: bool = False) -> Any:
    """Make the row's call; ``unknown``: with an id that nothing has in place of each id in the path."""
    method, rule = name.split(" ", 1)

    def value(found: re.Match[str]) -> str:
        converter, parameter = found.groups()
        if unknown and converter == "id":
            return UNKNOWN
        return str(scene.fill(row.path.get(parameter, f"${parameter}"), caller))

    options = (
        form(FILE, field=row.form, **scene.fill(row.json or {}, caller))
        if row.form
        else {}
        if row.json is None
        else {"json": scene.fill(row.json, caller)}
    )
    query = scene.fill(row.query, caller)
    who = scene.callers[caller]
    bearer = scene.known(caller).get(row.bearer) if row.bearer else who.token
    headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
    path = PARAMETER.sub(value, rule) + (f"?{query}" if query else "")
    return who.client.open(path, method=method, headers=headers, **options)


def mismatch(letter: str, row: Row, response: Any) -> str | None:
    """Return how a response differs from what the letter stands for, or None."""
    if letter == "+":
        expected: tuple[int, str | None] = (row.status, None)
        fits = response.status_code == row.status
    else:
        expected = REFUSALS[letter]
        fits = response.status_code == expected[0] and expected[1] in (None, response.json["code"])
    return None if fits else f"expected {expected}, got {describe(response)}"


def describe(response: Any) -> str:
    """Return status, code and field errors of a response."""
    problem = response.get_json(silent=True) or {}
    return f"{response.status_code} {problem.get('code')} {problem.get('errors') or problem.get('detail') or ''}"
