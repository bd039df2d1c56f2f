#!/usr/bin/env bash
# A real stack to put under load: nginx, php-fpm and PostgreSQL with a small
# portal, in a folder of its own.
#
#   stack.sh up     [--dir D] [--port P] [--workers N] [--backlog N]
#   stack.sh status [--dir D]
#   stack.sh down   [--dir D]
#
# "up" installs what is missing (Debian and its relatives, as root), starts
# everything and prints the portal's address, alone, on standard output. "status"
# exits with 3 when a part is not running. "down" stops everything and removes the
# folder. The system's own services are neither started nor touched.
#
# --dir      /tmp/rivermark-stack by default; "up" wants one that is not there yet
# --port     of 127.0.0.1, 8090 by default
# --workers  children of php-fpm, 16 by default: requests worked on at once
# --backlog  connections that wait for one of them, 511 by default, which is
#            php-fpm's own; the kernel clips it to net.core.somaxconn
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
PATH=$PATH:/usr/sbin:/usr/local/sbin

fail() {
  echo "${0##*/}: $*" >&2
  exit 1
}

number() { # value least most
  [[ $1 =~ ^[0-9]{1,9}$ ]] && ((10#$1 >= $2 && 10#$1 <= $3))
}

action=${1-}
[[ $action =~ ^(up|down|status)$ ]] || fail "say up, down or status"
shift
dir=/tmp/rivermark-stack
port=8090
workers=16
backlog=511
while (($#)); do
  (($# > 1)) || fail "$1 wants a value"
  case $1 in
    --dir) dir=$2 ;;
    --port) port=$2 ;;
    --workers) workers=$2 ;;
    --backlog) backlog=$2 ;;
    *) fail "unknown argument $1" ;;
  esac
  shift 2
done
number "$port" 1 65535 || fail "--port: $port is no port"
number "$workers" 1 1000 || fail "--workers: use 1 to 1000, not $workers"
number "$backlog" 1 65535 || fail "--backlog: use 1 to 65535, not $backlog"
# It is written into configurations, and its sockets have at most 107 characters.
[[ $dir =~ ^/[A-Za-z0-9._/-]{1,60}$ ]] || fail "--dir: use an absolute path of at most 60 plain characters"

# Who the programs run as: PostgreSQL refuses root.
user=postgres
as=()
own() {
  if ((EUID == 0)); then
    id "$user" >/dev/null 2>&1 || fail "there is no user $user"
    as=(setpriv "--reuid=$user" "--regid=$user" --clear-groups --inh-caps=-all --)
  fi
}

newest() { # the last of the paths, as versions sort
  printf '%s\n' "$@" | sort -V | tail -n 1
}

find_programs() {
  shopt -s nullglob
  local servers=(/usr/lib/postgresql/*/bin/postgres) fpms=(/usr/sbin/php-fpm[0-9]*)
  shopt -u nullglob
  missing=()
  ((${#servers[@]})) || missing+=(postgresql)
  ((${#fpms[@]})) || missing+=(php-fpm)
  { command -v php >/dev/null && php -r 'exit(extension_loaded("pdo_pgsql") ? 0 : 1);'; } ||
    missing+=(php-cli php-pgsql)
  command -v nginx >/dev/null || missing+=(nginx)
  command -v curl >/dev/null || missing+=(curl)
  ((${#missing[@]})) && return 1
  postgres=$(dirname "$(newest "${servers[@]}")")
  fpm=$(newest "${fpms[@]}")
}

# Installs without starting anything: invoke-rc.d asks policy-rc.d.
install_missing() {
  ((EUID == 0)) || fail "missing: ${missing[*]}; install them, or run this as root"
  command -v apt-get >/dev/null || fail "missing: ${missing[*]}, and there is no apt-get"
  local policy=/usr/sbin/policy-rc.d mine=
  if [[ ! -e $policy ]]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    mine=$policy
  fi
  local status=0
  {
    apt-get update -q &&
      DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}"
  } >&2 || status=$?
  if [[ -n $mine ]]; then rm -f "$mine"; fi
  ((status == 0)) || fail "could not install ${missing[*]}"
}

fill() { # template target
  sed -e "s|@DIR@|$dir|g" -e "s|@PORT@|$port|g" -e "s|@WORKERS@|$workers|g" \
    -e "s|@BACKLOG@|$backlog|g" -e "s|@CONNECTIONS@|$((workers + 10))|g" "$1" >"$2"
}

start_postgres() {
  "${as[@]}" "$postgres/initdb" -D "$dir/data" -U portal --auth=trust --encoding=UTF8 \
    --locale=C.UTF-8 >"$dir/log/initdb.log" 2>&1 || fail "initdb failed; see $dir/log"
  cat "$dir/etc/postgresql.conf" >>"$dir/data/postgresql.conf"
  "${as[@]}" "$postgres/pg_ctl" -D "$dir/data" -l "$dir/log/postgresql.log" -s -w -t 60 start >&2 ||
    fail "PostgreSQL does not start; see $dir/log"
  local psql=("${as[@]}" "$postgres/psql" -h "$dir/run" -U portal -q -v ON_ERROR_STOP=1)
  "${psql[@]}" -d postgres -c 'CREATE DATABASE portal' >&2
  "${psql[@]}" -d portal -v budget=900000000 -v contractors=10000 -v decisions=40000 \
    -f "$dir/etc/schema.sql" >&2
}

up() {
  [[ ! -e $dir ]] || fail "$dir is there already; stack.sh down --dir $dir removes it"
  if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then fail "somebody listens on port $port already"; fi
  if ! find_programs; then
    install_missing
    find_programs || fail "still missing: ${missing[*]}"
  fi
  own
  trap 'status=$?; if ((status)); then tail -q -n 5 "$dir"/log/*.log >&2 || true; down || true; fi' EXIT
  mkdir -p "$dir"/{etc,log,run,tmp,portal}
  : >"$dir/etc/stack"
  local name
  for name in postgresql.conf php-fpm.conf nginx.conf; do fill "$here/$name" "$dir/etc/$name"; done
  cp "$here/schema.sql" "$dir/etc/"
  cp "$here"/portal/*.php "$here/../../../crates/surge/src/origin/style.css" "$dir/portal/"
  if ((EUID == 0)); then chown -R "$user" "$dir"; fi

  start_postgres
  "${as[@]}" "$fpm" --fpm-config "$dir/etc/php-fpm.conf" >&2
  "${as[@]}" nginx -p "$dir" -e "$dir/log/nginx.log" -c "$dir/etc/nginx.conf" >&2
  local path
  for path in / /apply/1 /heavy /static/style.css /__origin/stats; do
    curl -fsS -m 10 -o /dev/null "http://127.0.0.1:$port$path" || fail "$path is not answered"
  done
  trap - EXIT
  echo "http://127.0.0.1:$port"
}

# The process that a pid file of ours names, if it is still the one.
running() { # pid-file program
  local pid
  [[ -r $1 ]] || return 1
  pid=$(head -n 1 "$1")
  [[ $pid =~ ^[0-9]+$ ]] || return 1
  [[ $(cat "/proc/$pid/comm" 2>/dev/null) == "$2"* ]] && echo "$pid"
}

parts() {
  printf '%s %s\n' nginx run/nginx.pid php-fpm run/php-fpm.pid postgres data/postmaster.pid
}

status() {
  local name file pid dead=0
  while read -r name file; do
    if pid=$(running "$dir/$file" "$name"); then
      echo "$name: process $pid"
    else
      echo "$name: not running"
      dead=3
    fi
  done < <(parts)
  return "$dead"
}

down() {
  [[ -e $dir ]] || return 0
  [[ -f $dir/etc/stack ]] || fail "$dir is not a folder of this script"
  local name file pid tries left=0
  while read -r name file; do
    pid=$(running "$dir/$file" "$name") || continue
    # At once for all three: nginx and php-fpm end on TERM, PostgreSQL on INT.
    if [[ $name == postgres ]]; then kill -INT "$pid"; else kill -TERM "$pid"; fi
    for ((tries = 0; tries < 600; tries++)); do
      kill -0 "$pid" 2>/dev/null || break
      sleep 0.05
    done
    if kill -0 "$pid" 2>/dev/null; then
      echo "${0##*/}: $name, process $pid, does not end" >&2
      left=1
    fi
  done < <(parts)
  ((left == 0)) || return 1
  rm -rf "$dir"
}

"$action"
