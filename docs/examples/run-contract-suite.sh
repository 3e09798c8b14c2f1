#!/usr/bin/env bash
# Starts the simulator, waits until it answers, runs the contract suite against it and ends it again.
# Usage: run-contract-suite.sh [REPORT_DIR [OPTIONS OF contract-tests run]]
# MOCK_SERVER_BIN and CONTRACT_TESTS_BIN say where the two programs are, unless they are in PATH:
#   cargo build --release -p mock-server -p contract-tests
#   MOCK_SERVER_BIN=target/release/mock-server CONTRACT_TESTS_BIN=target/release/contract-tests docs/examples/run-contract-suite.sh
# Exits like contract-tests: 0 all held, 1 something was convicted, 2 could not run.
set -euo pipefail

report_dir="${1:-contract-report}"
shift || true
mock_server="${MOCK_SERVER_BIN:-mock-server}"
contract_tests="${CONTRACT_TESTS_BIN:-contract-tests}"
work="$(mktemp -d)"
server=""

clean_up() {
    if [ -n "$server" ]; then
        kill "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
    fi
    rm -rf "$work"
}
trap clean_up EXIT

# Port 0 is any free port; the environment file appears once the server listens, with the real one in it.
"$mock_server" --bind 127.0.0.1:0 --env-file "$work/env" >"$work/out" 2>&1 &
server=$!
for _ in $(seq 100); do
    [ ! -s "$work/env" ] || break
    kill -0 "$server" 2>/dev/null || { cat "$work/out" >&2; exit 2; }
    sleep 0.1
done
url="$(sed -n 's/^MEND_URL=//p' "$work/env")"
[ -n "$url" ] || { echo "the simulator did not start within ten seconds" >&2; cat "$work/out" >&2; exit 2; }

NO_PROXY="127.0.0.1${NO_PROXY:+,$NO_PROXY}" "$contract_tests" run --target "$url" --report-dir "$report_dir" "$@"
