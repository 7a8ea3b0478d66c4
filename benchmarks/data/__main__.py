"""`make bench-data SCALE=small|large`: fill the benchmarks' own database, or an empty one at DATABASE_URL."""

import argparse
import os
import shutil
import sys

from backend.migrations.setup import upgrade

from backend.app import create_app
from backend.cli import bootstrap
from backend.core.db.session import transaction
from backend.domain.professionals import availability
from backend.settings import Settings
from benchmarks import servers
from benchmarks.data.filling import fill
from benchmarks.data.scales import SCALES


def main() -> int:
    """Fill, and say where."""
    parser = argparse.ArgumentParser(prog="make bench-data")
    parser.add_argument("--scale", choices=sorted(SCALES), default="small")
    parser.add_argument("--again", action="store_true", help="make the benchmarks' own database anew")
    options = parser.parse_args()
    if os.environ.get("DATABASE_URL"):
        return _fill_given(options.scale)
    if options.again:
        shutil.rmtree(servers.FOLDER / options.scale, ignore_errors=True)
    with servers.postgres(options.scale):
        print(f"{options.scale}: filled, kept under {servers.FOLDER / options.scale}")
    return 0


def _fill_given(scale: str) -> int:
    app = create_app(Settings.from_env())
    with app.app_context():
        upgrade()
    bootstrap.run(app)

    def count() -> int:
        with app.app_context(), transaction():
            return availability.rebuild()

    try:
        fill(os.environ["DATABASE_URL"], SCALES[scale], recount=count)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
