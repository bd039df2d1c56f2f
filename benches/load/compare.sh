#!/usr/bin/env bash
# CPU time per request of Forebay, nginx and HAProxy on the same work, in one
# interleaved run: in each round every program does every work once.
#
#   compare.sh [--seconds N] [--rounds N] [--only A,B] [--bar R] [--write FILE]
#
# Two works: "proxied" is 1 KiB from the origin over kept connections, "page" is
# the proxy's own 503 page, Forebay's waiting page and the same bytes from the
# others. One worker each, pinned to one core; origin and load generator share
# another. Every program logs each request to a file. What is divided is the
# time that the kernel accounts to the proxy's processes, so a generator that is
# slower than the proxy does not distort it.
. "$(dirname "${BASH_SOURCE[0]}")/programs.sh"

seconds=360
rounds=4
only=forebay,nginx,haproxy
bar=
write=
while (($#)); do
  case $1 in
    --seconds) seconds=$2 ;;
    --rounds) rounds=$2 ;;
    --only) only=$2 ;;
    --bar) bar=$2 ;;
    --write) write=$2 ;;
    *) fail "unknown argument $1" ;;
  esac
  shift 2
done
IFS=, read -ra programs <<<"$only"
works=(proxied page)
connections=64
# What a browser sends for a page that a person asked for.
accept='Accept: text/html,application/xhtml+xml;q=0.9,*/*;q=0.8'
navigate='Sec-Fetch-Dest: document'

need nginx wrk curl taskset
leg=$((seconds / (rounds * ${#works[@]} * ${#programs[@]})))
((leg >= 1)) || fail "$seconds seconds are too few for $rounds rounds"
mapfile -t mine < <(cores)
proxy_core=${mine[0]}
load_core=${mine[1]:-${mine[0]}}

mkdir -p "$work/site" "$work/page"
head -c 1024 /dev/zero | tr '\0' x >"$work/site/1k"
head -c 6144 /dev/zero | tr '\0' x >"$work/page/page.html"
chmod -R a+rX "$work"

free_port && origin=$port
fill "$load/cost/origin.conf" "$work/origin.conf" "ORIGIN=$origin"
start origin "$origin" taskset -c "$load_core" nginx -p "$work" -e "$work/origin.log" -c "$work/origin.conf"

declare -A at pid_of
start_forebay() {
  [[ -x $release/forebay ]] || fail "$release/forebay is missing; cargo xtask compare builds it"
  local kind
  for kind in "${works[@]}"; do
    free_port && local admin=$port
    fill "$load/cost/forebay-$kind.toml" "$work/forebay-$kind.toml" "ORIGIN=$origin" \
      "PROXIED=${at[forebay,proxied]}" "PAGE=${at[forebay,page]}" "ADMIN=$admin"
    start "forebay-$kind" "${at[forebay,$kind]}" \
      taskset -c "$proxy_core" "$release/forebay" run --config "$work/forebay-$kind.toml"
    pid_of[forebay,$kind]=$pid
  done
  # The others serve the very page that Forebay serves.
  curl -s -H "$accept" -H "$navigate" "http://127.0.0.1:${at[forebay,page]}/" -o "$work/page/page.html"
}

start_nginx() {
  fill "$load/cost/nginx.conf" "$work/nginx.conf" "ORIGIN=$origin" \
    "PROXIED=${at[nginx,proxied]}" "PAGE=${at[nginx,page]}"
  start nginx "${at[nginx,page]}" \
    taskset -c "$proxy_core" nginx -p "$work" -e "$work/nginx.log" -c "$work/nginx.conf"
  pid_of[nginx,proxied]=$pid
  pid_of[nginx,page]=$pid
}

start_haproxy() {
  need haproxy
  fill "$load/cost/haproxy.cfg" "$work/haproxy.cfg" "ORIGIN=$origin" \
    "PROXIED=${at[haproxy,proxied]}" "PAGE=${at[haproxy,page]}"
  start haproxy "${at[haproxy,page]}" taskset -c "$proxy_core" haproxy -db -f "$work/haproxy.cfg"
  pid_of[haproxy,proxied]=$pid
  pid_of[haproxy,page]=$pid
}

for program in "${programs[@]}"; do
  for kind in "${works[@]}"; do free_port && at[$program,$kind]=$port; done
  "start_$program"
done

# Whoever is inside shows a pass with each request: Forebay checks it each time. It is confirmed at
# its second use; the others get the same bytes.
pass=Cookie:
if [[ " ${programs[*]} " == *" forebay "* ]]; then
  for visit in first second; do
    curl -s -o "$work/visit" -b "$work/jar" -c "$work/jar" -H "$accept" -H "$navigate" \
      "http://127.0.0.1:${at[forebay,proxied]}/1k" || fail "no $visit visit"
  done
  pass="Cookie: $(awk '$6 ~ /^forebay-/ { print $6 "=" $7 }' "$work/jar")"
  [[ $pass == *forebay-main=* ]] || fail "Forebay gave no pass"
fi

# drive PROGRAM WORK SECONDS: prints the requests done; every one must be what it should be.
drive() {
  local out count odd path=/ cookie=Cookie:
  [[ $2 == proxied ]] && path=/1k cookie=$pass
  out=$(taskset -c "$load_core" wrk -t1 -c"$connections" -d"$3s" -H "$accept" -H "$navigate" \
    -H "$cookie" "http://127.0.0.1:${at[$1,$2]}$path")
  count=$(awk '/ requests in / { print $1 }' <<<"$out")
  odd=$(awk '/Non-2xx or 3xx responses:/ { print $NF }' <<<"$out")
  if grep -q 'Socket errors' <<<"$out"; then fail "$1, $2: $(grep 'Socket errors' <<<"$out")"; fi
  if [[ $2 == proxied && -n $odd ]]; then fail "$1, proxied: $odd of $count were not answered 200"; fi
  if [[ $2 == page && $odd != "$count" ]]; then fail "$1, page: ${odd:-0} of $count were the page"; fi
  echo "$count"
}

for program in "${programs[@]}"; do
  for kind in "${works[@]}"; do drive "$program" "$kind" 1 >/dev/null; done
done
page_bytes=$(stat -c %s "$work/page/page.html")

for ((round = 1; round <= rounds; round++)); do
  for kind in "${works[@]}"; do
    for program in "${programs[@]}"; do
      before=$(ticks "${pid_of[$program,$kind]}")
      count=$(drive "$program" "$kind" "$leg")
      after=$(ticks "${pid_of[$program,$kind]}")
      echo "$kind $program $round $count $((after - before))"
    done
  done
done >"$work/legs"

table() {
  awk -v hertz="$(getconf CLK_TCK)" -v leg="$leg" -v bar="$bar" '
    function median(values, n,    i, j, swap) {
      for (i = 2; i <= n; i++)
        for (j = i; j > 1 && values[j] < values[j - 1]; j--) {
          swap = values[j]; values[j] = values[j - 1]; values[j - 1] = swap
        }
      return n % 2 ? values[(n + 1) / 2] : (values[n / 2] + values[n / 2 + 1]) / 2
    }
    {
      key = $1 " " $2
      if (!(key in rounds)) order[++keys] = key
      rounds[key]++
      cost[key, $3] = $5 / hertz * 1e6 / $4
      speed[key, $3] = $4 / leg
    }
    END {
      print "| work | program | CPU per request, µs: median (lowest–highest) | × nginx | requests/s |"
      print "|---|---|---|---|---|"
      for (i = 1; i <= keys; i++) {
        split(order[i], name, " ")
        n = rounds[order[i]]
        for (r = 1; r <= n; r++) {
          costs[r] = cost[order[i], r]
          speeds[r] = speed[order[i], r]
          base = cost[name[1] " nginx", r]
          ratios[r] = base ? costs[r] / base : 0
        }
        middle = median(costs, n)
        ratio = median(ratios, n)
        shown = ratio ? sprintf("%.2f", ratio) : "–"
        printf "| %s | %s | %.1f (%.1f–%.1f) | %s | %.0f |\n", name[1], name[2], middle,
          costs[1], costs[n], shown, median(speeds, n)
        if (bar != "" && name[2] == "forebay" && ratio > bar) {
          printf "compare.sh: %s costs %.2f times what it costs nginx; the bar is %s\n",
            name[1], ratio, bar > "/dev/stderr"
          over = 1
        }
      }
      exit over
    }' "$work/legs"
}

report() {
  echo "# CPU time per request, $(date -u +%Y-%m-%d)"
  echo
  echo "$rounds interleaved rounds of $leg s a leg, $connections kept connections, one worker, access" \
    "log to a file, page of $page_bytes bytes. $(uname -sr), ${#mine[@]} cores," \
    "$(awk -F': ' '/model name/ { print $2; exit }' /proc/cpuinfo);" \
    "$(nginx -v 2>&1 | sed 's/.*: //'), $(haproxy -v 2>/dev/null | awk 'NR == 1 { print $1 "/" $3 }')."
  echo
  table
}

status=0
report >"$work/report.md" || status=1
cat "$work/report.md"
if [[ -n $write ]]; then
  mkdir -p "$(dirname "$write")"
  cp "$work/report.md" "$write"
fi
exit "$status"
