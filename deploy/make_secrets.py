"""Write the secrets of an installation as files: `python3 deploy/make_secrets.py [FOLDER]`, by default `secrets`.

Used by compose.scale.yml, by the systemd units and by the Kubernetes manifests. Existing files are kept, and what is
derived from them stays the same. The folder belongs to its owner alone; its files are readable, because containers
read them as other users.
"""

import secrets
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

BYTES: Final = 32
RANDOM: Final = ("secret_key", "postgres_password", "app_password", "valkey_password", "grafana_password")
DERIVED: Final[Mapping[str, str]] = {
    "database_url": "postgresql://doorstep_app:{app_password}@{pooler}:6432/doorstep",
    "owner_database_url": "postgresql://doorstep_owner:{postgres_password}@{postgres}:5432/doorstep",
    "redis_url": "redis://:{valkey_password}@{valkey}:6379/0",
    "pgbouncer_userlist": '"doorstep_app" "{app_password}"\n"pgbouncer_admin" "{pooler_admin_password}"',
}
HOSTS: Final = {"pooler": "pgbouncer", "postgres": "postgres", "valkey": "valkey"}


def make(folder: Path) -> list[str]:
    """Write the files that are missing; return their names."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = []
    for name in (*RANDOM, "pooler_admin_password"):
        made += _write(folder / name, secrets.token_hex(BYTES))
    values = {path.name: path.read_text(encoding="utf-8").strip() for path in folder.iterdir() if path.is_file()}
    for name, pattern in DERIVED.items():
        made += _write(folder / name, pattern.format(**HOSTS, **values))
    return made


def _write(path: Path, content: str) -> list[str]:
    if path.exists():
        return []
    path.write_text(f"{content}\n", encoding="utf-8")
    path.chmod(0o444)
    return [path.name]


def main(arguments: list[str]) -> int:
    if len(arguments) > 1:
        sys.stderr.write("usage: python3 deploy/make_secrets.py [FOLDER]\n")
        return 2
    folder = Path(arguments[0] if arguments else "secrets")
    made = make(folder)
    sys.stdout.write(f"Written to {folder}: {', '.join(made) or 'nothing, all files exist'}.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
