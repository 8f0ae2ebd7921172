#!/usr/bin/env bash
# The one place that knows how to run a private PostgreSQL. For development and tests only.
#
#   local/postgres.sh start DIR [durable]      make the cluster in DIR if there is none, and start it
#   local/postgres.sh stop DIR                 stop it
#   local/postgres.sh remove DIR               stop it and delete its data
#   local/postgres.sh running DIR              succeed if it answers
#   local/postgres.sh url DIR                  print its DATABASE_URL
#   local/postgres.sh psql DIR [ARGS]          open psql on it
#   local/postgres.sh with DIR CMD...          run CMD with DATABASE_URL set; stop the server if this started it
#   local/postgres.sh with-throwaway CMD...    the same on an empty database that is gone afterwards
#   local/postgres.sh programs                 print the folder of the server's programs
#
# `with` and `psql` use the caller's own DATABASE_URL when it is set, and then start nothing.
#
# The server listens on 127.0.0.1 only, on a port of its own that DIR/port remembers, and has no Unix
# socket. It asks for no password: whoever can log in to this machine can read it. A cluster is durable
# or not from the day it is made: without the word `durable` a power cut may cost all of it.
set -euo pipefail

readonly oldest=15 role=bank database=simplebank

home=     # the cluster's folder, symbolic links resolved
owner=    # the user its server runs as; empty: this one
bin=      # where its programs are
child=    # the leader of the running command's process group

note() { echo "postgres: $*" >&2; }

fail() {
  note "$@"
  exit 1
}

# ------------------------------------------------------------------------------------------ programs

major_of() { "$1/postgres" --version 2>/dev/null | sed 's/[^0-9]*\([0-9]*\).*/\1/'; }

# Prints the folder of the newest server, or of the one whose major version is $1: a cluster can only
# be served by the version that made it.
programs() {
  local wanted=${1:-} dir major best='' best_major=0
  for dir in "$(dirname "$(command -v postgres || echo /none/postgres)")" \
    /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /usr/libexec/postgresql* \
    /opt/homebrew/opt/postgresql*/bin /usr/local/opt/postgresql*/bin /home/linuxbrew/.linuxbrew/opt/postgresql*/bin; do
    [[ -x $dir/initdb && -x $dir/pg_ctl && -x $dir/psql ]] || continue
    major=$(major_of "$dir")
    [[ -z $wanted || $major == "$wanted" ]] || continue
    ((${major:-0} > best_major)) || continue
    best=$dir best_major=$major
  done
  ((best_major >= oldest)) || fail "PostgreSQL ${wanted:-$oldest or later} is not installed (make setup-postgres)"
  echo "$best"
}

# ------------------------------------------------------------------------------------------ the folder

# Points home, owner and bin at DIR, which has to exist.
locate() {
  home=$(cd -P "$1" && pwd)
  local data=$home/data version=
  owner=
  if [[ $(id -u) == 0 ]]; then
    # PostgreSQL refuses to run as root.
    owner=$(getent passwd postgres >/dev/null && echo postgres || echo nobody)
    [[ ! -d $data ]] || owner=$(stat -c %U "$data")
  elif [[ -d $data && ! -O $data ]]; then
    fail "$data belongs to another user: start it as that user or as root, or remove it"
  fi
  [[ ! -f $data/PG_VERSION ]] || version=$(<"$data/PG_VERSION")
  bin=$(programs "$version")
}

# Runs a command as the cluster's owner, in a folder that everybody may enter.
as_owner() {
  if [[ -z $owner ]]; then
    (cd / && "$@")
  elif setpriv --help 2>/dev/null | grep -q -e --reuid; then
    (cd / && setpriv --reuid="$owner" --regid="$(id -g "$owner")" --clear-groups "$@")
  elif command -v runuser >/dev/null; then
    (cd / && runuser -u "$owner" -- "$@")
  else
    fail "cannot leave root: install util-linux (setpriv), or run this as another user"
  fi
}

# Gives the folder to its owner. Where the owner may not go (a project under /root), the data live in
# /var/lib instead and DIR becomes a link to them.
hand_over() {
  [[ -n $owner ]] || return 0
  chown "$owner" "$home"
  ! as_owner test -w "$home" || return 0
  local hidden=$home
  home=/var/lib/simplebank-$(printf %s "$hidden" | cksum | cut -d' ' -f1)
  note "the user $owner cannot reach $hidden, so the data go to $home"
  mkdir -p "$home"
  rmdir "$hidden"
  ln -s "$home" "$hidden"
  locate "$home"
  chown "$owner" "$home"
}

# ------------------------------------------------------------------------------------------ the cluster

# C.UTF-8 where there is one, so that lower() knows more than ASCII and sorting is the same everywhere.
utf8_locale() { { locale -a 2>/dev/null || true; } | grep -iE -m1 '^(C|en_US)\.utf-?8$' || echo C; }

settings() {
  cat <<'CONF'

# Written by local/postgres.sh.
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 300
timezone = 'UTC'
log_timezone = 'UTC'
lc_messages = 'C'
# Without the detail of a refused row, which has a customer's address in it.
log_error_verbosity = 'terse'
CONF
  [[ $1 == durable ]] || cat <<'CONF'
# fsync stays on: the functions refuse a server without it, and in memory it costs nothing.
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
max_wal_size = '256MB'
# In the data folder, so that nothing is left in /dev/shm even if a start is interrupted.
dynamic_shared_memory_type = mmap
CONF
}

# Under another name until it is whole, so that an interrupted or a second start leaves no half-made cluster.
initialise() {
  local new=$home/new.$$ log=$home/initdb.log locale
  locale=$(utf8_locale)
  as_owner "$bin/initdb" -D "$new" -U "$role" -A trust -E UTF8 --locale="$locale" --no-sync >"$log" 2>&1 || {
    tail -20 "$log" >&2
    fail "initdb failed"
  }
  settings "$1" >>"$new/postgresql.conf"
  if [[ -d $home/data ]]; then rm -rf "$new"; else mv "$new" "$home/data"; fi
}

query() { "$bin/psql" -X -At -h 127.0.0.1 -p "$(<"$home/port")" -U "$role" -d postgres -c "$1"; }

# Asks the server whose data it serves: neither a stale pid file nor a stranger on the port passes for ours.
answers() {
  [[ -s $home/port ]] || return 1
  [[ $(PGCONNECT_TIMEOUT=3 query 'show data_directory' 2>/dev/null) == "$home/data" ]]
}

# Succeeds if the server's process lives: the number in its pid file may be stale, or another program's by
# now, or that of a dead process that nobody has buried (which has no command line any more).
lives() {
  local pid words
  pid=$(head -1 "$home/data/postmaster.pid" 2>/dev/null) || return 1
  words=$(tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" || ps -p "$pid" -o command= 2>/dev/null) || return 1
  [[ $words == *postgres* ]]
}

taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Keeps the remembered port while it is free. New ones lie below the range that outgoing connections use.
choose_port() {
  local port=
  [[ ! -s $home/port ]] || port=$(<"$home/port")
  while [[ -z $port ]] || taken "$port"; do port=$((20000 + RANDOM % 12000)); done
  echo "$port" >"$home/port"
}

# More than one attempt: another program may take the port in between, another start of the same folder may
# be quicker, and what a crashed server left behind takes a moment to go away.
launch() {
  local log=$home/log
  for _ in 1 2 3 4 5 6; do
    if ! lives; then
      rm -f "$home/data/postmaster.pid" "$log"
      choose_port
      as_owner "$bin/pg_ctl" -D "$home/data" -l "$log" -o "-p $(<"$home/port")" -w -t 60 start </dev/null >/dev/null 2>&1 && return
    fi
    for _ in {1..10}; do
      ! answers || return 0
      sleep 0.1
    done
  done
  tail -20 "$log" >&2 || true
  fail "the server did not start; its log is $log"
}

has_database() { [[ -n $(query "select 1 from pg_database where datname = '$database'") ]]; }

start() {
  mkdir -p "$1"
  locate "$1"
  ! answers || return 0
  if [[ ! -d $home/data ]]; then
    hand_over
    [[ -d $home/data ]] || initialise "${2:-}"
  fi
  launch
  has_database || query "create database $database" >/dev/null || has_database
}

stop() {
  [[ -d $1/data ]] || return 0
  locate "$1"
  lives || return 0
  as_owner "$bin/pg_ctl" -D "$home/data" -m "${2:-fast}" -w stop >/dev/null
}

remove() {
  [[ -d $1 ]] || return 0
  stop "$1" immediate
  rm -rf "$(cd -P "$1" && pwd)" "$1"
}

running() { [[ -d $1/data ]] && locate "$1" && answers; }

url() {
  [[ -s $1/port ]] || fail "there is no cluster in $1 (make db-start)"
  echo "postgres://$role@127.0.0.1:$(<"$1/port")/$database"
}

# ------------------------------------------------------------------------------------------ commands on it

# Ends the command with every process it left behind, then runs "$@", then leaves with the command's own exit code.
finish() {
  local code=$?
  trap - EXIT
  trap '' INT TERM HUP
  [[ -z $child ]] || end_group
  "$@"
  exit "$code"
}

end_group() {
  kill -TERM -- "-$child" 2>/dev/null || return 0
  for _ in {1..100}; do kill -0 "$child" 2>/dev/null || break; sleep 0.1; done
  for _ in {1..10}; do kill -0 -- "-$child" 2>/dev/null || return 0; sleep 0.1; done
  kill -KILL -- "-$child" 2>/dev/null || true
}

finally() {
  # shellcheck disable=SC2064 # the words are meant to be fixed now
  trap "finish $(printf '%q ' "$@")" EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
}

# In a process group of its own, so that one signal reaches all of it, whoever sent it and to whom.
run() {
  # A background group must not read the terminal.
  [[ ! -t 0 ]] || exec </dev/null
  set -m
  "$@" &
  child=$!
  set +m
  # Bash would report the signal that ended it.
  wait "$child" 2>/dev/null
}

# Makes DATABASE_URL the caller's, or that of the cluster in $1, which is stopped at the end if it was not running.
provide() {
  if [[ -n ${DATABASE_URL:-} ]]; then
    finally true
    return
  fi
  if running "$1"; then
    finally true
  else
    finally stop "$1"
    start "$1" durable
  fi
  DATABASE_URL=$(url "$1")
  export DATABASE_URL
}

with() {
  local dir=$1
  shift
  provide "$dir"
  run "$@"
}

with_throwaway() {
  local dir
  dir=$(scratch)
  finally remove "$dir"
  start "$dir"
  DATABASE_URL=$(url "$dir")
  # pg_dump, where the server's own programs are not on everybody's way.
  export DATABASE_URL PATH="$PATH:$bin"
  run "$@"
}

# In memory if a test run fits there.
scratch() {
  local parent=${TMPDIR:-/tmp} room
  room=$(df -Pk /dev/shm 2>/dev/null | awk 'NR == 2 { print $4 }') || room=0
  if [[ -w /dev/shm ]] && ((${room:-0} > 1024 * 1024)); then parent=/dev/shm; fi
  mktemp -d "$parent/simplebank-test.XXXXXX"
}

open_psql() {
  local dir=$1
  shift
  provide "$dir"
  # Ctrl-C cancels a query here.
  trap : INT
  "$(programs)/psql" "$DATABASE_URL" "$@"
}

usage() {
  sed -n '2,/^set /{/^#/s/^# \{0,1\}//p;}' "$0"
  exit 2
}

command=${1:-}
shift || usage
[[ $command == programs || $# -gt 0 ]] || usage
# Settings that psql and the drivers would read in place of ours.
[[ -n ${DATABASE_URL:-} && $command != with-throwaway ]] || unset "${!PG@}"
case $command in
  start | stop | remove | running | url | with | programs) "$command" "$@" ;;
  with-throwaway) with_throwaway "$@" ;;
  psql) open_psql "$@" ;;
  *) usage ;;
esac
