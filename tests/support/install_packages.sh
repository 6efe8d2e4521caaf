#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# install_packages.sh GROUP...: installs what is missing of these groups of packages.txt.
set -euo pipefail
list=$(dirname "$0")/packages.txt

wanted=()
while read -r group package command _; do
  [[ " $* " == *" $group "* ]] || continue
  [[ -n $command ]] && command -v "$command" >/dev/null && continue
  wanted+=("$package")
done < <(grep -v '^#' "$list" | grep .)

missing=()
for package in "${wanted[@]}"; do
  state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
  [[ $state == installed ]] || missing+=("$package")
done
((${#missing[@]})) || exit 0

echo "Installing Debian packages: ${missing[*]}"
as_root=()
if ((EUID != 0)); then
  command -v sudo >/dev/null || {
    echo "install_packages.sh: neither root nor sudo; install these packages, then try again" >&2
    exit 1
  }
  as_root=(sudo)
fi
apt_get() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 "$@"
}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { apt_get update && apt_get install --yes --no-install-recommends "${missing[@]}"; } \
    >"$log" 2>&1 </dev/null; then
  cat "$log" >&2
  echo "install_packages.sh: apt-get failed; its words are above" >&2
  exit 1
fi
