#!/bin/sh
# Makes a standby the leader without a failed call: holds all calls at PgBouncer, switches over, lets them go on.
#   POOLERS='postgresql://pgbouncer_admin:...@10.0.0.11:6432/pgbouncer ...'   the console of every PgBouncer
#   LEADER='postgresql://doorstep_app:...@127.0.0.1:5432/doorstep'            the database through HAProxy
#   PATRONI_CONFIG=/etc/patroni/patroni.yml deploy/patroni/switchover.sh [--candidate pg2]
set -eu
SECONDS_HELD=60   # calls that wait for longer fail

console() {
    for pooler in $POOLERS; do psql "$pooler" -qAtX -c "$1" >/dev/null; done
}

resume() {
    console RESUME || true   # a pooler that was not paused objects
    console RELOAD           # back to the query_wait_timeout of pgbouncer.ini
}

trap resume EXIT
console "SET query_wait_timeout = $SECONDS_HELD"
console PAUSE                # returns when running transactions have ended
patronictl -c "$PATRONI_CONFIG" switchover --force "$@"
tries=0
until [ "$(psql "$LEADER" -qAtX -c 'SELECT pg_is_in_recovery()' 2>/dev/null)" = f ]; do
    tries=$((tries + 1))
    [ "$tries" -lt 200 ] || { echo "HAProxy has found no new leader" >&2; exit 1; }
    sleep 0.2
done
