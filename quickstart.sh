#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# quickstart.sh           a bastion on this machine's loopback, to try: installs Debian packages,
#                         builds, starts everything, says what to type; Ctrl-C ends it all
# quickstart.sh --check   the same without a person: logs in, runs commands, plays and verifies the
#                         recordings, ends; the exit status tells
#
# Everything it keeps is in ./quickstart-state ($SALLYPORT_QUICKSTART_DIR): the next start goes on
# from there, `rm -r quickstart-state` begins anew. A check begins anew, in a folder of its own.
# Run by root it also makes the daemons' four system users and /run/sshd, and these stay.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here"

die() {
  echo "quickstart.sh: $*" >&2
  exit 1
}

check=
case "${1:-}" in
  '') ;;
  --check) check=1 ;;
  *) die "usage: quickstart.sh [--check]" ;;
esac

pids=()
made=()  # folders that go when we end

descendants() {
  local child
  for child in $(cat "/proc/$1"/task/*/children 2>/dev/null); do
    echo "$child"
    descendants "$child"
  done
}
# Waits a moment for a process to end.
has_ended() {
  for _ in {1..50}; do
    kill -0 "$1" 2>/dev/null || return 0
    sleep 0.1
  done
  return 1
}

# Each of our own processes by its id, the last one first; theirs must follow by themselves.
end_everything() {
  local status=$? index pid started=()
  trap '' INT TERM
  trap - EXIT
  for pid in "${pids[@]}"; do
    mapfile -t -O ${#started[@]} started < <(descendants "$pid")
  done
  for ((index = ${#pids[@]} - 1; index >= 0; index--)); do
    kill -TERM "${pids[index]}" 2>/dev/null || true
  done
  for pid in "${pids[@]}"; do
    has_ended "$pid" || kill -KILL "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
  for pid in "${started[@]}"; do
    has_ended "$pid" && continue
    echo "quickstart.sh: process $pid is left: $(tr '\0' ' ' <"/proc/$pid/cmdline")" >&2
    status=1
  done
  if ((status != 0 && status != 130 && status != 143)) && [[ -d ${state:-}/logs ]]; then
    tail -n 40 "$state"/logs/* >&2 || true
  fi
  ((${#made[@]})) && rm -rf "${made[@]}"
  exit "$status"
}
trap end_everything EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# --- packages and programs

tests/support/install_packages.sh build quickstart
tests/support/shared_memory.sh
sshd=$(PATH=$PATH:/usr/sbin command -v sshd) || die "no sshd; install openssh-server"

build() {
  local launcher log=build/release.log
  launcher=$(command -v ccache || true)
  echo "Building (the first time takes some minutes)"
  mkdir -p build
  if ! { cmake --preset release -DSALLYPORT_BUILD_TESTS=OFF \
      -DCMAKE_CXX_COMPILER_LAUNCHER="$launcher" && cmake --build --preset release; } \
    >"$log" 2>&1; then
    tail -n 60 "$log" >&2
    die "the build failed; all of it is in $log"
  fi
}
build
bin=$here/build/release/bin
libexec=$here/build/release/libexec

# Private; as root the daemons, which run as users of their own, must get through.
((EUID != 0)) && umask 077 || umask 022

# --- where things are kept

# As root the daemons run as users of their own, and these must be able to walk to their files.
walkable() {
  ((EUID != 0)) || setpriv --reuid nobody --regid nogroup --clear-groups test -x "$1"
}

choose_state() {
  if [[ -n $check ]]; then
    state=$(mktemp -d "${SALLYPORT_QUICKSTART_DIR:-/tmp}/sallyport-check.XXXXXX")
    made+=("$state")
  elif [[ -n ${SALLYPORT_QUICKSTART_DIR:-} ]]; then
    state=$SALLYPORT_QUICKSTART_DIR
  else
    state=$here/quickstart-state
    walkable "$here" || state=/var/lib/sallyport-quickstart
  fi
  mkdir -p "$state"
  state=$(cd "$state" && pwd)
  if [[ -n $(ls -A "$state") && ! -e $state/quickstart ]]; then
    die "$state is not empty and not from a quick start; set SALLYPORT_QUICKSTART_DIR"
  fi
  ((EUID != 0)) && chmod 700 "$state" || chmod 755 "$state"
  walkable "$state" || die "$state: other users cannot reach it; set SALLYPORT_QUICKSTART_DIR"
}

# What an earlier run that was cut off in its first minute has left.
begin_anew_unless_complete() {
  [[ -e $state/complete ]] && return
  find "$state" -mindepth 1 -delete
  touch "$state/quickstart"
}

# A UNIX socket's path has at most 107 bytes.
choose_runtime() {
  runtime=$state/config/run
  if ((${#runtime} > 80)); then
    runtime=/tmp/sallyport-run-$(printf %s "$state" | sha256sum | cut -c 1-12)
    made+=("$runtime")
  fi
  mkdir -p "$runtime"
  [[ -O $runtime && ! -L $runtime ]] || die "$runtime belongs to somebody else"
  ((EUID != 0)) && chmod 700 "$runtime" || chmod 755 "$runtime"
}

choose_state
begin_anew_unless_complete
choose_runtime
mkdir -p "$state"/{logs,target}
ln -sfn config/state/stored/recordings "$state/recordings"
config=$state/config
if ((EUID == 0)); then
  rm -rf "$state/program"
  mkdir "$state/program"
  cp -r "$bin" "$libexec" "$state/program"
  bin=$state/program/bin
  libexec=$state/program/libexec
  for user in sallyport sallyport-authd sallyport-keyd sallyport-stored sallyport-witness; do
    id "$user" >/dev/null 2>&1 ||
      useradd --system --user-group --no-create-home --home-dir / --shell /usr/sbin/nologin "$user"
  done
fi

is_open() {
  (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}
free_port() {
  local port=$1
  while is_open "$port"; do
    port=$((port + 1))
  done
  echo "$port"
}
if [[ ! -e $state/ports ]]; then
  echo "$(free_port 2222) $(free_port 2300) $(free_port 8300)" >"$state/ports"
fi
read -r port target_port idp_port <"$state/ports"
for used in "$port" "$target_port" "$idp_port"; do
  is_open "$used" && die "port $used is in use; is another quick start running? ('rm $state/complete' chooses others)"
done
issuer=http://127.0.0.1:$idp_port

# --- starting

# start NAME COMMAND...: in the background, its output in logs/NAME.
start() {
  local name=$1
  shift
  "$@" >"$state/logs/$name" 2>&1 </dev/null &
  pids+=($!)
}
wait_until_open() {
  local name=$1 number=$2
  for _ in {1..200}; do
    is_open "$number" && return
    kill -0 "${pids[-1]}" 2>/dev/null || die "$name ended at once"
    sleep 0.1
  done
  die "$name does not answer on port $number"
}

make_key() {
  [[ -e $1 ]] || ssh-keygen -q -t ed25519 -N '' -C "$2" -f "$1"
}

# A stock sshd of this user alone: one login, one key, nothing of /etc/ssh.
start_target() {
  local unprivileged=()
  if ((EUID != 0)); then
    # sshd gives a terminal to the group "tty", which only root may where devpts does not do it by
    # itself (containers, chroots). Without such a group it is content.
    grep -v '^tty:' /etc/group >"$state/target/group"
    unprivileged=(env LD_PRELOAD=libnss_wrapper.so NSS_WRAPPER_PASSWD=/etc/passwd
      NSS_WRAPPER_GROUP="$state/target/group")
  fi
  make_key "$state/target/host_key" target
  touch "$state/target/authorized_keys"
  ((EUID == 0)) && mkdir -p -m 755 /run/sshd
  cat >"$state/target/sshd_config" <<END
ListenAddress 127.0.0.1
Port $target_port
HostKey $state/target/host_key
AuthorizedKeysFile $state/target/authorized_keys
AuthenticationMethods publickey
PermitRootLogin prohibit-password
StrictModes no
UsePAM no
PidFile none
AcceptEnv LANG LC_*
Subsystem sftp internal-sftp
END
  start target "${unprivileged[@]}" "$sshd" -D -e -f "$state/target/sshd_config"
  wait_until_open "the target" "$target_port"
}

start_bastion() {
  start dev-idp "$libexec/sallyport-dev-idp" --config "$config" --password-file "$state/password"
  wait_until_open "the identity provider" "$idp_port"
  start sallyportd "$bin/sallyportd" --config "$config"
  wait_until_open sallyportd "$port"
}

ctl() {
  "$bin/sallyportctl" --config "$config" "$@"
}

# init's own, but alice alone has a role, and her login is the one that our target has.
first_configuration() {
  local recipient
  recipient=$("$bin/sallyport-play" keygen -o "$state/auditor.key" | grep -o 'age1[0-9a-z]*')
  "$bin/sallyportctl" init --development --directory "$config" --listen "127.0.0.1:$port" \
    --issuer "$issuer" --recipient "$recipient" >"$state/logs/init"
  sed -i -e 's/"groups": \["\*"\]/"groups": ["ssh-users"]/' \
    -e "s/\"logins\": \[\"\*\"\]/\"logins\": [\"$(id -un)\"]/" \
    -e "s|\"runtime_directory\": \"run\"|\"runtime_directory\": \"$runtime\"|" \
    "$config/sallyport.json"
  ctl config check >>"$state/logs/init"
}

first_target() {
  ctl vault generate web >"$state/target/authorized_keys"
  ctl target add web1 "127.0.0.1:$target_port" --scan --yes --key web >"$state/logs/target-add"
}

# A client with a key of its own that knows the host keys already: the bastion's, and the one that
# ssh -J sees for the target.
write_client() {
  local folder=$state/$1
  mkdir -p "$folder"
  make_key "$folder/key" "$1"
  printf '[127.0.0.1]:%s %s\n' "$port" "$(cut -d ' ' -f 1,2 "$config/ssh_host_ed25519_key.pub")" \
    >"$folder/known_hosts"
  ctl known-hosts >>"$folder/known_hosts"
  cat >"$folder/ssh_config" <<END
Host bastion
  HostName 127.0.0.1
  Port $port

Host bastion web1
  IdentityFile $folder/key
  IdentitiesOnly yes
  UserKnownHostsFile $folder/known_hosts
END
}

# The page that signs people in is open to every user of this machine, so it asks for this.
make_password() {
  [[ -e $state/password ]] ||
    (umask 077 && od -An -N 8 -tx1 /dev/urandom | tr -d ' ' >"$state/password")
}

make_password
start_target
[[ -e $state/complete ]] || first_configuration
start_bastion
[[ -e $state/complete ]] || first_target
write_client client
touch "$state/complete"

if [[ -n $check ]]; then
  source tests/support/quickstart_check.sh
  exit
fi

relative=${state#"$PWD"/}
cat <<END

Sallyport is running. Try, in another terminal:

  ssh -F $relative/client/ssh_config $(id -un)@web1@bastion

It shows a code and this page, where you sign in as alice (or as bob, who may do nothing), with the
password $(<"$state/password"):

  $issuer/device

With the names that you have, it asks nothing now:

  ssh -F $relative/client/ssh_config -J bastion $(id -un)@web1

Then see the session again:

  build/release/bin/sallyport-play -i $relative/auditor.key --recordings $relative/recordings ID

(ID: the session's first digits, as the login showed them.)

Ctrl-C ends everything.
END
wait -n "${pids[@]}" || true
die "a process ended; its log is in $state/logs"
