#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shared_memory.sh: makes /dev/shm what it is on every Debian that has booted, a folder that all may
# write. In a bare chroot it is root's own, and sem_open(3), which liboauth2 needs, fails there.
set -euo pipefail
[[ -d /dev/shm && $(stat -L -c %a /dev/shm) == 1777 ]] && exit 0
as_root=()
((EUID == 0)) || as_root=(sudo)
"${as_root[@]}" mkdir -p /dev/shm
"${as_root[@]}" chmod 1777 /dev/shm
