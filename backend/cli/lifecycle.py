"""Prints docs/lifecycle.md: the state table of requests for people, with a drawing."""

import sys
from collections.abc import Iterable, Iterator
from typing import Final

import click

from backend.domain.task_requests.lifecycle import REASONS, TABLE, Action, Need, Relation, Rule, Status

INTRODUCTION: Final = """\
# The life of a request

Made by `flask lifecycle` (`make generate`) out of the state table in `backend/domain/task_requests/lifecycle.py`;
a test fails when it is stale. The calls, `allowed_actions`, the buttons and the tests follow the same table.

Each action is one conditional `UPDATE` that names the state and the version that were read, with a row of history and
the notifications in the same transaction. Whoever comes second reads again and is told the state as it is then.
"""
ERRORS: Final = """\
## When it is refused

| who asks | state | answer |
|---|---|---|
| a role that never does this | any | 403 `role_not_allowed` |
| someone who may not see the request | any | 404 `not_found` |
| a professional who accepts or rejects it too late | accepted, completed, closed | 409 `already_taken` |
| the same | cancelled, expired, or its date has passed | 409 `invalid_transition` |
| a professional who sees it and does not do the task | requested | 403 `task_not_done` |
| a professional who holds another at that time | requested | 409 `overlapping_request` |
| a customer who has reviewed it; after 30 days | completed, closed | 409 `already_reviewed`; `review_too_late` |
| anyone else who sees it | one that the table does not name | 409 `invalid_transition` |
| anyone whose `If-Match` is not the present version | any | 412 `stale` |

A professional asked for is alone in seeing the request until they answer or the time to do so is over. Once it is
taken, only its professional, its customer and admins see it.
"""


@click.command("lifecycle")
def command() -> None:
    """Print the life of a request as a page of documentation."""
    sys.stdout.write(render())


def render() -> str:
    """The whole page."""
    return "\n".join(
        [INTRODUCTION, "\n".join(_drawing()), "", "\n".join(_table()), "", ERRORS, "\n".join(_reasons()), ""]
    )


def _drawing() -> Iterator[str]:
    yield "```mermaid"
    yield "stateDiagram-v2"
    arrows: dict[tuple[str, str], list[str]] = {}
    for rule in TABLE:
        for source in _in_order(rule.sources):
            target = rule.target or source
            if target is not None and (rule.target is not None or source is Status.REQUESTED):
                actions = arrows.setdefault((source or "[*]", target), [])
                if rule.action.public not in actions:
                    actions.append(rule.action.public)
    yield from (f"    {source} --> {target}: {', '.join(actions)}" for (source, target), actions in arrows.items())
    yield from (f"    {status} --> [*]" for status in (Status.CLOSED, Status.CANCELLED, Status.EXPIRED))
    yield "```"


def _table() -> Iterator[str]:
    yield "## The table"
    yield ""
    yield "| action | who | from | to | needs | tells | what follows |"
    yield "|---|---|---|---|---|---|---|"
    for rule in TABLE:
        cells = [
            _name(rule),
            "; ".join(who for who in Relation if who in rule.who),
            ", ".join(source or "-" for source in _in_order(rule.sources)),
            rule.target or "the same",
            "; ".join(need for need in Need if need in rule.needs) or "-",
            "; ".join(rule.tells) or "-",
            rule.follows or "-",
        ]
        yield f"| {' | '.join(cells)} |"


def _name(rule: Rule) -> str:
    return {Action.MOVE: "edit (date_of_request)", Action.EDIT: "edit (remarks, address, pincode)"}.get(
        rule.action, rule.action.value
    )


def _reasons() -> Iterator[str]:
    yield "## Reasons"
    yield ""
    yield "A reason is words of 3 to 500 characters, with one of these as `reason_code` where it is known:"
    yield ""
    for action, codes in REASONS.items():
        yield f"- {action.value}: {', '.join(f'`{code}`' for code in codes)}"


def _in_order(sources: Iterable[Status | None]) -> list[Status | None]:
    known = set(sources)
    return [status for status in (None, *Status) if status in known]
