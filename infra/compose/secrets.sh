#!/usr/bin/env bash
# Writes the secrets of the compose file into a volume, as files: those that .env gives, and made-up ones for the others.
# What was made up stays as it is, however often this runs.
set -euo pipefail
cd /run/scheduler

random() { od -An -tx1 -N32 /dev/urandom | tr -d ' \n'; }

# keep FILE VALUE USER: VALUE if there is one, else what the file holds, else something new.
keep() {
  local file="$1" value="$2" user="$3"
  if [ -z "$value" ] && [ -s "$file" ]; then value=$(cat "$file"); fi
  (umask 077 && printf '%s' "${value:-$(random)}" >"$file.new")
  chown "$user:$user" "$file.new"
  chmod 0440 "$file.new"
  mv -f "$file.new" "$file"
}

# For those who read them: PostgreSQL (999) and the service (65532).
keep postgres-password "$POSTGRES_PASSWORD" 999
keep secret-key "$SECRET_KEY" 65532
keep admin-key "$SCHEDULER_ADMIN_KEY" 65532

# A URL of SQLite's is that of somebody who also runs the service without containers.
case "$DATABASE_URL" in
  postgres://* | postgresql://*) url="$DATABASE_URL" ;;
  *)
    encoded=''
    password=$(cat postgres-password)
    for ((at = 0; at < ${#password}; at++)); do
      case "${password:at:1}" in
        [a-zA-Z0-9._~-]) encoded+="${password:at:1}" ;;
        *) encoded+=$(printf '%s' "${password:at:1}" | od -An -tx1 | tr -d '\n' | sed 's/ /%/g') ;;
      esac
    done
    url="postgres://$POSTGRES_USER:$encoded@db:5432/$POSTGRES_DB"
    ;;
esac
keep database-url "$url" 65532
