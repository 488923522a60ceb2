#!/usr/bin/env bash
# make test-nginx: the nginx.conf of this repository, byte for byte, in front of real replicas on a real PostgreSQL,
# each in a network namespace of its own. Arguments go to `node --test`.
#
# Needs root (for the namespaces) and an NGINX that knows `server … resolve` (1.27.3): the machine's, or Debian sid's,
# which is unpacked into a directory of the cache and touches nothing of the system.
. "$(dirname "$0")/common.sh"

[ "$(uname -s)" = Linux ] && [ "$(id -u)" -eq 0 ] || skip "the tests of nginx.conf need root on Linux, for network namespaces"
command -v node >/dev/null || skip "the tests of nginx.conf need Node.js"
command -v ip >/dev/null || apt_install iproute2

new_enough() {
  local version
  version=$("$@" -v 2>&1 | sed -n 's|.*nginx/\([0-9.]*\).*|\1|p')
  [ -n "$version" ] && [ "$(printf '%s\n1.27.3\n' "$version" | sort -V | head -1)" = 1.27.3 ]
}

unpack_nginx() {
  fetch_debian "$1" sid nginx || skip "NGINX 1.27.3 or newer is missing, and there is no apt-get to fetch it with"
  mkdir -p "$1"/{proc,dev,tmp} "$1"/var/log/nginx
  # Those whom it runs as, as in every Debian.
  printf 'root:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n' >"$1/etc/passwd"
  printf 'root:x:0:\nnogroup:x:65534:\n' >"$1/etc/group"
}

if command -v nginx >/dev/null && new_enough nginx; then
  export TEST_NGINX_ROOT=/
else
  TEST_NGINX_ROOT="$(cache_directory)/nginx"
  export TEST_NGINX_ROOT
  [ -x "$TEST_NGINX_ROOT/usr/sbin/nginx" ] && new_enough chroot "$TEST_NGINX_ROOT" /usr/sbin/nginx \
    || unpack_nginx "$TEST_NGINX_ROOT"
  new_enough chroot "$TEST_NGINX_ROOT" /usr/sbin/nginx || die "the NGINX that was fetched does not run here"
fi

[ -f frontend/dist/index.html ] || scripts/ui.sh build
if [ -z "${SCHEDULER_BIN:-}" ]; then
  need_toolchain
  say "building the service"
  cargo build --locked -p local
  SCHEDULER_BIN="${CARGO_TARGET_DIR:-$PWD/target}/debug/scheduler"
fi
export SCHEDULER_BIN
say "nginx.conf in front of real replicas"
scripts/postgres.sh node --test --test-concurrency=1 --test-reporter=spec "${@:-infra/tests/nginx.test.mjs}"
