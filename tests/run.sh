#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# run.sh [CTEST OPTIONS]: installs what the tests need, builds, and runs them all as one ctest run:
#   unit.*  Catch2                      asan.*  the same under address and undefined sanitizers
#   e2e.*   pytest, real peers          fuzz.*  each fuzzer for a while (FUZZ_SECONDS)
# Arguments go to ctest, for example: tests/run.sh -R dev_idp
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD

tests/support/install_packages.sh build quickstart test
tests/support/shared_memory.sh

# Once and before the tests, which run side by side.
/usr/bin/python3 -c "from tests.support.idp import install_oidc_provider as i; i()"

# A clone in another place finds what was compiled before.
export CCACHE_BASEDIR=$root CCACHE_NOHASHDIR=1
# The launcher is named even where there is none: a build tree may remember one that is gone.
launcher=$(command -v ccache || true)
build() {
  local preset=$1 log=build/$1.log
  shift
  echo "Building $preset"
  mkdir -p build
  if ! { cmake --preset "$preset" -DCMAKE_CXX_COMPILER_LAUNCHER="$launcher" &&
    cmake --build --preset "$preset" "$@"; } >"$log" 2>&1; then
    tail -n 60 "$log" >&2
    echo "run.sh: the build of $preset failed; all of it is in $log" >&2
    exit 1
  fi
}
build dev
build asan --target unit_tests
build fuzz --target fuzzers

# One run over the three build trees, so that there is one summary.
mkdir -p build/all-tests
printf 'subdirs("%s" "%s" "%s")\n' "$root/build/dev" "$root/build/asan" "$root/build/fuzz" \
  >build/all-tests/CTestTestfile.cmake
# Twice as many as cores: many wait most of their time.
exec ctest --test-dir build/all-tests --parallel "$((2 * $(nproc)))" --output-on-failure \
  --no-tests=error "$@"
