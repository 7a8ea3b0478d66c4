"""The processes of all machines: which are silent, which run another version, and where machines disagree."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import JSONB, UUID
from sqlalchemy.orm import Mapped, mapped_column

from backend.core.clock import now
from backend.core.db.session import Base, db
from backend.core.observability.process_reports import SILENT_SECONDS

KEPT: Final = timedelta(days=1)
STORES: Final = ("DOCUMENT_STORE_URL", "EXPORT_STORE_URL")


class Process(Base):
    """One process and its last report. ``settings`` has a digest for each setting that machines have in common."""

    __tablename__ = "processes"

    id: Mapped[str] = mapped_column(UUID(as_uuid=False), primary_key=True)
    kind: Mapped[str]
    machine: Mapped[str]
    pid: Mapped[int]
    parent_pid: Mapped[int]
    version: Mapped[str]
    key_digest: Mapped[str]
    settings: Mapped[dict[str, str]] = mapped_column(JSONB)
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime]

    @property
    def label(self) -> str:
        """Return how messages name it."""
        return f"{self.kind} {self.pid} on {self.machine}"


class Topic(StrEnum):
    """What a finding is about."""

    SILENT = "silent"
    VERSIONS = "versions"
    KEY = "key"
    SETTINGS = "settings"
    STORES = "stores"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something an operator should know. ``names``: settings or versions; ``processes``: the few that differ."""

    topic: Topic
    names: tuple[str, ...]
    processes: tuple[str, ...]

    @property
    def is_error(self) -> bool:
        """Return whether it is wrong for sure: versions differ in an upgrade, and a machine may have been removed."""
        return self.topic not in (Topic.SILENT, Topic.VERSIONS)

    @property
    def sentence(self) -> str:
        """Return what it means, for the command line."""
        names, processes = ", ".join(self.names), ", ".join(self.processes)
        return {
            Topic.SILENT: f"No report for more than {SILENT_SECONDS:.0f} seconds: {processes}",
            Topic.VERSIONS: f"Several versions run at once: {names}. Not the most frequent one: {processes}",
            Topic.KEY: f"Another SECRET_KEY than the others: {processes}",
            Topic.SETTINGS: f"Another value of {names} than the others: {processes}",
            Topic.STORES: f"Another file store than the others ({names}): {processes}",
        }[self.topic]


def processes() -> list[Process]:
    """Return all processes, by machine and kind."""
    order = (Process.machine, Process.kind, Process.pid)
    return list(db.session.execute(select(Process).order_by(*order)).scalars())


def is_silent(process: Process, at: datetime) -> bool:
    """Return whether its last report is too old."""
    return at - process.seen_at > timedelta(seconds=SILENT_SECONDS)


def findings(found: Sequence[Process], at: datetime) -> list[Finding]:
    """Compare the processes with each other; silent ones are named, and compared no more."""
    silent = [process for process in found if is_silent(process, at)]
    alive = [process for process in found if not is_silent(process, at)]
    made = [Finding(Topic.SILENT, (), _labels(silent))] if silent else []
    if others := _minority(alive, {process.id: process.version for process in alive}):
        made.append(Finding(Topic.VERSIONS, tuple(sorted({process.version for process in alive})), _labels(others)))
    strangers = _minority(alive, {process.id: process.key_digest for process in alive})
    if strangers:
        made.append(Finding(Topic.KEY, ("SECRET_KEY",), _labels(strangers)))
    # Digests under different keys cannot be compared, nor can settings of another version, whose defaults may differ.
    strange = {process.id for process in (*strangers, *others)}
    made += _disagreements([process for process in alive if process.id not in strange])
    return made


def _disagreements(alive: Sequence[Process]) -> list[Finding]:
    """Return a finding for the settings, and one for the stores, in which the same processes differ from the others."""
    differing: dict[tuple[Topic, tuple[str, ...]], list[str]] = defaultdict(list)
    for name in sorted({name for process in alive for name in process.settings}):
        having = [process for process in alive if name in process.settings]
        if others := _minority(having, {process.id: process.settings[name] for process in having}):
            differing[Topic.STORES if name in STORES else Topic.SETTINGS, _labels(others)].append(name)
    return [Finding(topic, tuple(names), labels) for (topic, labels), names in differing.items()]


def _minority(found: Sequence[Process], values: Mapping[str, str]) -> list[Process]:
    """Return the processes whose value is not the most frequent one; the one seen first wins a draw."""
    counts = Counter(values[process.id] for process in sorted(found, key=lambda process: process.started_at))
    if len(counts) < 2:
        return []
    [(usual, _)] = counts.most_common(1)
    return [process for process in found if values[process.id] != usual]


def _labels(found: Sequence[Process]) -> tuple[str, ...]:
    return tuple(process.label for process in found)


def drop_old(limit: int = 500) -> int:
    """Delete processes that were silent for a day, and return how many."""
    chosen = select(Process.id).where(Process.seen_at < now() - KEPT).limit(limit)
    gone: Any = delete(Process).where(Process.id.in_(chosen.scalar_subquery())).returning(Process.id)
    return len(db.session.execute(gone.execution_options(synchronize_session=False)).all())


def report() -> tuple[list[Process], list[Finding]]:
    """Return all processes and what is to be said about them."""
    found = processes()
    return found, findings(found, now())
