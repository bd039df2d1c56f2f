#!/usr/bin/env bash
# CPU time per request of Forebay, nginx, HAProxy and Envoy on the same work, in
# one interleaved run: in each round every program does every work once.
#
#   compare.sh [--seconds N] [--rounds N] [--works A,B] [--only A,B] [--bar R] [--write FILE]
#
# The works:
#   proxied      1 KiB from the origin over kept connections
#   page         the proxy's own 503 page: Forebay's waiting page, and the same
#                bytes from the others
#   proxied-new  the same two with a new connection for each request
#   page-new
#   tls          proxied, over kept TLS connections
#   tls-new      proxied, with a full TLS handshake for each request
#   h2           proxied, over kept HTTP/2 connections with TLS, 4 streams each
#   big          1 MiB from the origin over kept connections
#
# One worker each, pinned to one core; origin and load generator share another.
# Every program logs each request to a file. What is divided is the time that the
# kernel accounts to the proxy's processes, so a generator that is slower than the
# proxy does not distort it.
. "$(dirname "${BASH_SOURCE[0]}")/programs.sh"

seconds=720
rounds=4
works=(proxied page proxied-new page-new tls tls-new h2 big)
programs=(forebay nginx haproxy envoy)
bar=
write=
while (($#)); do
  case $1 in
    --seconds) seconds=$2 ;;
    --rounds) rounds=$2 ;;
    --works) IFS=, read -ra works <<<"$2" ;;
    --only) IFS=, read -ra programs <<<"$2" ;;
    --bar) bar=$2 ;;
    --write) write=$2 ;;
    *) fail "unknown argument $1" ;;
  esac
  shift 2
done
connections=64
# What a browser sends for a page that a person asked for.
accept='Accept: text/html,application/xhtml+xml;q=0.9,*/*;q=0.8'
navigate='Sec-Fetch-Dest: document'

declare -A tool_of=([tls-new]=ab [h2]=h2load)
need nginx wrk curl taskset openssl
for kind in "${works[@]}"; do
  case $kind in
    proxied | page | proxied-new | page-new | tls | tls-new | h2 | big) ;;
    *) fail "there is no work $kind" ;;
  esac
  if [[ -n ${tool_of[$kind]:-} ]]; then need "${tool_of[$kind]}"; fi
done
leg=$((seconds / (rounds * ${#works[@]} * ${#programs[@]})))
((leg >= 1)) || fail "$seconds seconds are too few for $rounds rounds"
mapfile -t mine < <(cores)
proxy_core=${mine[0]}
load_core=${mine[1]:-${mine[0]}}

mkdir -p "$work/site" "$work/page"
head -c 1024 /dev/zero | tr '\0' x >"$work/site/1k"
head -c 1048576 /dev/zero | tr '\0' x >"$work/site/1m"
head -c 6144 /dev/zero | tr '\0' x >"$work/page/page.html"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
  -addext subjectAltName=IP:127.0.0.1 -keyout "$work/portal.key" -out "$work/portal.pem" 2>/dev/null
cat "$work/portal.pem" "$work/portal.key" >"$work/both.pem"
chmod -R a+rX "$work"

free_port && origin=$port
fill "$load/cost/origin.conf" "$work/origin.conf" "ORIGIN=$origin"
start origin "$origin" taskset -c "$load_core" nginx -p "$work" -e "$work/origin.log" -c "$work/origin.conf"

# Each program listens on three ports: in front of the origin, the same with TLS, and its page.
declare -A at pid_of
# ports PROGRAM: what its template calls them.
ports() {
  named=("ORIGIN=$origin" "PROXIED=${at[$1,proxied]}" "TLS=${at[$1,tls]}" "PAGE=${at[$1,page]}")
}

start_forebay() {
  [[ -x $release/forebay ]] || fail "$release/forebay is missing; cargo xtask compare builds it"
  local kind
  cat "$load/cost/forebay-proxied.toml" "$load/cost/forebay-tls.toml" >"$work/proxied.template"
  cp "$load/cost/forebay-page.toml" "$work/page.template"
  for kind in proxied page; do
    free_port && local admin=$port
    fill "$work/$kind.template" "$work/forebay-$kind.toml" "${named[@]}" "ADMIN=$admin"
    start "forebay-$kind" "${at[forebay,$kind]}" \
      taskset -c "$proxy_core" "$release/forebay" run --config "$work/forebay-$kind.toml"
    pid_of[forebay,$kind]=$pid
  done
  pid_of[forebay,tls]=${pid_of[forebay,proxied]}
  # The others serve the very page that Forebay serves.
  curl -s -H "$accept" -H "$navigate" "http://127.0.0.1:${at[forebay,page]}/" -o "$work/page/page.html"
}

# start_one PROGRAM COMMAND...: one process for all three ports.
start_one() {
  local program=$1 listener
  shift
  start "$program" "${at[$program,page]}" taskset -c "$proxy_core" "$@"
  for listener in proxied tls page; do pid_of[$program,$listener]=$pid; done
}

start_nginx() {
  fill "$load/cost/nginx.conf" "$work/nginx.conf" "${named[@]}"
  start_one nginx nginx -p "$work" -e "$work/nginx.log" -c "$work/nginx.conf"
}

start_haproxy() {
  need haproxy
  fill "$load/cost/haproxy.cfg" "$work/haproxy.cfg" "${named[@]}"
  start_one haproxy haproxy -db -f "$work/haproxy.cfg"
}

start_envoy() {
  [[ -x $envoy ]] || fail "$envoy is missing; benches/load/rivals/install.sh gets it"
  fill "$load/cost/envoy.yaml" "$work/envoy.yaml" "${named[@]}"
  start_one envoy "$envoy" --disable-hot-restart --concurrency 1 --log-level error -c "$work/envoy.yaml"
}

for program in "${programs[@]}"; do
  for listener in proxied tls page; do free_port && at[$program,$listener]=$port; done
  ports "$program"
  "start_$program"
done

# Whoever is inside shows a pass with each request: Forebay checks it each time. It is confirmed at
# its second use; the others get the same bytes.
declare -A pass=([proxied]=Cookie: [tls]=Cookie: [page]=Cookie:)
if [[ " ${programs[*]} " == *" forebay "* ]]; then
  for listener in proxied tls; do
    scheme=http
    [[ $listener == tls ]] && scheme=https
    for visit in first second; do
      curl -sk -o "$work/visit" -b "$work/jar-$listener" -c "$work/jar-$listener" -H "$accept" \
        -H "$navigate" "$scheme://127.0.0.1:${at[forebay,$listener]}/1k" || fail "no $visit visit"
    done
    pass[$listener]="Cookie: $(awk '$6 ~ /forebay-/ { print $6 "=" $7 }' "$work/jar-$listener")"
    [[ ${pass[$listener]} == *forebay-main=* ]] || fail "Forebay gave no pass"
  done
fi

# Which of a program's ports a work goes to.
declare -A listener_of=([proxied]=proxied [page]=page [proxied-new]=proxied [page-new]=page
  [tls]=tls [tls-new]=tls [h2]=tls [big]=proxied)

# Why a program cannot do a work; silent where it can.
lacks() {
  if [[ $1 == forebay && $2 == h2 ]]; then echo "has no HTTP/2 yet"; fi
}

# drive PROGRAM WORK SECONDS: prints the requests done; every one must be what it should be.
drive() {
  local program=$1 kind=$2 listener=${listener_of[$2]} scheme=http path=/1k out count odd close=()
  case $kind in
    page*) path=/ ;;
    tls* | h2) scheme=https ;;
    big) path=/1m ;;
  esac
  [[ $kind == *-new ]] && close=(-H 'Connection: close')
  local url="$scheme://127.0.0.1:${at[$program,$listener]}$path"
  local fields=(-H "$accept" -H "$navigate" -H "${pass[$listener]}")
  case $kind in
    tls-new)
      # wrk would resume its sessions; ab never does.
      out=$(taskset -c "$load_core" ab -q -c "$connections" -t "$3" -n 100000000 -f TLS1.3 \
        "${fields[@]}" "$url" 2>&1) || fail "$program, $kind: $out"
      count=$(awk '/^Complete requests:/ { print $3 }' <<<"$out")
      odd=$(awk '/^(Failed requests|Non-2xx responses):/ { sum += $3 } END { print sum }' <<<"$out")
      ((odd == 0)) || fail "$program, $kind: $odd of $count went wrong"
      # It counts them as complete.
      if grep -q 'handshake failed' <<<"$out"; then fail "$program, $kind: handshakes failed"; fi
      ;;
    h2)
      out=$(taskset -c "$load_core" h2load -t1 -c"$connections" -m4 -D"$3" "${fields[@]}" "$url" 2>&1) ||
        fail "$program, $kind: $out"
      count=$(awk '/^status codes:/ { print $3 }' <<<"$out")
      grep -q '^Application protocol: h2$' <<<"$out" || fail "$program, $kind: is not HTTP/2"
      grep -q "^status codes: $count 2xx, 0 3xx, 0 4xx, 0 5xx" <<<"$out" ||
        fail "$program, $kind: $(grep '^status codes' <<<"$out")"
      ;;
    *)
      out=$(taskset -c "$load_core" wrk -t1 -c"$connections" -d"$3s" "${fields[@]}" "${close[@]}" "$url")
      count=$(awk '/ requests in / { print $1 }' <<<"$out")
      odd=$(awk '/Non-2xx or 3xx responses:/ { print $NF }' <<<"$out")
      if grep -q 'Socket errors' <<<"$out"; then fail "$program, $kind: $(grep 'Socket errors' <<<"$out")"; fi
      if [[ $listener != page && -n $odd ]]; then fail "$program, $kind: $odd of $count were not answered 200"; fi
      if [[ $listener == page && $odd != "$count" ]]; then fail "$program, $kind: ${odd:-0} of $count were the page"; fi
      ;;
  esac
  echo "$count"
}

for program in "${programs[@]}"; do
  for kind in "${works[@]}"; do
    if [[ -z $(lacks "$program" "$kind") ]]; then drive "$program" "$kind" 1 >/dev/null; fi
  done
done
page_bytes=$(stat -c %s "$work/page/page.html")

for ((round = 1; round <= rounds; round++)); do
  for kind in "${works[@]}"; do
    for program in "${programs[@]}"; do
      if [[ -n $(lacks "$program" "$kind") ]]; then
        echo "$kind $program $round 0 0"
        continue
      fi
      process=${pid_of[$program,${listener_of[$kind]}]}
      before=$(ticks "$process")
      count=$(drive "$program" "$kind" "$leg")
      after=$(ticks "$process")
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
      cost[key, $3] = $4 ? $5 / hertz * 1e6 / $4 : 0
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
        if (!speeds[1]) {
          printf "| %s | %s | – | – | – |\n", name[1], name[2]
          continue
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

versions() {
  nginx -v 2>&1 | sed 's/.*: //'
  if [[ " ${programs[*]} " == *" haproxy "* ]]; then haproxy -v | awk 'NR == 1 { print ", haproxy/" $3 }'; fi
  if [[ " ${programs[*]} " == *" envoy "* ]]; then "$envoy" --version | awk -F/ 'NF > 3 { print ", envoy/" $(NF - 3) }'; fi
}

report() {
  echo "# CPU time per request, $(date -u +%Y-%m-%d)"
  echo
  echo "$rounds interleaved rounds of $leg s a leg, $connections connections at once, one worker, access" \
    "log to a file, page of $page_bytes bytes. $(uname -sr), ${#mine[@]} cores," \
    "$(awk -F': ' '/model name/ { print $2; exit }' /proc/cpuinfo); $(versions | tr -d '\n' | sed 's/,/, /g; s/,  /, /g')."
  echo
  table
  local program kind why
  for program in "${programs[@]}"; do
    for kind in "${works[@]}"; do
      why=$(lacks "$program" "$kind")
      if [[ -n $why ]]; then printf '\n%s, %s: no figure, it %s.\n' "$program" "$kind" "$why"; fi
    done
  done
}

status=0
report >"$work/report.md" || status=1
cat "$work/report.md"
if [[ -n $write ]]; then
  mkdir -p "$(dirname "$write")"
  cp "$work/report.md" "$write"
fi
exit "$status"
