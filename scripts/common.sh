# Shared by the other scripts: `. "$(dirname "$0")/common.sh"`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { printf '\033[1m==> %s\033[0m\n' "$*" >&2; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

# apt_install PACKAGE…: installs Debian packages, as root or through sudo; fails with the command to type otherwise.
apt_install() {
  command -v apt-get >/dev/null || die "please install: $*"
  local sudo=''
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null && sudo -n true 2>/dev/null || die "please run: sudo apt-get install $*"
    sudo='sudo'
  fi
  say "installing $* (apt-get)"
  $sudo apt-get update -qq
  DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

need_toolchain() {
  command -v cargo >/dev/null || die "Rust is missing: see https://rustup.rs"
  # ring and SQLite bring C code.
  command -v cc >/dev/null || apt_install gcc libc6-dev
}

# fetch_debian DIRECTORY SUITE PACKAGE…: unpacks Debian packages, with all they depend on, into a directory of the cache.
# Nothing of the system is touched, so the suite may be a newer one than the machine's.
fetch_debian() {
  local root="$1" suite="$2" apt="$1.apt" mirror it
  shift 2
  command -v apt-get >/dev/null || return 1
  mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null \
    | sed -n 's/^\(deb \(\[[^]]*\] \)\?\|URIs: *\)\(http[^ ]*debian\/\?\)\( .*\)\?$/\3/p' | grep -v security | head -1 || true)
  [ -n "$mirror" ] || return 1
  say "fetching $* from Debian $suite ($mirror) into $root"
  rm -rf "$root" "$apt"
  mkdir -p "$root"/usr/{bin,sbin,lib,lib64} "$apt"/state/lists/partial "$apt"/cache/archives/partial
  for it in bin sbin lib lib64; do ln -s "usr/$it" "$root/$it"; done
  : >"$apt/status"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" >"$apt/sources.list"
  local options=(-o "Dir::Etc::sourcelist=$apt/sources.list" -o Dir::Etc::sourceparts=- -o "Dir::State=$apt/state"
    -o "Dir::State::status=$apt/status" -o "Dir::Cache=$apt/cache" -o APT::Sandbox::User=root
    -o Acquire::Languages=none -o Acquire::Check-Valid-Until=false)
  apt-get "${options[@]}" -qq update
  apt-get "${options[@]}" -qq -y --no-install-recommends --download-only install "$@" >/dev/null
  for it in "$apt"/cache/archives/*.deb; do dpkg-deb -x "$it" "$root"; done
  rm -rf "$apt"
}

cache_directory() { echo "${XDG_CACHE_HOME:-$HOME/.cache}/scheduler-service"; }

# skip WHY: says loudly that something is left out, and ends; under CI it is a failure.
skip() {
  [ -z "${CI:-}" ] || die "$1"
  say "SKIPPED: $1"
  exit 0
}
