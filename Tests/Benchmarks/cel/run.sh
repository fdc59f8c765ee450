#!/bin/sh
# Prints the count of the conformance suite, and the times of the expression language against cel-expr-python and
# cel-python from pip, measured in one run. Everything it needs is put below .build-bench.
set -eu
root=$(cd "$(dirname "$0")/../../.." && pwd)
peers=$root/.build-bench/cel-peers
if [ ! -x "$peers/bin/cel-peers-ready" ]; then
  python3 -m venv "$peers"
  "$peers/bin/pip" install --quiet --disable-pip-version-check cel-expr-python==0.1.3 cel-python==0.5.0
  ln -sf python "$peers/bin/cel-peers-ready"
fi
swift test --package-path "$root" --filter CELConformance 2>&1 | grep -E 'CEL conformance|Test run'
swift run --package-path "$root/Tests/Benchmarks" --scratch-path "$root/.build-bench/swift" -c release --quiet \
  cel-benchmark --peers "$peers/bin/python" "$root/Tests/Benchmarks/cel/peers.py"
