#!/bin/sh
# Keeps PostgreSQL's write-ahead log (WAL) as it is written; runs all the time, on another machine than PostgreSQL.
#   ARCHIVE=/var/backups/postgresql                           the folder of WAL and base backups
#   PRIMARY='host=10.0.0.20 port=5432 user=replicator'        the server that leads; the password in ~/.pgpass
# PostgreSQL keeps WAL for the slot until it was received: while this is stopped, its disk fills.
set -eu
SLOT=doorstep_archive
mkdir -p "$ARCHIVE/wal"
until pg_receivewal --dbname="$PRIMARY" --slot=$SLOT --create-slot --if-not-exists; do sleep 2; done
# It connects again by itself, and follows the next leader. --synchronous: on disk at once, and reported to the server.
exec pg_receivewal --dbname="$PRIMARY" --slot=$SLOT --directory="$ARCHIVE/wal" --synchronous
