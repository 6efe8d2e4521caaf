# SPDX-License-Identifier: Apache-2.0
# Sourced by `quickstart.sh --check` when everything runs: does what a person would.
# shellcheck shell=bash disable=SC2154

login=$(id -un)@web1@bastion
say() {
  echo "check: $*"
}

# What a client's screen shows, until it contains a line that matches.
expect_screen() {
  for _ in {1..300}; do
    grep -qE "$1" "$screen" 2>/dev/null && return
    kill -0 "$ssh_pid" 2>/dev/null || break
    sleep 0.1
  done
  grep -qE "$1" "$screen" || die "the client's screen never showed: $1"
}
expect_status() {
  local status=0
  wait "$ssh_pid" || status=$?
  exec 4>&-
  ((status == $1)) || die "the client ended with $status instead of $1"
}

browse() {
  curl -fsS --noproxy '*' --max-time 10 -b "$state/cookies" -c "$state/cookies" "$@"
}
approve() {
  local page=$1 code=$2 user=$3 csrf
  csrf=$(browse "$page?user_code=$code" | sed -n 's/.*name="csrf" value="\([0-9a-f]*\)".*/\1/p')
  browse -o "$state/logs/browser" -d "csrf=$csrf&user_code=$code" "$page"
  local form="csrf=$csrf&user_code=$code&user=$user&decision=approve"
  browse -d "$form&password=wrong" "$page/decision" 2>/dev/null &&
    die "the identity provider took a wrong password"
  browse -d "$form&password=$(<"$state/password")" "$page/decision" |
    grep -q 'Approved' || die "the identity provider did not take the approval"
}

# Opens a terminal with ssh in it, and signs in as USER; what is written to descriptor 4 is typed.
sign_in_as() {
  local user=$1 command page code
  write_client "$user"
  screen=$state/logs/screen-$user
  mkfifo "$state/$user/typed"
  exec 4<>"$state/$user/typed"
  printf -v command '%q ' ssh -F "$state/$user/ssh_config" "$login"
  TERM=xterm-256color script --quiet --flush --return \
    --command "stty rows 24 cols 80; exec $command" /dev/null <&4 >"$screen" 2>&1 &
  ssh_pid=$!
  pids+=("$ssh_pid")
  expect_screen 'Press Enter'
  page=$(sed -n 's/.*Open  *\(http[^ ]*\).*/\1/p' "$screen" | tr -d '\r' | head -n 1)
  code=$(sed -n 's/.*Code  *\([A-Z]*-[A-Z]*\).*/\1/p' "$screen" | tr -d '\r' | head -n 1)
  [[ $page == "$issuer/device" && -n $code ]] || die "the prompt has no page or no code"
  approve "$page" "$code" "$user"
  printf '\r' >&4
}

# The first login: a terminal, a code, a browser, Enter, a shell.
sign_in_as alice
expect_screen 'is recorded'
printf 'echo "shell $((40 + 2)) works"\r' >&4
expect_screen 'shell 42 works'
printf 'exit 7\r' >&4
expect_status 7
say "alice signed in and used a shell"

# The second login asks nothing: the key is remembered.
status=0
answer=$(ssh -F "$state/alice/ssh_config" -o BatchMode=yes "$login" \
  'echo "command $((50 + 5)) works"; exit 9' </dev/null 2>"$state/logs/command") || status=$?
[[ $answer == 'command 55 works' && $status == 9 ]] ||
  die "the command answered '$answer' with status $status"
say "her next login asked nothing and ran a command"

# Nor does the one that uses the target's own name.
answer=$(ssh -F "$state/alice/ssh_config" -o BatchMode=yes -J bastion "$(id -un)@web1" \
  'echo "jump $((60 + 6)) works"' </dev/null 2>"$state/logs/jump") || true
[[ $answer == 'jump 66 works' ]] || die "ssh -J answered '$answer'"
say "so did ssh -J"

# Signing in is not enough: no role names bob's group.
sign_in_as bob
expect_screen 'no role of yours reaches web1'
expect_status 254
say "bob signed in and was refused"

# All are recorded; only the auditor's key opens them.
play() {
  "$bin/sallyport-play" "$@" -i "$state/auditor.key"
}
mapfile -t recordings < <(find "$state/recordings/" -name '*.brec' | sort)
((${#recordings[@]} == 3)) || die "there are ${#recordings[@]} recordings instead of 3"
texts=$(for recording in "${recordings[@]}"; do play export --format text "$recording"; done)
for text in 'shell 42 works' 'command 55 works' 'jump 66 works'; do
  grep -qF "$text" <<<"$texts" || die "no recording shows: $text"
done
for recording in "${recordings[@]}"; do
  status=0
  play verify "$recording" >>"$state/logs/verify" 2>&1 || status=$?
  # 3: nothing is wrong, and without the log's key something stays open.
  ((status == 0 || status == 3)) || die "$recording does not verify"
done
! grep -rqF 'shell 42 works' "$config/state" || die "a recording is readable without its key"
say "all recordings play and verify"
echo "quickstart.sh --check: everything works"
