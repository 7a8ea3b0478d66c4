#!/bin/sh
# Copies all of PostgreSQL's files while it runs, checks the copy, and removes what is older than the last two copies.
#   ARCHIVE, PRIMARY: as in receive.sh; KEEP=2
set -eu
mkdir -p "$ARCHIVE/base"
rm -rf "$ARCHIVE/base/unfinished"
pg_basebackup --dbname="$PRIMARY" --pgdata="$ARCHIVE/base/unfinished" --checkpoint=fast --wal-method=stream
pg_verifybackup --quiet "$ARCHIVE/base/unfinished"
mv "$ARCHIVE/base/unfinished" "$ARCHIVE/base/$(date -u +%Y%m%dT%H%M%SZ)"   # when it was complete

ls -d "$ARCHIVE"/base/*Z | sort -r | tail -n "+$((${KEEP:-2} + 1))" | xargs -r rm -r
oldest=$(ls -d "$ARCHIVE"/base/*Z | sort | head -n 1)
pg_archivecleanup -x .partial "$ARCHIVE/wal" "$(sed -n 's/^START WAL LOCATION: .*(file \(.*\))$/\1/p' "$oldest/backup_label")"
