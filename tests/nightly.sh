#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# nightly.sh: what takes hours: each process killed 1,000 times, every call of stored, keyd and a
# session's monitor made to fail, the disk full 1,000 times, the power lost 100 times, fuzzers for ten
# minutes each. Everything else as tests/run.sh.
set -euo pipefail
export SALLYPORT_KILLS=1000 SALLYPORT_FAULTS=all SALLYPORT_DISK_FULL=1000
export SALLYPORT_POWER_LOSS=100 FUZZ_SECONDS=600
export SALLYPORT_TEST_TIMEOUT=36000
exec "$(dirname "$0")/run.sh" "$@"
