#!/usr/bin/env bash
# Succeeds if a server on this machine says that it is well: for images, which have no HTTP client.
#
#   local/probe.sh rest PORT       the gateway and a function behind it
#   local/probe.sh grpc PORT       the gRPC server, which answers HTTP/1.1 and JSON as well
set -euo pipefail

# Prints the answer to $2 with the body $3 from the port $1.
ask() {
  exec 3<>"/dev/tcp/127.0.0.1/$1"
  printf '%s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s' \
    "$2" "${#3}" "$3" >&3
  cat <&3
}

case "${1:-}" in
  rest) [[ $(ask "${2:?a port}" "GET /healthz" "") == "HTTP/1.1 200 "* ]] ;;
  grpc) [[ $(ask "${2:?a port}" "POST /grpc.health.v1.Health/Check" "{}") == "HTTP/1.1 200 "*'"SERVING"'* ]] ;;
  *) sed -n '2,/^set /{/^#/s/^# \{0,1\}//p;}' "$0" && exit 2 ;;
esac
