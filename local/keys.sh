#!/usr/bin/env bash
# The keys of this machine's bank, in a folder: `secrets`, which the emulator of AWS is given, and
# `parameters` for the template, which name them. `token_keys` is looked for in BIN, else in PATH.
#
#   local/keys.sh make FOLDER      make them, unless they are there
#   local/keys.sh rotate FOLDER    make new keys of tokens current; those before stay valid until the next time
set -euo pipefail

[[ $# == 2 ]] || {
  echo "usage: local/keys.sh make | rotate FOLDER" >&2
  exit 1
}
action=$1 folder=$2 tool=${BIN:+$BIN/}token_keys
keyring_name=simplebank/dev/keyring cursor_name=simplebank/dev/cursor_key
umask 077
mkdir -p "$folder"

kept() { sed -n "s,^$1=,,p" "$folder/secrets"; }

# Both files or none. A command that fails ends the script only where its output is assigned.
write() {
  local keyring=$1 cursor_key=$2 public
  public=$("$tool" public <<<"$keyring")
  printf '%s=%s\n' "$keyring_name" "$keyring" "$cursor_name" "$cursor_key" >"$folder/secrets.new"
  printf '%s=%s\n' SigningKeyringSecret "$keyring_name" CursorKeySecret "$cursor_name" \
    TokenPublicKeys "$public" >"$folder/parameters.new"
  mv "$folder/secrets.new" "$folder/secrets"
  mv "$folder/parameters.new" "$folder/parameters"
}

case $action in
  make)
    if [[ ! -s $folder/secrets || ! -s $folder/parameters ]]; then
      keyring=$("$tool" new)
      cursor_key=$("$tool" cursor)
      write "$keyring" "$cursor_key"
      echo "Wrote new keys to $folder"
    fi
    ;;
  rotate)
    keyring=$(kept "$keyring_name" | "$tool" rotate)
    cursor_key=$(kept "$cursor_name")
    write "$keyring" "$cursor_key"
    echo "Rotated the keys in $folder; restart what runs with them"
    ;;
  *) echo "$action: make or rotate" >&2 && exit 1 ;;
esac
