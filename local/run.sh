#!/usr/bin/env bash
# The bank on this machine, once the workspace is built and DATABASE_URL names its database, as the
# schema's owner. The functions connect as bank_app, by APPLICATION_DATABASE_URL if that is set.
# Meant to be started by `local/postgres.sh with`, which ends every process of it.
#
# Queues, secrets and mail are those of the emulator of AWS at AWS_ENDPOINT_URL. If that is not set, it is
# moto, started here, which forgets everything when it ends; its log is .local/emulator.log.
#
# Of what the functions log, metrics are left out, which are several long lines for each request; METRICS=1
# shows them.
#
#   local/run.sh serve [MORE]      migrate, then run the gateway with the built functions, and the gRPC server;
#                                  MORE are more arguments for the gateway
#   local/run.sh watch             the same, with cargo-lambda building and restarting the functions
#   local/run.sh migrate ACTION    up, down or status
#   local/run.sh verify            recompute every rule of the books
set -euo pipefail
cd "$(dirname "$0")/.."

bin=${BIN:-target/debug} port=${PORT:-8080} grpc_port=${GRPC_PORT:-9090} watch_port=${WATCH_PORT:-9000}
url=http://127.0.0.1:$port
watcher=  # the process of cargo-lambda, if it runs
emulator= # the process of moto, if it was started here
application_url=${APPLICATION_DATABASE_URL:-$(sed -E 's,^([a-z]+://)([^/@]*@)?,\1bank_app@,' <<<"$DATABASE_URL")}
[[ $application_url != *[?\&]user=* ]] || {
  echo "DATABASE_URL names its user in the query: put it before the host, or set APPLICATION_DATABASE_URL." >&2
  exit 1
}
bank=("$bin/bank-local" --template template.yaml --functions "$bin" --host 127.0.0.1 --port "$port"
  --parameters .local/parameters --secrets .local/secrets
  --parameter "DatabaseUrl=$application_url" --parameter "OwnerDatabaseUrl=$DATABASE_URL")

fail() {
  echo "$*" >&2
  exit 1
}

migrate() { "${bank[@]}" invoke migrate --data "{\"action\":\"$1\"}"; }

# Fails if a rule is broken.
verify() {
  local report
  report=$("${bank[@]}" invoke verify --data '{}') ||
    fail "The books could not be read. Is the database migrated (make migrate-up)?"
  echo "$report"
  [[ $report == *'"books_are_right":true'* ]]
}

taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

lives() { kill -0 "$1" 2>/dev/null; }

# Waits until $1 answers at $2, as long as each of the processes $3... is there.
wait_for() {
  local what=$1 address=$2 pid
  shift 2
  for _ in {1..600}; do
    curl -fs -o /dev/null --max-time 5 "$address" && return
    for pid in "$@"; do lives "$pid" || fail "$what did not start."; done
    sleep 0.1
  done
  fail "$what does not answer at $address."
}

# Starts moto if there is no emulator yet, at a port below the range that outgoing connections use.
start_emulator() {
  [[ -z ${AWS_ENDPOINT_URL:-} ]] || return 0
  local at=
  while [[ -z $at ]] || taken "$at"; do at=$((20000 + RANDOM % 12000)); done
  export AWS_ENDPOINT_URL=http://127.0.0.1:$at
  moto_server -H 127.0.0.1 -p "$at" >.local/emulator.log 2>&1 &
  emulator=$!
}

# Passes on a log, to its end: Ctrl-C is for the others.
without_metrics() {
  trap '' INT
  if [[ ${METRICS:-} == 1 ]]; then cat; else grep --line-buffered -v '"_aws"'; fi
}

banner() {
  cat <<TEXT

  SimpleBank answers at $url. Ctrl-C stops it; its data stay.
  gRPC answers at 127.0.0.1:$grpc_port, without TLS; its reflection says what there is.
  The mail that it sends is at $url/_local/mail.
  All of it can be tried in a browser at $url/docs. Or paste these into another terminal;
  README.md goes on to a transfer.

curl -s $url/users -H 'Content-Type: application/json' -d '{"username":"dora","password":"seven tall cranes","full_name":"Dora Spenlow","email":"dora@example.com"}'

TOKEN=\$(curl -s $url/users/login -H 'Content-Type: application/json' -d '{"username":"dora","password":"seven tall cranes"}' | sed 's/.*"access_token": *"\([^"]*\)".*/\1/')

curl -s $url/accounts -H "Authorization: Bearer \$TOKEN" -H 'Content-Type: application/json' -d '{"currency":"USD"}'

TEXT
}

serve() {
  ! taken "$port" || fail "Port $port is taken: try PORT=$((port + 1)) make run"
  ! taken "$grpc_port" || fail "Port $grpc_port is taken: try GRPC_PORT=$((grpc_port + 1)) make run"
  start_emulator
  migrate up
  [[ -z $emulator ]] || wait_for "The emulator of AWS" "$AWS_ENDPOINT_URL/moto-api/" "$emulator"
  "${bank[@]}" "$@" 2> >(without_metrics >&2) &
  local gateway=$!
  wait_for "The bank" "$url/healthz" "$gateway" ${watcher:+"$watcher"}
  # cargo-lambda builds what it invokes, and nobody invokes this: it stays as it was built before.
  "${bank[@]}" exec rpc --env "GRPC_SERVER_ADDRESS=127.0.0.1:$grpc_port" &
  local grpc=$!
  until taken "$grpc_port"; do
    lives "$grpc" || fail "The gRPC server did not start."
    sleep 0.1
  done
  banner
  # Not `wait -n`, which the bash of macOS does not have.
  while lives "$gateway" && lives "$grpc"; do sleep 0.5; done
  ! lives "$gateway" || fail "The gRPC server has ended, and so does the bank."
  wait "$gateway"
}

watch() {
  ! taken "$watch_port" || fail "Port $watch_port is taken: try WATCH_PORT=$((watch_port + 1)) make watch"
  start_emulator
  (umask 077 && "${bank[@]}" env >.local/watch.env)
  # Its own default is every address of the machine.
  cargo lambda watch -A 127.0.0.1 -P "$watch_port" --env-file .local/watch.env &
  watcher=$!
  until taken "$watch_port"; do
    lives "$watcher" || fail "cargo-lambda did not start."
    sleep 0.1
  done
  serve --lambda-endpoint "http://127.0.0.1:$watch_port"
}

case "${1:-}" in
  serve | watch) "$@" ;;
  migrate) migrate "${2:?up, down or status}" ;;
  verify) verify ;;
  *) fail "usage: local/run.sh serve [MORE] | watch | migrate ACTION | verify" ;;
esac
