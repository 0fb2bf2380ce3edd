#!/usr/bin/env bash
# Runs every proof that docs/threat-model.md names and prints one table of
# figures. The whole output of a step lies in bin/proof/STEP.log. A step that
# fails, or whose figures are missing, makes the exit code 1; the others run all
# the same.
#
#   APART=120      seconds of paired runs     SEED=   repeats one pair, one order of cuts
#   CUTS=200       simulated power cuts       FUZZTIME=10s   for each parser
#   ONLY="cuts fuzz"   some of: prove live apart cuts fuzz revoke transport
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
logs=bin/proof
mkdir -p "$logs"
rows=() failed=0

# step NAME COMMAND... runs one proof, unless it is left out.
step() {
	local name=$1 began=$SECONDS
	shift
	if [ -n "${ONLY:-}" ] && [[ " $ONLY " != *" $name "* ]]; then return 1; fi
	log=$logs/$name.log state=held
	printf '%-10s %s\n' "$name" "$*"
	if ! "$@" >"$log" 2>&1; then
		state=FAILED failed=1
		tail -n 25 "$log" | sed 's/^/           /'
	fi
	printf '%-10s %s after %s s\n' '' "$state" $((SECONDS - began))
}

# value KEY VARIABLE [head] is the last "KEY": VALUE or KEY=VALUE of the step's
# log, or the first.
value() {
	local v
	v=$(grep -oE "(\"$1\": ?\"?[^,\"}]+|\\b$1=[^ ,]+)" "$log" | "${3:-tail}" -n 1 | sed -E 's/^[^:=]*[:=] ?"?//')
	if [ -z "$v" ]; then
		state=FAILED failed=1 v='?'
	fi
	printf -v "$2" '%s' "$v"
}

# figure NAME KEY VARIABLE is a key of the bench's line NAME.
figure() {
	local v
	v=$(grep -F "\"name\":\"$1\"" "$log" | tail -1 | grep -oE "\"$2\":[0-9.e+-]+" | cut -d: -f2)
	if [ -z "$v" ]; then
		state=FAILED failed=1 v=0
	fi
	printf -v "$3" '%.3g' "$v"
}

row() { rows+=("$(printf '%-7s %s' "$state" "$1")"); }

if step prove bin/watchfloor policy prove; then
	row "the shipped policy lets nobody reach a label that their own does not dominate"
fi
if step live bin/watchfloor policy prove --live --apart --brief -o json; then
	value attempts attempts head && value refused refused head && value allowed allowed head && value leaks leaks head
	row "live matrix: $attempts attempts, $refused refused, $allowed allowed by the policy, $leaks leaks"
	value attempts attempts && value refused refused && value allowed allowed && value leaks leaks
	row "at HTTP listeners: $attempts attempts, $refused refused, $allowed allowed by the policy, $leaks leaks"
fi
if step apart make --no-print-directory noninterference SECONDS="${APART:-120}" SEED="${SEED:-}"; then
	value pairs pairs && value bytes bytes && value differences differences && value intel_admitted intel && value seed seed
	row "paired runs: $pairs pairs, $bytes bytes compared, $differences differences, $intel intelligence reports, seed $seed"
fi
if step cuts make --no-print-directory powercut CUTS="${CUTS:-200}" SEED="${SEED:-}"; then
	value cuts cuts && value acknowledged acked && value lost lost && value duplicated twice && value reordered order
	row "power cuts: $cuts, $acked reports acknowledged, $lost lost, $twice duplicated, $order out of order"
fi
if step fuzz deploy/fuzz.sh "${FUZZTIME:-10s}"; then
	value targets targets && value executions executions
	row "fuzzing: $targets parsers, $executions executions, no find"
fi
if step revoke bin/watchfloor bench --only revocation --json; then
	figure revocation-longest p50_ms median && figure revocation-longest ours longest
	row "revocation: a live connection ends after $median ms (median), $longest ms (longest)"
fi
if step transport bin/watchfloor bench --only transport --json; then
	while read -r name; do
		figure "$name" ratio ratio
		row "$name: $ratio of the same without"
	done < <(grep -oE '"name":"[^"]+"' "$log" | cut -d'"' -f4)
fi

echo
printf '%s\n' "${rows[@]}"
if [ "${#rows[@]}" -eq 0 ]; then
	echo "proof: nothing was run; ONLY names steps: prove live apart cuts fuzz revoke transport" >&2
	exit 2
fi
if [ "$failed" -ne 0 ]; then
	echo "proof: something does not hold; its output is in $logs" >&2
	exit 1
fi
