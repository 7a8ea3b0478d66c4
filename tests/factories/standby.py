"""A PostgreSQL that follows another one by streaming, for tests of several database hosts."""

import os
import shutil
import subprocess
from pathlib import Path

from backend.launch import private_files
from backend.launch.embedded import EmbeddedPostgres


class Standby(EmbeddedPostgres):
    """A standby of a running primary, of which it starts as a copy."""

    def __init__(self, data_dir: Path, primary: EmbeddedPostgres, **parameters: str) -> None:
        super().__init__(data_dir, parameters=parameters)
        self._primary = primary

    def _make_cluster(self, password: str) -> None:
        cluster, user = self._home.cluster, self._home.user
        shutil.rmtree(cluster, ignore_errors=True)
        cluster.mkdir(parents=True, mode=0o700)
        if user is not None:
            os.chown(cluster, user, user)
        argv = [
            str(self._home.programs / "bin" / "pg_basebackup"),
            f"--dbname=host=127.0.0.1 port={self._primary.port} user=doorstep",
            *(f"--pgdata={cluster}", "--write-recovery-conf", "--wal-method=stream", "--checkpoint=fast"),
        ]
        done = subprocess.run(
            argv,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "PGPASSWORD": password},
            capture_output=True,
            text=True,
            cwd="/",
            user=user,
            group=user,
            extra_groups=[] if user is not None else None,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    def _ensure_database(self) -> None:
        """A standby has the primary's databases."""

    def start(self) -> str:
        """Start with the primary's password, which is in its copy."""
        password = private_files.read(self._primary.data_dir / f"{self._primary.name}.password")
        self.data_dir.mkdir(parents=True, exist_ok=True)
        private_files.write(self.data_dir / f"{self.name}.password", password)
        return super().start()
