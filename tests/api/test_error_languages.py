"""Errors are in the language of Accept-Language, and each field error has a code and parameters."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from backend.core.sentences import LOG, identify
from backend.core.text_tables import languages
from tests.architecture.source import BACKEND, modules, shown, tree
from tests.factories.users import Users

HINDI = {"Accept-Language": "hi"}
# Sentences for logs, the delivery log and the API document, which are in English.
NOT_ERRORS = re.compile(
    r"Names the unavailable|A date \(2026|The former name|The document that was reviewed|Lower one of these"
    r"|The mail server's certificate|Cancelled by an admin|Another (?:worker|process) is|The worker stopped"
    r"|The message had expired|The visit has started, or was"
    r"|The process of live updates, where|What may be done about"
    r"|All the notifications|The daily limit of|The file storage was|Spans are not sent: "
)
ELSEWHERE = ("cli", "launch", "migrations", "jobs", "events", "openapi", "channels", "lifecycle.py", "dashboard.py")
SENTENCE = re.compile(r"[A-Z0-9][^\n]* [^\n]*\.")


def sentences() -> Iterator[tuple[str, str]]:
    """Return every sentence in the source that is no docstring, with a placeholder's value where one is filled in."""
    for path in modules():
        if set(path.relative_to(BACKEND).parts) & set(ELSEWHERE):
            continue
        for text in spoken(path):
            yield shown(path), text


def spoken(path: Path) -> Iterator[str]:
    """Return the sentences of one file."""
    nodes = list(ast.walk(tree(path)))
    bodies = [
        node.body
        for node in nodes
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Module))
    ]
    skipped = {id(body[0].value) for body in bodies if body and isinstance(body[0], ast.Expr)}
    skipped |= {id(part) for node in nodes if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in nodes:
        if id(node) not in skipped and (text := _text(node)) and SENTENCE.fullmatch(text):
            yield text


def _text(node: ast.AST) -> str | None:
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "Admin" for part in node.values)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def test_every_error_of_the_source_has_a_code() -> None:
    found = list(sentences())
    assert ("backend/api/schemas/common.py", "Must be a file.") in found
    missing = [one for one in found if identify(one[1]) is None and not NOT_ERRORS.match(one[1])]
    assert not missing, "add them to backend/texts/*/errors.toml"


def test_every_sentence_of_the_delivery_log_has_a_code() -> None:
    """What providers answered stays as it is."""
    for folder in ("channels", "delivery.py", "visit_check.py", "sms_limits.py"):
        path = BACKEND / "domain" / "notifications" / folder
        for file in path.glob("*.py") if path.is_dir() else [path]:
            texts = {text for text in spoken(file) if identify(text) is None and not text.startswith("The row of")}
            missing = [text for text in texts if identify(text, LOG) is None]
            assert not missing, f"add them to backend/texts/*/log.toml ({file.name})"


def test_titles_of_jobs_are_in_the_language_of_the_reader(users: Users) -> None:
    admin = users.admin()
    english = admin.get("/jobs").json["items"]
    answer = admin.get("/jobs", headers={"Accept-Language": "hi"})
    assert answer.headers["Content-Language"] == "hi"
    titles = {job["title"] for job in answer.json["items"]}
    assert all(re.search("[\u0900-\u097f]", title) for title in titles)
    assert not titles & {job["title"] for job in english}


def test_field_errors_in_hindi_have_same_codes_as_in_english(app: Flask, users: Users) -> None:
    body = {"username": "a", "email": "nobody", "pincode": "12", "exp": 99}
    english = users.visitor().post("/add_professional", body)
    hindi = users.visitor().post("/add_professional", body, headers={"Accept-Language": "hi-IN, en;q=0.5"})
    assert (english.status_code, hindi.status_code) == (422, 422)
    assert english.headers["Content-Language"] == "en"
    assert hindi.headers["Content-Language"] == "hi"
    assert "Accept-Language" in hindi.headers["Vary"]
    assert hindi.json["title"] == "कुछ फ़ील्ड सही नहीं हैं"
    assert hindi.json["errors"]["pincode"] == ["छह अंक लिखें।"]
    assert hindi.json["errors"]["exp"] == ["0 से 60 तक लिखें।"]
    assert hindi.json["errors"]["firstname"] == ["यह फ़ील्ड ज़रूरी है।"]
    assert english.json["errors"]["pincode"] == ["Must have six digits."]
    assert english.json["error_codes"] == hindi.json["error_codes"]
    assert hindi.json["error_codes"]["exp"] == [{"code": "between", "params": {"min": 0, "max": 60}}]
    assert hindi.json["code"] == english.json["code"]
    field = next(iter(hindi.json["errors"]))
    assert hindi.json["detail"] == f"{field}: {hindi.json['errors'][field][0]}"


def test_details_of_problems_are_in_language_of_reader(app: Flask, users: Users) -> None:
    wrong = users.visitor().post("/check", {"username": "nobody", "password": "wrong one 123"}, headers=HINDI)
    assert (wrong.status_code, wrong.json["detail"]) == (401, "यूज़रनेम या पासवर्ड गलत है।")
    taken = users.fields()
    assert users.visitor().post("/add_customer", taken).status_code == 201
    again = users.visitor().post("/add_customer", {**taken, "email": "other@example.org"}, headers=HINDI)
    assert again.json["errors"] == {"username": ["यह यूज़रनेम पहले से लिया जा चुका है। दूसरा चुनें।"]}
    assert again.json["error_codes"] == {"username": [{"code": "username_taken", "params": {}}]}


def test_public_responses_do_not_vary_by_language(app: Flask, users: Users) -> None:
    visitor = users.visitor()
    first, second = visitor.get("/tasks"), visitor.get("/tasks", headers=HINDI)
    assert first.data == second.data
    for response in (first, second):
        assert "Accept-Language" not in response.headers["Vary"]
        assert "Content-Language" not in response.headers
    refused = visitor.get("/tasks?limit=0", headers=HINDI)
    assert refused.status_code == 422
    assert refused.headers["Cache-Control"] == "no-store"
    assert "Accept-Language" in refused.headers["Vary"]


@pytest.mark.parametrize(
    ("text", "code", "params"),
    [
        ("Must be from 1 to 50.", "range", {"min": 1, "max": 50}),
        ("Must be one of: a, b.", "one_of", {"choices": "a, b"}),
        ("Pincode 560001 does not exist.", "pincode_unknown_named", {"pincode": 560001}),
        ("Must have six digits.", "six_digits", {}),
    ],
)
def test_texts_are_identified_with_parameters(text: str, code: str, params: dict[str, object]) -> None:
    found = identify(text)
    assert found is not None
    assert (found.code, found.params) == (code, params)


def test_text_without_translation_stays_in_english() -> None:
    assert identify("Something else happened.") is None
    assert set(languages()) == {"en", "hi"}
