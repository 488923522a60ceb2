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
