#!/usr/bin/env bash
# A new version of the compose stack without a moment's pause: builds it (or takes what was pulled, with --no-build),
# migrates, starts as many new replicas as there are old ones, and lets the old ones go one after the other.
# Variables as for `docker compose`, such as TAG.
. "$(dirname "$0")/common.sh"

[ "${1:-}" = --no-build ] || docker compose build backend
old=$(docker compose ps -q backend)
count=$(wc -w <<<"$old")
[ "$count" -gt 0 ] || die "nothing runs; start it with: docker compose up -d --wait"

say "migrating"
docker compose run --rm --no-deps -T migrate
say "$count new replicas beside $count old ones"
docker compose up -d --no-deps --no-recreate --wait --scale "backend=$((2 * count))" backend
# NGINX asks for names every two seconds.
sleep 3
for replica in $old; do
  say "letting ${replica:0:12} finish"
  docker stop -t 40 "$replica" >/dev/null
  docker rm "$replica" >/dev/null
done
docker compose up -d --no-deps --no-recreate --wait --scale "backend=$count" backend
say "done: $(docker compose ps -q backend | wc -l) replicas"
say "the web UI comes with NGINX: docker compose up -d --build --no-deps nginx replaces it, and takes a second or two"
