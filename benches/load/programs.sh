# Programs under load: started on free ports, pinned, and stopped with the script.
# Sourced by compare.sh and soak.sh.

set -euo pipefail
load=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
release=${CARGO_TARGET_DIR:-$load/../../target}/release
# Where rivals/install.sh puts it.
envoy=${CARGO_TARGET_DIR:-$load/../../target}/rivals/bin/envoy
PATH=$PATH:/usr/sbin:/usr/local/sbin

work=$(mktemp -d)
# nginx drops its privileges before it opens its files.
chmod 755 "$work"
started=()

stop_all() {
  local status=$?
  if ((${#started[@]})); then
    kill -TERM "${started[@]}" 2>/dev/null || true
    wait "${started[@]}" 2>/dev/null || true
  fi
  if ((status)); then
    local out
    for out in "$work"/*.out; do
      # HAProxy's access log goes there too, and says nothing about a failure.
      if [[ -s $out && $out != */haproxy.out ]]; then tail -n 20 "$out" >&2; fi
    done
  fi
  rm -rf "$work"
}
trap stop_all EXIT
trap 'exit 130' INT TERM

fail() {
  echo "${0##*/}: $*" >&2
  exit 1
}

need() {
  local name
  for name in "$@"; do
    command -v "$name" >/dev/null || fail "$name is missing; cargo xtask test installs it"
  done
}

# The cores that this process may use, one a line.
cores() {
  awk '/^Cpus_allowed_list:/ {
    n = split($2, parts, ",")
    for (i = 1; i <= n; i++) {
      m = split(parts[i], ends, "-")
      for (core = ends[1]; core <= (m > 1 ? ends[2] : ends[1]); core++) print core
    }
  }' /proc/self/status
}

# Sets `port` to one of 127.0.0.1 that nobody listens on.
port=$((12000 + RANDOM % 8000))
free_port() {
  local tries
  for ((tries = 0; tries < 1000; tries++)); do
    port=$((port + 1))
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || return 0
  done
  fail "no port is free"
}

wait_for_port() { # port pid
  local tries
  for ((tries = 0; tries < 200; tries++)); do
    if (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; then return 0; fi
    kill -0 "$2" 2>/dev/null || fail "the program for port $1 ended"
    sleep 0.05
  done
  fail "nobody listens on port $1"
}

# start NAME PORT COMMAND...: runs it in the background, waits for its port, sets `pid`.
start() {
  local name=$1 at=$2
  shift 2
  "$@" >"$work/$name.out" 2>&1 </dev/null &
  pid=$!
  started+=("$pid")
  wait_for_port "$at" "$pid"
}

# fill TEMPLATE TARGET NAME=VALUE...: writes the template with every @NAME@ replaced.
fill() {
  local template=$1 target=$2 pair expressions=()
  shift 2
  for pair in "$@" "WORK=$work"; do
    expressions+=(-e "s|@${pair%%=*}@|${pair#*=}|g")
  done
  sed "${expressions[@]}" "$template" >"$target"
  ! grep -n '@[A-Z]\+@' "$target" >&2 || fail "$template has an unknown name"
}

# CPU time of a process and its children so far, in clock ticks.
ticks() {
  local each sum=0 fields
  for each in "$1" $(cat "/proc/$1/task/$1/children" 2>/dev/null || true); do
    read -r fields <"/proc/$each/stat"
    # The name may hold spaces; what follows its last parenthesis does not.
    read -ra fields <<<"${fields##*) }"
    sum=$((sum + fields[11] + fields[12]))
  done
  echo "$sum"
}

# Resident memory of a process in KiB.
resident() {
  awk '/^VmRSS:/ { print $2 }' "/proc/$1/status"
}
