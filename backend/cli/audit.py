"""`flask audit-verify`: verification of the audit trail."""

import sys

import click
from flask.cli import with_appcontext

from backend.core.db.session import transaction
from backend.domain.audit import chain


@click.command("audit-verify")
@with_appcontext
def command() -> None:
    """Verify the audit trail's chain of hashes; exit with 1 if an entry was changed or removed."""
    with transaction():
        verdict = chain.verify()
    head = verdict.head or "none"
    click.echo(f"{verdict.seals} entries sealed, {verdict.removed} removed by self-checks; head: {head}")
    for finding in verdict.findings:
        click.echo(f"entry {finding.entry_id}: {finding.problem}", err=True)
    if verdict.findings:
        sys.exit(1)
