#!/usr/bin/env bash
# A real Redmine from Debian's packages, for the tests in this directory. Needs root.
#
#   install.sh DIRECTORY        installs what is missing, starts Redmine on a free port of loopback with its data in
#                               DIRECTORY, and prints the variables that the tests read, one KEY=value a line
#   install.sh stop DIRECTORY   ends it
#
# Safe to run again: a Redmine that still runs in DIRECTORY is printed once more. Nothing of the machine's own Redmine
# is used but its programs and, once, its empty database.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"

say() { printf '%s\n' "$*" >&2; }

if [ "$(id -u)" != 0 ]; then
    say "install.sh needs root: it installs packages and reads Redmine's settings"
    exit 2
fi

if [ "${1:-}" = stop ]; then
    directory="${2:?which directory?}"
    if [ -s "$directory/pid" ]; then
        pid="$(cat "$directory/pid")"
        kill "$pid" 2>/dev/null || true
        for _ in $(seq 100); do
            kill -0 "$pid" 2>/dev/null || break
            sleep 0.1
        done
        rm -f "$directory/pid"
    fi
    exit 0
fi

directory="${1:?in which directory?}"
mkdir -p "$directory"
directory="$(cd "$directory" && pwd)"

if [ -s "$directory/pid" ] && kill -0 "$(cat "$directory/pid")" 2>/dev/null; then
    cat "$directory/env"
    exit 0
fi

install_packages() {
    if dpkg-query -W -f '${Status}\n' redmine redmine-sqlite puma 2>/dev/null | grep -c '^install ok installed$' | grep -qx 3; then
        return
    fi
    say "installing Redmine from Debian's packages"
    # Packages must start nothing while they are installed. A policy that is there already says so or is somebody's.
    local policy=/usr/sbin/policy-rc.d made_policy=""
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod +x "$policy"
        made_policy=yes
    fi
    printf '%s\n' \
        'redmine redmine/instances/default/dbconfig-install boolean true' \
        'redmine redmine/instances/default/database-type select sqlite3' \
        'redmine redmine/default-language select en' | debconf-set-selections
    local installed=yes
    {
        apt-get update -q &&
            DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends redmine-sqlite redmine puma
    } >"$directory/apt.log" 2>&1 || installed=""
    [ -z "$made_policy" ] || rm -f "$policy"
    if [ -z "$installed" ]; then
        tail -n 20 "$directory/apt.log" >&2
        say "Redmine can't be installed; see $directory/apt.log"
        exit 1
    fi
}

install_packages

empty=/var/lib/dbconfig-common/sqlite3/redmine/instances/default/redmine_default
if [ ! -s "$directory/redmine.sqlite" ]; then
    cp "$empty" "$directory/redmine.sqlite"
fi

secret() { od -An -N20 -tx1 /dev/urandom | tr -d ' \n'; }
export RAILS_ENV=production RAILS_LOG_TO_STDOUT=1 X_DEBIAN_SITEID=default
export DATABASE_URL="sqlite3:$directory/redmine.sqlite?timeout=5000"
if [ ! -s "$directory/keys" ]; then
    (
        umask 077
        printf 'REDMINE_API_KEY=%s\nREDMINE_ADMIN_KEY=%s\nREDMINE_READER_KEY=%s\n' \
            "$(secret)" "$(secret)" "$(secret)" >"$directory/keys"
    )
fi
set -a
# shellcheck disable=SC1091
. "$directory/keys"
set +a

cd /usr/share/redmine
if ! bundle exec rails runner "$here/seed.rb" >"$directory/seed.log" 2>&1; then
    tail -n 20 "$directory/seed.log" >&2
    say "Redmine can't be set up; see $directory/seed.log"
    exit 1
fi

# Port 0: the kernel gives a free one, and puma says which. No worker may hold the output of this script open.
nohup puma -e production -b tcp://127.0.0.1:0 -t 2:5 config.ru </dev/null >"$directory/puma.log" 2>&1 &
pid=$!
printf '%s\n' "$pid" >"$directory/pid"
port=""
for _ in $(seq 600); do
    port="$(sed -n 's|^.*Listening on http://127\.0\.0\.1:\([0-9]*\).*$|\1|p' "$directory/puma.log" | head -n 1)"
    [ -z "$port" ] || break
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.1
done
if [ -z "$port" ]; then
    tail -n 20 "$directory/puma.log" >&2
    say "Redmine does not start; see $directory/puma.log"
    exit 1
fi
{
    printf 'REDMINE_URL=http://127.0.0.1:%s\nREDMINE_PROJECT=sec\n' "$port"
    cat "$directory/keys"
} >"$directory/env"
chmod 600 "$directory/env"
cat "$directory/env"
