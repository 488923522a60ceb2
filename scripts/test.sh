#!/usr/bin/env bash
# make test: every test, on every store. Arguments go to `cargo test`.
. "$(dirname "$0")/common.sh"
need_toolchain
# The README's commands are run word for word; processes are frozen, given wrong clocks and cut off.
command -v curl >/dev/null || apt_install curl
command -v pkill >/dev/null || apt_install procps
command -v faketime >/dev/null || apt_install faketime
command -v ip >/dev/null || apt_install iproute2

# The web UI first: what it is built into is then built once.
ui=0
scripts/ui.sh test || ui=$?

infra=0
scripts/infra.sh || infra=$?

say "building the tests"
cargo test --workspace --locked --no-run "$@"

output=$(mktemp)
trap 'rm -f "$output"' EXIT
status=0
scripts/postgres.sh cargo test --workspace --locked --no-fail-fast "$@" 2>&1 | tee "$output" || status=$?

nginx=0
scripts/nginx.sh || nginx=$?

# cargo prints a summary for each of its binaries; this is the one for all of them.
awk '/^test result:/ { passed += $4; failed += $6; skipped += $8 }
     END { printf "tests: %d passed, %d failed, %d skipped\n", passed, failed, skipped }' "$output"
[ "$ui" -eq 0 ] || say "the tests of the web UI failed; see above"
[ "$infra" -eq 0 ] || say "the checks of infra/ failed; see above"
[ "$nginx" -eq 0 ] || say "the tests of nginx.conf failed; see above"
for it in "$ui" "$infra" "$nginx"; do [ "$status" -ne 0 ] || status=$it; done
exit "$status"
