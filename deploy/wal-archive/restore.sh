#!/bin/sh
# Makes a PostgreSQL server from the archive, as it was at a point in time, or with all that was received.
#   ARCHIVE=/var/backups/postgresql restore.sh FOLDER PORT ['2026-11-28 09:59:00+05:30']
# Run it as the user of PostgreSQL, with the same major version. FOLDER must not exist; the server listens on loopback only.
set -eu
folder=$1 port=$2 time=${3-}
before=$(date -u ${time:+-d "$time"} +%Y%m%dT%H%M%SZ)
base=$(ls "$ARCHIVE/base" | grep 'Z$' | sort | awk -v before="$before" '$0 < before' | tail -n 1)
[ -n "$base" ] || { echo "No base backup was complete before that time" >&2; exit 1; }
[ ! -e "$folder" ] || { echo "$folder exists" >&2; exit 1; }
cp -R "$ARCHIVE/base/$base" "$folder"
chmod 700 "$folder"
rm -f "$folder/standby.signal"
touch "$folder/recovery.signal"
cat >> "$folder/postgresql.auto.conf" <<END
restore_command = 'cp "$ARCHIVE/wal/%f" "%p" 2>/dev/null || cp "$ARCHIVE/wal/%f.partial" "%p" 2>/dev/null'
recovery_target_timeline = 'latest'
recovery_target_action = 'promote'
END
[ -z "$time" ] || echo "recovery_target_time = '$time'" >> "$folder/postgresql.auto.conf"
# Other than the server that was copied: its address; it waits for no standby, and follows and archives nothing. Nobody
# reads before it is complete (hot_standby), or else it would need max_connections and others of that server's command line.
pg_ctl start --pgdata="$folder" --log="$folder/restore.log" --timeout=86400 -o "-p $port -c listen_addresses=127.0.0.1 \
  -c unix_socket_directories='' -c hot_standby=off -c synchronous_standby_names='' -c primary_conninfo='' \
  -c archive_mode=off" >/dev/null || { tail "$folder/restore.log" >&2; exit 1; }
# pg_ctl waits for the start alone, which recovery follows where nobody reads meanwhile.
until pg_isready --quiet --host=127.0.0.1 --port="$port"; do
  pg_ctl status --pgdata="$folder" >/dev/null || { tail "$folder/restore.log" >&2; exit 1; }
  sleep 1
done
echo "Restored from the base backup $base. The server listens on 127.0.0.1:$port; stop it: pg_ctl stop --pgdata=$folder"
