# SPDX-License-Identifier: Apache-2.0
# Sourced by `quickstart.sh --check` when everything runs: does what a person would.
# shellcheck shell=bash disable=SC2154

login=$(id -un)@web1@bastion
client=(ssh -F "$state/client/ssh_config")
screen=$state/logs/screen
say() {
  echo "check: $*"
}

# What the client's screen shows, until it contains a line that matches.
expect_screen() {
  for _ in {1..300}; do
    grep -qE "$1" "$screen" 2>/dev/null && return
    kill -0 "$ssh_pid" 2>/dev/null || break
    sleep 0.1
  done
  grep -qE "$1" "$screen" || die "the client's screen never showed: $1"
}

browse() {
  curl -fsS --noproxy '*' --max-time 10 -b "$state/client/cookies" -c "$state/client/cookies" "$@"
}
approve() {
  local page=$1 code=$2 csrf
  csrf=$(browse "$page?user_code=$code" | sed -n 's/.*name="csrf" value="\([0-9a-f]*\)".*/\1/p')
  browse -o "$state/logs/browser" -d "csrf=$csrf&user_code=$code" "$page"
  browse -d "csrf=$csrf&user_code=$code&user=alice&decision=approve" "$page/decision" |
    grep -q 'Approved' || die "the identity provider did not take the approval"
}

# The first login: a terminal, a code, a browser, Enter, a shell.
mkfifo "$state/client/keys"
exec 4<>"$state/client/keys"
printf -v command '%q ' "${client[@]}" "$login"
TERM=xterm-256color script --quiet --flush --return \
  --command "stty rows 24 cols 80; exec $command" /dev/null <&4 >"$screen" 2>&1 &
ssh_pid=$!
pids+=("$ssh_pid")
expect_screen 'Press Enter'
page=$(sed -n 's/.*Open  *\(http[^ ]*\).*/\1/p' "$screen" | tr -d '\r' | head -n 1)
code=$(sed -n 's/.*Code  *\([A-Z]*-[A-Z]*\).*/\1/p' "$screen" | tr -d '\r' | head -n 1)
[[ $page == "$issuer/device" && -n $code ]] || die "the prompt has no page or no code"
approve "$page" "$code"
say "the identity provider has approved $code"
printf '\r' >&4
expect_screen 'is recorded'
printf 'echo "shell $((40 + 2)) works"\r' >&4
expect_screen 'shell 42 works'
printf 'exit 7\r' >&4
status=0
wait "$ssh_pid" || status=$?
((status == 7)) || die "the shell ended with 7, the client with $status"
say "an interactive shell ran, with its exit status"

# The second login asks nothing: the key is remembered.
answer=$("${client[@]}" -o BatchMode=yes "$login" 'echo "command $((50 + 5)) works"; exit 9' \
  </dev/null 2>"$state/logs/exec") && status=0 || status=$?
[[ $answer == 'command 55 works' && $status == 9 ]] ||
  die "the command answered '$answer' with status $status"
say "a command ran without any question"

# Both are recorded; only the auditor's key opens them.
play() {
  "$bin/sallyport-play" "$@" -i "$state/auditor.key"
}
mapfile -t recordings < <(find "$state/recordings/" -name '*.brec' | sort)
((${#recordings[@]} == 2)) || die "there are ${#recordings[@]} recordings instead of 2"
texts=$(for recording in "${recordings[@]}"; do play export --format text "$recording"; done)
for text in 'shell 42 works' 'command 55 works'; do
  grep -qF "$text" <<<"$texts" || die "no recording shows: $text"
done
for recording in "${recordings[@]}"; do
  play verify "$recording" >>"$state/logs/verify" || die "$recording does not verify"
done
! grep -rqF 'shell 42 works' "$config/state" || die "a recording is readable without its key"
say "both recordings play and verify"
echo "quickstart.sh --check: everything works"
