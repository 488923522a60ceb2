#!/usr/bin/env bash
# scripts/ui.sh [build|test]: the web UI. `build` installs what it is made of and builds it; `test` also checks it, by
# itself and in Chromium with the real service. Arguments of neither kind run everything.
. "$(dirname "$0")/common.sh"
what="${1:-test}"

# Whether Node.js is here, and new enough; Debian 12's own is too old.
node_is_new() {
  command -v node >/dev/null && command -v npm >/dev/null &&
    node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)'
}

if ! node_is_new; then
  why="the web UI needs Node.js 20.19 or newer (https://nodejs.org)"
  [ "$what" = build ] || [ -z "${CI:-}" ] || die "$why"
  say "$why; going on without it"
  exit 0
fi

cd frontend
# npm keeps what it has installed in a file of its own; npm ci costs seconds even where nothing has changed.
if [ ! -f node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  say "installing what the web UI is made of (npm ci)"
  npm ci --no-audit --no-fund --loglevel=error
  touch node_modules/.package-lock.json
fi

newest() { find "$@" -type f -printf '%T@\n' | sort -n | tail -1 | cut -d. -f1; }
if [ ! -f dist/index.html ] || [ "$(newest src public index.html vite.config.ts package-lock.json)" -ge "$(newest dist)" ]; then
  say "building the web UI"
  npm run --silent build
fi
[ "$what" = test ] || exit 0

say "the generated client, types and lints of the web UI"
npm run --silent client:check
npm run --silent types
npm run --silent lint
say "what people download"
npm run --silent budget
say "its behaviour"
npm test --silent

if [ -z "${CHROMIUM:-}" ] && ! command -v chromium >/dev/null; then
  apt_install chromium
fi
say "the service with the web UI in it"
(cd .. && cargo build --locked -p local)
say "its journeys in Chromium, with the real service"
npm run --silent journeys
