"""Texts are plain English and Hindi: a list of words to avoid, each with the one to use instead.

Read are the locale files, templates, messages, the API document, the documentation, and docstrings, comments and
sentences in the source. `make lint` runs this file.
"""

import ast
import io
import json
import re
import tokenize
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from tests.architecture.source import ROOT, shown

# Where a word is used in the field's own sense, the pattern leaves that use out.
REJECTED: Final[dict[str, str]] = {
    # Archaic or literary
    r"anew": "again",
    r"afresh": "again",
    r"for ever": "permanently",
    r"thereby": "which",
    r"whoever": "anyone who",
    r"whomever": "anyone whom",
    r"thereof|therein|wherein|whereof|whence|hitherto|henceforth|lest|albeit|amongst|nought|naught": "a plainer word",
    r"shall": "must",
    r"upon": "on",
    r"seldom": "rarely",
    r"in vain": "without success",
    r"for want of": "without",
    r"heed(s|ed)?": "use",
    r"begun": "started",
    r"(?<!next )one's": "your (screens, API) or the user's (code)",
    r"oneself|themself": "yourself (screens, API) or themselves (code)",
    r"all the same": "anyway",
    r"(at|in) (this|that) moment": "currently",
    r"present moment": "current time",
    r"by turns|take turns": "alternately",
    r"put right": "fixed",
    r"mend(s|ed|ing)?": "fix",
    r"carr(y|ied|ies) out": "execute",
    r"c[oa]me of (it|that|this|the|a)": "result",
    r"newcomers?": "new arrivals",
    r"now and then": "occasionally",
    # Words of our own, where the field has one
    r"doorbell": "notification",
    r"rung": "notified",
    r"(?<!focus )rings?(?! (buffer|of focus))": "notify (jobs), or layers (architecture)",
    r"job bell": "job notifier",
    r"park(ed|s)?": "dead-letter, or failed permanently",
    r"g[ai]ve[ns]? up|giv(es|ing) up": "failed permanently, or stopped retrying",
    r"(?<!out)lin(ing|e|ed) up": "row lock",
    r"telling": "notifying",
    r"reminding": "reminders",
    r"settling": "finalisation",
    r"keepers?": "lease renewal",
    r"the wire": "the response",
    r"dear": "expensive",
    r"shelf": "cache",
    r"parcels?": "message",
    r"onlookers?|latecomers?": "the relation in words",
    r"(?<!in )the house": "the application",
    r"giv(e|es|ing|en) way": "yield, or run at low priority",
    r"lets? down|letting down": "reliability, or cancellations",
    r"(is|are) away": "is unavailable",
    # Texts on screens, in emails and in errors
    r"hand(s|ed|ing)? in": "upload",
    r"hand(s|ed|ing)? \w+ (\w+ )?in(?= (later|at any|before|again)|[.,])": "upload",
    r"mail address(es)?": "email",
    r"user names?": "username",
    r"no business(?! (rules|logic))": "not permitted",
    r"the market(?! (price|zone))": "the marketplace, or its name",
    r"(makes?|made) an account": "create an account",
    r"hears? of": "is notified",
    r"goes? on all": "continue",
    # Hindi
    r"बाज़ार|बाजार": "the marketplace's name",
    r"उपयोगकर्ता नाम|उपयोगकर्ता-नाम|प्रयोक्ता नाम": "यूज़रनेम",
    r"कूटशब्द": "पासवर्ड",
}
PATTERNS: Final = {re.compile(rf"(?<![\w`]){'(?:' + word + ')'}(?![\w`])", re.IGNORECASE): better
                   for word, better in REJECTED.items()}  # fmt: skip
ANY: Final = re.compile("|".join(f"(?:{pattern.pattern})" for pattern in PATTERNS), re.IGNORECASE)

# Not prose: code in backticks, addresses, the targets of links, names with underscores or dots, placeholders.
CODE: Final = re.compile(
    r"```.*?```|``.*?``|`[^`\n]*`|\]\([^)\s]*\)|\w+://\S+|\{[^{}\s]*\}|:\w+:`[^`]*`|[\w.]*_\w+|\b\w+(?:\.\w+)+\(?",
    re.DOTALL,
)
SCRIPT: Final = re.compile(
    r"""//(?P<line>[^\n]*)|/\*(?P<block>.*?)\*/|'(?P<one>(?:\\.|[^'\\\n])*)'|"(?P<two>(?:\\.|[^"\\\n])*)"|`(?P<tick>(?:\\.|[^`\\])*)`""",
    re.DOTALL,
)
SQL: Final = re.compile(
    r"\A\s*(SELECT|INSERT INTO|UPDATE|DELETE FROM|WITH|CREATE|ALTER)\b|\bSELECT\b.*\bFROM\b", re.DOTALL
)
PART: Final = re.compile(r"<(script|style)\b[^>]*>(?P<code>.*?)</\1>|<!--(?P<comment>.*?)-->", re.DOTALL)
DESCRIPTION: Final = re.compile(r'"(?:title|summary|description)": (?P<text>"(?:\\.|[^"\\])*")')
Text = tuple[int, str]


def plain(text: str) -> Iterator[Text]:
    """Return a file as one text."""
    yield 1, text


def comments_by_hash(text: str) -> Iterator[Text]:
    """Return the comments of a Makefile or of settings."""
    for number, line in enumerate(text.splitlines(), 1):
        if "#" in line:
            yield number, line[line.index("#") :]


def python(text: str) -> Iterator[Text]:
    """Return docstrings, comments, and strings that hold a sentence: neither SQL nor identifiers without a space."""
    for node in ast.walk(ast.parse(text)):
        value = node.value if isinstance(node, ast.Constant) else None
        if isinstance(node, ast.Constant) and isinstance(value, str) and " " in value.strip() and not SQL.search(value):
            yield node.lineno, value
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def script(text: str) -> Iterator[Text]:
    """Return comments, and strings that hold a sentence, of TypeScript or CSS."""
    for match in SCRIPT.finditer(text):
        name = match.lastgroup or ""
        if name in ("line", "block") or " " in match[name]:
            yield _line(text, match.start(name)), match[name]


def component(text: str) -> Iterator[Text]:
    """Return comments and sentences of a Vue component; its texts are in the locale files."""
    for match in PART.finditer(text):
        start = _line(text, match.start()) - 1
        if match["comment"]:
            yield start + 1, match["comment"]
        else:
            yield from ((start + line, said) for line, said in script(match["code"]))


def values(text: str) -> Iterator[Text]:
    """Return the values of a JSON file that hold more than one word; keys are identifiers."""

    def walk(value: object) -> Iterator[str]:
        if isinstance(value, dict):
            for child in value.values():
                yield from walk(child)
        elif isinstance(value, list):
            for child in value:
                yield from walk(child)
        elif isinstance(value, str):
            yield value

    for said in walk(json.loads(text)):
        yield _line(text, max(text.find(json.dumps(said, ensure_ascii=False)), 0)), said


def descriptions(text: str) -> Iterator[Text]:
    """Return the titles, summaries and descriptions of an OpenAPI document; its other texts are identifiers."""
    for match in DESCRIPTION.finditer(text):
        yield _line(text, match.start()), json.loads(match["text"])


def _line(text: str, offset: int) -> int:
    return text.count("\n", 0, offset) + 1


READERS: Final[dict[str, tuple[tuple[str, ...], Callable[[str], Iterator[Text]]]]] = {
    "backend": (("**/*.py",), python),
    "backend/templates": (("**/*.html", "**/*.txt"), plain),
    "backend/texts": (("**/*.toml",), plain),
    "frontend/src": (("**/*.ts", "**/*.css"), script),
    "frontend/src/": (("**/*.vue",), component),
    "frontend/src/locales": (("**/*.json",), values),
    "docs": (("**/*.md",), plain),
    ".": (("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "frontend/README.md"), plain),
    "./": ((".env.example", "Makefile"), comments_by_hash),
    "././": (("openapi.json",), descriptions),
}
GENERATED: Final = "frontend/src/shared/api/generated/"


def files() -> list[tuple[Path, Callable[[str], Iterator[Text]]]]:
    """Return every file that is read, with its reader."""
    return [
        (path, reader)
        for folder, (globs, reader) in READERS.items()
        for glob in globs
        for path in sorted((ROOT / folder).glob(glob))
        if not shown(path).startswith(GENERATED)
    ]


def complaints(text: str) -> Iterator[Text]:
    """Return what is wrong with the wording of a text, with the number of lines before it."""
    prose = CODE.sub(lambda code: "_" + "\n" * code[0].count("\n"), text)
    if not ANY.search(prose):
        return
    for pattern, better in PATTERNS.items():
        for match in pattern.finditer(prose):
            yield prose.count("\n", 0, match.start()), f"say '{better}' instead of '{match[0]}'"


@cache
def findings() -> list[str]:
    """Return every complaint as ``path:line message``."""
    return sorted(
        f"{shown(path)}:{line + before} {complaint}"
        for path, reader in files()
        for line, text in reader(path.read_text(encoding="utf-8"))
        for before, complaint in complaints(text)
    )


def test_texts_contain_no_rejected_words() -> None:
    assert not findings(), "\n" + "\n".join(findings())


@pytest.mark.parametrize(
    ("reader", "text", "complaint"),
    [
        (python, '"""Jobs that are parked."""\n', "say 'dead-letter, or failed permanently' instead of 'parked'"),
        (python, "x = 1  # tried anew\n", "say 'again' instead of 'anew'"),
        (python, 'x = "Whoever asks"\n', "say 'anyone who' instead of 'Whoever'"),
        (script, "const a = 1 // the doorbell\n", "say 'notification' instead of 'doorbell'"),
        (component, "<script>\n/* told in vain */\n</script>", "say 'without success' instead of 'in vain'"),
        (
            descriptions,
            '{"description": "Jobs that\\nare parked"}',
            "say 'dead-letter, or failed permanently' instead of 'parked'",
        ),
        (values, '{"a": "Mail address"}', "say 'email' instead of 'Mail address'"),
        (values, '{"a": "बाज़ार का समय"}', "say 'the marketplace's name' instead of 'बाज़ार'"),
        (plain, "Hand in your document", "say 'upload' instead of 'Hand in'"),
        (comments_by_hash, "a: ## Write it anew\n", "say 'again' instead of 'anew'"),
    ],
)
def test_rejected_word_is_reported_with_replacement(
    reader: Callable[[str], Iterator[Text]], text: str, complaint: str
) -> None:
    assert [found for _, said in reader(text) for _, found in complaints(said)] == [complaint]


@pytest.mark.parametrize(
    ("reader", "text"),
    [
        (python, 'x = "parked"\n'),
        (python, 'x = "SELECT count(*) AS parked FROM jobs"\n'),
        (python, '"""Return ``parked`` and `parked` jobs, by parked_at."""\n'),
        (script, "const parked = 'parked'\n"),
        (descriptions, '{"required": ["parked"], "title": "Failed jobs"}'),
        (values, '{"parked": "{parked} failed"}'),
        (plain, "See [the decision](adr/0030-job-table-and-doorbell.md) and https://example.org/anew."),
    ],
)
def test_identifier_with_rejected_word_is_ignored(reader: Callable[[str], Iterator[Text]], text: str) -> None:
    assert not [found for _, said in reader(text) for _, found in complaints(said)]
