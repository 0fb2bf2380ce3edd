#!/usr/bin/env bash
# Fuzzes every parser that meets bytes from outside, each for $1 (30s unless
# given), and says how often each was tried. A find ends it with exit code 1;
# its input lies in testdata/fuzz beside the test: mend, and commit it as a seed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
time=${1:-30s}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
targets=0 executions=0
while read -r file; do
	folder=./$(dirname "$file")
	for target in $(grep -oE '^func Fuzz[A-Za-z0-9_]*' "$file" | sed 's/func //'); do
		if ! go test "$folder" -run '^$' -fuzz "^$target\$" -fuzztime "$time" -fuzzminimizetime 5x >"$log" 2>&1; then
			cat "$log"
			echo "fuzz: $folder $target found something; see above" >&2
			exit 1
		fi
		n=$(grep -oE 'execs: [0-9]+' "$log" | tail -1 | grep -oE '[0-9]+' || true)
		printf '%-28s %-16s %12d executions\n' "$folder" "$target" "${n:-0}"
		targets=$((targets + 1)) executions=$((executions + ${n:-0}))
	done
done < <(git ls-files --cached --others --exclude-standard '*_test.go' | xargs grep -lE '^func Fuzz' | sort)
if [ "$executions" -eq 0 ]; then
	echo "fuzz: nothing was tried in $time each; give more time" >&2
	exit 1
fi
echo "fuzz: targets=$targets executions=$executions finds=0"
