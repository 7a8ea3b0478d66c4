"""The audit trail from the command line: is it whole?"""

import sys

import click
from flask.cli import with_appcontext

from backend.core.db.session import transaction
from backend.domain.audit import chain


@click.command("audit-verify")
@with_appcontext
def command() -> None:
    """Check the audit trail's chain of hashes; ends with 1 when an entry was changed or removed."""
    with transaction():
        verdict = chain.verify()
    head = verdict.head or "none"
    click.echo(f"{verdict.seals} entries sealed, {verdict.removed} removed by self-checks; head: {head}")
    for finding in verdict.findings:
        click.echo(f"entry {finding.entry_id}: {finding.problem}", err=True)
    if verdict.findings:
        sys.exit(1)
