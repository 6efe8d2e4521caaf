#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# run.sh         builds every fuzzer and runs each for FUZZ_SECONDS, two at a time; without that for
#                a minute those of what anybody may send, and 15 s the others
# run.sh NAME... runs these, which are built already (ctest calls it so)
#
# Seeds are in corpus/NAME and are never written to. What breaks a fuzzer is kept in
# build/fuzz/findings: turn it into a seed, and into a unit test with a name.
set -euo pipefail
cd "$(dirname "$0")/../.."
longest=(asciicast_reader brec_reader device_flow_json ipc_message terminal_scanner)

run_fuzzer() {
  local name=$1 seeds=tests/fuzz/corpus/$1 findings=build/fuzz/findings
  if [[ ! -d $seeds ]] || [[ -z $(ls "$seeds") ]]; then
    echo "run.sh: $seeds: a fuzzer needs seeds" >&2
    return 1
  fi
  mkdir -p "$findings"
  local seconds=15 new_inputs status=0
  [[ " ${longest[*]} " != *" $name "* ]] || seconds=60
  seconds=${FUZZ_SECONDS:-$seconds}
  new_inputs=$(mktemp -d)
  "build/fuzz/fuzz/fuzz_$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
    -print_final_stats=1 -verbosity=0 -artifact_prefix="$findings/$name-" \
    "$new_inputs" "$seeds" || status=$?
  rm -r "$new_inputs"
  return $status
}

if (($#)); then
  for name in "$@"; do
    run_fuzzer "$name"
  done
  exit
fi
launcher=$(command -v ccache || true)
cmake --preset fuzz -DCMAKE_CXX_COMPILER_LAUNCHER="$launcher" >/dev/null
cmake --build --preset fuzz --target fuzzers
ctest --test-dir build/fuzz --parallel 2 --output-on-failure
