#!/usr/bin/env bash
# A surge at ten times the origin's capacity, half of the time with the quota
# lifted and half with the default one, from a crowd with cookies and from wrk.
#
#   soak.sh [--seconds N] [--capacity R] [--least PERCENT]
#
# Fails unless: nobody was reset or refused and every request was answered; the
# origin's own count of requests in flight never passed the limit; the origin
# did at least 90 % (--least) of its own peak, for visitors still there, in every ten
# seconds after the first five; and the proxy's memory stopped growing.
. "$(dirname "${BASH_SOURCE[0]}")/programs.sh"

seconds=60
capacity=200
limit=87
least=90
while (($#)); do
  case $1 in
    --seconds) seconds=$2 ;;
    --capacity) capacity=$2 ;;
    --least) least=$2 ;;
    *) fail "unknown argument $1" ;;
  esac
  shift 2
done
need wrk curl
half=$((seconds / 2))
((half >= 20)) || fail "$seconds seconds are too few: each half needs 20"
[[ -x $release/forebay && -x $release/surge ]] || fail "forebay or surge is missing; cargo xtask soak builds them"
# A visit of the crowd is about seven requests: ten times the capacity in all.
visitors=$((capacity * 10 / 7))
connections=$((capacity * 3))
complaints=0

complain() {
  echo "soak.sh: $*" >&2
  complaints=$((complaints + 1))
}

# origin_count NAME: what the origin itself counted.
origin_count() {
  curl -s "http://127.0.0.1:$origin/__origin/stats" | grep -o "\"$1\": *[0-9]*" | head -n 1 | grep -o '[0-9]*$'
}

# crowd_count FILE NAME: of the crowd's requests.
crowd_count() {
  tr -d ' \n' <"$1" | sed 's/"visits".*//' | grep -o "\"$2\":[0-9]*" | head -n 1 | grep -o '[0-9]*$'
}

# watch PID FILE: each second what the origin has done for somebody still there, and
# the proxy's memory.
watch() {
  while kill -0 "$1" 2>/dev/null; do
    echo "$(date +%s.%N) $(origin_count useful) $(resident "$1")"
    sleep 1
  done >"$2"
}

surge_of() { # NAME
  local name=$1 proxy watcher crowd out
  free_port && origin=$port
  start "origin-$name" "$origin" "$release/surge" origin --listen "127.0.0.1:$origin" --capacity "$capacity"
  free_port && local admin=$port
  free_port && local address=$port
  cat "$load/soak.toml" ${2:+"$load/$2"} >"$work/soak.template"
  fill "$work/soak.template" "$work/$name.toml" "PORT=$address" "ORIGIN=$origin" "ADMIN=$admin" \
    "LIMIT=$limit" "NAME=$name"
  start "forebay-$name" "$address" "$release/forebay" run --config "$work/$name.toml"
  proxy=$pid

  watch "$proxy" "$work/$name.watch" &
  watcher=$!
  started+=("$watcher")
  "$release/surge" run --target "http://127.0.0.1:$address" --rate "$visitors" --seconds "$half" \
    --plain --json "$work/$name.json" >"$work/crowd-$name.out" 2>&1 &
  crowd=$!
  started+=("$crowd")
  out=$(wrk -t1 -c"$connections" -d"${half}s" --timeout 30s -s "$load/paced.lua" "http://127.0.0.1:$address/")
  wait "$crowd" || complain "$name: the crowd could not run"
  kill "$watcher" 2>/dev/null || true
  wait "$watcher" 2>/dev/null || true
  judge "$name" "$out" "$admin"
  kill -TERM "$proxy"
  wait "$proxy" || complain "$name: the proxy did not end in order"
}

judge() { # NAME WRK_OUTPUT ADMIN
  local name=$1 kind count ours most
  if grep -q 'Socket errors' <<<"$2"; then complain "$name: wrk:$(grep 'Socket errors' <<<"$2")"; fi
  for kind in reset_before reset_after reset_at_end refused truncated closed malformed timed_out connect_timed_out failed; do
    count=$(crowd_count "$work/$name.json" "$kind") || count=unknown
    [[ $count == 0 ]] || complain "$name: the crowd saw $kind: $count"
  done
  most=$(origin_count in_flight_max)
  ((most <= limit)) || complain "$name: $most in flight at the origin, the limit is $limit"
  ours=$(curl -s "http://127.0.0.1:$3/metrics" |
    awk '/^forebay_connections_closed_total/ && /by="us"/ && /how="rst"/ { sum += $NF } END { print sum + 0 }')
  [[ $ours == 0 ]] || complain "$name: the proxy reset $ours connections by its own count"
  windows "$name" || complain "$name: see above"
  echo "$name: crowd asked $(crowd_count "$work/$name.json" begun) times," \
    "wrk $(awk '/ requests in / { print $1 }' <<<"$2"); at most $most in flight;" \
    "$(tail -n 1 "$work/$name.watch" | awk '{ printf "%.0f", $3 / 1024 }') MiB at the end"
}

# The origin's useful work in every ten seconds, and the proxy's memory in the last third.
windows() {
  awk -v name="$1" -v peak="$capacity" -v least="$least" '
    { at[NR] = $1; done[NR] = $2; memory[NR] = $3 }
    END {
      lowest = 9
      for (i = 6; i <= NR; i++)
        for (j = i + 1; j <= NR; j++)
          if (at[j] - at[i] >= 10) {
            share = (done[j] - done[i]) / (at[j] - at[i]) / peak
            if (share < lowest) lowest = share
            break
          }
      printf "%s: at least %.0f %% of the peak in every ten seconds\n", name, 100 * lowest
      if (lowest < least / 100 || lowest == 9) bad = 1
      early = memory[int(NR * 2 / 3)]
      grown = memory[NR] - early
      if (grown > early * 0.2 + 8192) {
        printf "%s: memory grew by %d KiB in the last third\n", name, grown > "/dev/stderr"
        bad = 1
      }
      exit bad
    }' "$work/$1.watch"
}

surge_of lifted soak-lifted.toml
surge_of default
((complaints == 0)) || fail "$complaints complaints"
