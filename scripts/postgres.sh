#!/usr/bin/env bash
# scripts/postgres.sh COMMAND…: runs a command with a throw-away PostgreSQL.
#
# The command finds a server in TEST_DATABASE_URL, and the directory of initdb and pg_ctl in TEST_POSTGRES_BIN for
# tests that start servers of their own. A TEST_DATABASE_URL that is set already is used as it is.
. "$(dirname "$0")/common.sh"

find_bin() {
  local directory
  if command -v initdb >/dev/null; then
    dirname "$(readlink -f "$(command -v initdb)")"
    return
  fi
  for directory in $(ls -d /usr/lib/postgresql/*/bin /opt/homebrew/opt/postgresql*/bin 2>/dev/null | sort -rV); do
    if [ -x "$directory/initdb" ]; then echo "$directory"; return; fi
  done
  return 1
}

bin="${TEST_POSTGRES_BIN:-$(find_bin || true)}"
if [ -z "$bin" ]; then
  apt_install postgresql
  bin="$(find_bin)" || die "PostgreSQL was installed, but initdb is nowhere to be found"
fi
export TEST_POSTGRES_BIN="$bin"

if [ -n "${TEST_DATABASE_URL:-}" ]; then
  say "using the PostgreSQL of TEST_DATABASE_URL"
  exec "$@"
fi

# initdb refuses to run as root; the server then belongs to somebody with fewer rights.
as_owner=()
if [ "$(id -u)" -eq 0 ]; then
  owner=$(id -un postgres 2>/dev/null || echo nobody)
  as_owner=(setpriv --reuid "$owner" --regid "$(id -gn "$owner")" --clear-groups)
fi

directory=$(mktemp -d "${TMPDIR:-/tmp}/scheduler-postgres.XXXXXX")
chmod 711 "$directory"
mkdir "$directory/data" "$directory/socket"
[ ${#as_owner[@]} -eq 0 ] || chown -R "$owner" "$directory"
log="$directory/socket/log"

stop() {
  "${as_owner[@]}" "$bin/pg_ctl" -D "$directory/data" -m immediate stop >/dev/null 2>&1 || true
  rm -rf "$directory"
}
trap stop EXIT

say "starting a throw-away PostgreSQL ($("$bin/postgres" --version | cut -d' ' -f3)) in $directory"
cd "$directory" # somewhere the owner may be
"${as_owner[@]}" "$bin/initdb" -D "$directory/data" -U postgres --auth trust -E UTF8 --locale C --no-sync >"$directory/initdb.log" 2>&1 \
  || { cat "$directory/initdb.log" >&2; die "initdb failed"; }
"${as_owner[@]}" "$bin/pg_ctl" -D "$directory/data" -l "$log" -w -t 60 start \
  -o "-c listen_addresses='' -k '$directory/socket' -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=300" \
  >/dev/null || { cat "$log" >&2; die "PostgreSQL does not start"; }
cd - >/dev/null

export TEST_DATABASE_URL="postgres://postgres@localhost/postgres?host=$directory/socket"
status=0
"$@" || status=$?
exit "$status"
