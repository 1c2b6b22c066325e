#!/bin/sh
# The life of a cluster that begins as one node, as an operator types it (docs/members.md): 10,000 messages for a minute later,
# then three members, then the first one is dead for good and a fourth in its place. Ends by itself, with what was delivered.
set -eu
cd "$(dirname "$0")/../.."
data=$(mktemp -d)
holdfast() { node packages/holdfast/dist/cli/main.js "$@"; }
say() { printf '\n$ %s\n' "$*"; }
run() { say "$@"; "$@"; }
ready() { until curl -sf -o /dev/null "127.0.0.1:$1/v1/cluster"; do sleep 0.1; done; }
serves() { until curl -s "127.0.0.1:$1/v1/cluster" | grep -q '"serving":true'; do sleep 0.1; done; }
pids=''
trap 'for pid in $pids; do kill -9 "$pid" 2>/dev/null || true; done; rm -rf "$data"' EXIT
# start <number> [--join]: the process id is in $started
start() {
  n=$1; shift
  say holdfast start "$@" --id "n$n" --data-dir "./n$n" --listen "127.0.0.1:740$n" --peer-listen "127.0.0.1:750$n" '&'
  node packages/holdfast/dist/cli/main.js start "$@" --id "n$n" --data-dir "$data/n$n" \
    --listen "127.0.0.1:740$n" --peer-listen "127.0.0.1:750$n" > "$data/n$n.log" 2>&1 &
  started=$!
  pids="$pids $started"
  ready "740$n"
}

start 1
first=$started
serves 7401
say 'at=$(( ($(date +%s) + 60) * 1000 ))'
at=$(( ($(date +%s) + 60) * 1000 ))
messages=$(yes "{\"body\":\"note\",\"at\":$at}" | head -n 100 | paste -sd, -)
say 'for batch in $(seq 100); do curl ... -d "{\"messages\":[100 times {\"body\":\"note\",\"at\":$at}]}"; done'
for batch in $(seq 100); do
  curl -sf -o /dev/null 127.0.0.1:7401/v1/topics/reminders/messages -H 'content-type: application/json' \
    -H "idempotency-key: batch-$batch" -d "{\"messages\":[$messages]}"
done
run curl -s 127.0.0.1:7401/v1/topics/reminders
echo
start 2 --join
run holdfast cluster add 127.0.0.1:7402 --to 127.0.0.1:7401
start 3 --join
run holdfast cluster add 127.0.0.1:7403 --to 127.0.0.1:7401
say "kill -9 $first   # n1, for good"
kill -9 "$first"
start 4 --join
run holdfast cluster replace n1 127.0.0.1:7404 --to 127.0.0.1:7402
run curl -s 127.0.0.1:7404/v1/cluster/members
echo
echo "($(( at / 1000 - $(date +%s) )) s until they are due)"
run node test/dist/user/count-deliveries.js --nodes 127.0.0.1:7402,127.0.0.1:7403,127.0.0.1:7404 --expect 10000
