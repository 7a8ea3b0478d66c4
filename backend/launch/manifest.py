"""The MANIFEST.json of a backup: written last when it is made, checked first when it is restored."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final, Self

from backend.launch import private_files
from backend.launch.errors import LaunchError

NAME: Final = "MANIFEST.json"
FORMAT: Final = 1
DATABASE_FILE: Final = "database.dump"
STORES: Final = ("documents", "exports")
SHOWN: Final = 5
PIECE: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class File:
    """One file of a store, in the backup under ``<store>/<key>``."""

    store: str
    key: str
    size: int
    sha256: str


@dataclass(slots=True)
class Manifest:
    """What can be checked of a backup without reading its database."""

    made_at: str
    revision: str
    version: str
    database_sha256: str
    counts: dict[str, int]
    files: list[File] = field(default_factory=list)
    format: int = FORMAT

    def write(self, folder: Path) -> None:
        """Write the manifest into the backup's folder."""
        private_files.write(folder / NAME, json.dumps(asdict(self), indent=1) + "\n")

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read the manifest of a backup. Raises LaunchError if there is no usable one."""
        if not (folder / NAME).exists():
            raise LaunchError(
                f"{folder} contains no {NAME}: it is not a backup of Doorstep, or one of an earlier version. "
                "Restore that one with the version that made it."
            )
        try:
            content = json.loads((folder / NAME).read_text(encoding="utf-8"))
            if content["format"] != FORMAT:
                raise LaunchError(f"{folder / NAME} is of format {content['format']}, this version reads {FORMAT}.")
            return cls(**{**content, "files": [File(**entry) for entry in content["files"]]})
        except (ValueError, KeyError, TypeError) as error:
            raise LaunchError(f"{folder / NAME} cannot be read: {error!r}") from None

    def check(self, folder: Path) -> None:
        """Compare every file with its digest. Raises LaunchError listing missing and changed files."""
        if problems := list(self._problems(folder)):
            more = f" (and {len(problems) - SHOWN} more)" if len(problems) > SHOWN else ""
            raise LaunchError(f"The backup is damaged: {'; '.join(problems[:SHOWN])}{more}")

    def _problems(self, folder: Path) -> Iterator[str]:
        wanted: list[tuple[str, str]] = [(DATABASE_FILE, self.database_sha256)]
        wanted += [(f"{file.store}/{file.key}", file.sha256) for file in self.files]
        for name, sha256 in wanted:
            path = folder / name
            if not path.resolve().is_relative_to(folder.resolve()) or not path.is_file():
                yield f"{name} is missing"
            elif digest(path) != sha256:
                yield f"{name} was changed"


def digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            found.update(piece)
    return found.hexdigest()
