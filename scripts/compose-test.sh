#!/usr/bin/env bash
# make test-compose: the real stack in Docker, and what happens to it in its life. Arguments go to `node --test`.
. "$(dirname "$0")/common.sh"
command -v node >/dev/null || die "this needs Node.js"
docker compose version >/dev/null 2>&1 || die "this needs Docker with Compose 2.24 or newer"
docker info >/dev/null 2>&1 || die "the Docker engine does not answer"
exec node --test --test-reporter=spec "${@:-infra/tests/compose.test.mjs}"
