// SPDX-License-Identifier: Apache-2.0
#include "player/verify/recipe.h"

#include <string_view>

namespace sallyport {

namespace {

constexpr std::string_view kName = "@RECORDING@";

// Lines that are indented by four are one bash script; tests/e2e/test_evidence.py runs it.
constexpr std::string_view kText = R"recipe(EVIDENCE FOR RECORDING @RECORDING@

This archive has a recording of an SSH session, lines of the log of the bastion that made it, and
the proofs that these lines are in that log. Here is how you check it yourself. You need bash,
coreutils, sed, grep, openssl (3.0 or later) and, for the content, age and zstd. The lines that are
indented by four are commands; run them in their order, in the folder where you have unpacked this
archive (tar -xf), best as a script (grep '^    ' RECIPE.txt | cut -c5- >recipe.sh). Each step says OK
or WRONG. Read them before you run them, or take them from another evidence file that you trust: who
gave you this archive could have written them.

What you must have from elsewhere, or this proves nothing:
* the log's public key. log-key.txt is a copy of what the exporter took for it. Compare it with the
  one that you, or somebody whom you trust, noted when the bastion was set up.
* for the content, an age identity that the recording was made for.


0. Tools

    : "${KEY:=$(cat log-key.txt)}"      # better: KEY='...', the one that you noted
    FILE=@RECORDING@.brec
    hex() { od -An -v -tx1 | tr -d ' \n'; }
    unhex() { printf "$(sed 's/../\\x&/g')"; }
    sha() { sha256sum | cut -c1-64; }
    count() { grep -m 1 -xE '0|[1-9][0-9]{0,17}' || echo 0; }   # nothing else is calculated with
    number() { od --endian=little -An -v -tu"$3" -j"$2" -N"$3" "$1" | tr -d ' \n'; }
    bytes() { tail -c +$(($2 + 1)) "$1" | head -c "$3"; }
    say() { if [ "$2" = "$3" ]; then echo "OK     $1"; else echo "WRONG  $1"; fi | cat -v; }


1. The checkpoint was signed by the log's key

A checkpoint is a C2SP signed note: a text (origin, number of entries, root), an empty line, and
signatures: an em dash, a name, base64 of 4 bytes of key id and 64 of an Ed25519 signature. The key
is name+id+base64 of 01 and the 32 bytes of the public key. Any verifier of signed notes does the
same.

    { printf '\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00'
      echo "$KEY" | cut -d+ -f3- | base64 -d | tail -c 32; } >key.der
    sed '/^$/,$d' checkpoint >checkpoint.text
    ID=$(echo "$KEY" | cut -d+ -f2)
    : >checkpoint.signature
    sed '1,/^$/d' checkpoint | while read -r _ name signature; do
      if [ "$(echo "$signature" | base64 -d | head -c 4 | hex)" = "$ID" ]; then
        echo "$signature" | base64 -d | tail -c 64 >checkpoint.signature
      fi
    done
    SIGNED=$(openssl pkeyutl -verify -pubin -keyform DER -inkey key.der -rawin \
      -in checkpoint.text -sigfile checkpoint.signature 2>&1 | head -n 1)
    say "the checkpoint's signature" "$SIGNED" "Signature Verified Successfully"
    say "the checkpoint's origin" "$(sed -n 1p checkpoint)" "$(echo "$KEY" | cut -d+ -f1)"


2. The lines are in the log

The log is a Merkle tree (RFC 6962): the hash of an entry is SHA-256 of 00 and the entry, that of
two trees beside each other SHA-256 of 01 and both hashes. A proof (C2SP tlog-proof) has the hashes
that lead from the entry to the root; RFC 9162, section 2.1.3.2, says on which side each stands.

    SIZE=$(sed -n 2p checkpoint | count)
    ROOT=$(sed -n 3p checkpoint | base64 -d | hex)
    included() {
      local at last hash sibling
      at=$(sed -n 's/^index //p' "$1.tlog-proof" | count) last=$((SIZE - 1))
      hash=$({ printf '\x00'; cat "$1.entry"; } | sha)
      for sibling in $(sed '1,2d;/^$/,$d' "$1.tlog-proof"); do
        sibling=$(echo "$sibling" | base64 -d | hex)
        if ((at & 1 || at == last)); then
          hash=$({ printf '\x01'; echo "$sibling$hash" | unhex; } | sha)
          while ((at > 0 && at % 2 == 0)); do at=$((at >> 1)) last=$((last >> 1)); done
        else
          hash=$({ printf '\x01'; echo "$hash$sibling" | unhex; } | sha)
        fi
        at=$((at >> 1)) last=$((last >> 1))
      done
      say "$1.entry is in the log: $(cat "$1.entry")" "$last $hash" "0 $ROOT"
    }
    for entry in *.entry; do included "${entry%.entry}"; done
    of_kind() {
      if [ -e "$1.entry" ]; then say "$1.entry is of the kind $2" "$(cut -d' ' -f3 <$1.entry)" $2; fi
    }
    of_kind start start; of_kind end end; of_kind head heads; of_kind erase erase; of_kind facts audit

What entries say:

  1 <Unix milliseconds> start <recording> <the chain's first head>
  1 <Unix milliseconds> end <recording> <number of frames> <the chain's last head> <reason>
  1 <Unix milliseconds> heads <lines> <SHA-256 of heads.txt>          it had not ended yet
  1 <Unix milliseconds> erase <recording> <SHA-256 of order.txt>
  1 <Unix milliseconds> audit <SHA-256 of a salt and of facts that are kept outside of the log>


3. The recording is the one that was logged

A recording is a header and frames: 4 bytes of length (little-endian), 12 more, and a body of that
length. The chain's first head is SHA-256 of "brec/1 chain", bytes 0 to 11 and bytes 16 to 127;
each further one is SHA-256 of the head before it, the frame's 16 bytes and its body. So the last
head has every byte of every frame in it, in their order.

    if [ -e end.entry ]; then
      read -r _ _ _ recording frames head _ < <(cat end.entry; echo)
    elif [ -e head.entry ]; then
      say "heads.txt" "$(sha <heads.txt)" "$(cut -d' ' -f5 <head.entry)"
      read -r recording frames head < <(grep -m 1 '^@RECORDING@ ' heads.txt)
    else
      read -r _ _ _ recording head < <(cat start.entry; echo)
      frames=0
    fi
    say "the entries are about this recording" "$recording $(cut -d' ' -f4 <start.entry)" \
      "@RECORDING@ @RECORDING@"
    if [ "$(number "$FILE" 108 1)" = 1 ]; then part=k; else part=; fi    # k: what was typed
    say "the name is the one in the header" \
      "$(bytes "$FILE" 24 16 | hex)-$(number "$FILE" 104 4)$part" "@RECORDING@"
    chain=$({ printf 'brec/1 chain'; bytes "$FILE" 0 12; bytes "$FILE" 16 112; } | sha)
    say "the header" "$chain" "$(cut -d' ' -f5 <start.entry)"
    at=$(($(number "$FILE" 8 2 | count) * 256))
    frames=$(echo "$frames" | count)
    for ((n = 0; n < frames && at < $(stat -c %s "$FILE"); n++)); do
      length=$((16 + $(number "$FILE" $at 4 | count)))
      chain=$({ echo "$chain" | unhex; bytes "$FILE" $at $length; } | sha)
      at=$((at + length))
    done
    say "the chain of $frames frames" "$chain" "$head"
    echo "       $(($(stat -c %s "$FILE") - at)) bytes follow (24 of a trailer, after an end)"


4. Its order of erasure, and the facts beside it

    if [ -e erase.entry ]; then
      say "order.txt" "$(sha <order.txt)" "$(cut -d' ' -f5 <erase.entry)"
      say "the order is about this recording" \
        "$(cut -d' ' -f4 <erase.entry) $(grep -cx 'recording @RECORDING@' order.txt)" "@RECORDING@ 1"
      say "its key is gone" "$(number "$FILE" 12 4)" 0
    fi

facts.json has a salt in hexadecimal and the event as text. The audit entry is SHA-256 of both, and
stands in the log right behind the start. Any reader of JSON gives you the two; with python3:

    if [ -e facts.json ]; then
      say "facts.json" "$(python3 -c 'import hashlib, json
    f = json.load(open("facts.json"))
    print(hashlib.sha256(bytes.fromhex(f["salt"]) + f["event"].encode()).hexdigest())')" \
        "$(cut -d' ' -f4 <facts.entry)"
      say "facts.json is about this recording" "$(python3 -c 'import json
    print(json.loads(json.load(open("facts.json"))["event"])["recording"])')" "@RECORDING@"
      place() { sed -n 's/^index //p' "$1.tlog-proof" | count; }
      say "the facts were logged with the start" "$(place facts)" $(($(place start) + 1))
    fi


5. The content, with your age identity (IDENTITY=file)

The header has the recording's key as an age file, from byte 128 on. Where it was made for two
persons, age gives you an age file again: that opens with the other person's identity
(IDENTITY2=file; without it the key is WRONG). Of one that was erased there is nothing to open.
HKDF-SHA256 makes two values of the key: one that must stand in the header (so that there is only
one key for these bytes), and the key of AES-256-GCM. openssl's command line has no GCM, but GCM
without its tag is CTR that begins at 2; that the bytes are the right ones, step 3 has shown. The
text is one zstd stream in the D frames; where there was no end, or none in order, zstd says that
its end is missing.

    if [ -n "$IDENTITY" ] && [ ! -e erase.entry ]; then
      bytes "$FILE" 128 "$(number "$FILE" 12 4)" | age -d -i "$IDENTITY" >data.key
      if [ -n "$IDENTITY2" ]; then
        age -d -i "$IDENTITY2" <data.key >inner.key && mv inner.key data.key
      fi
      derived() {
        openssl kdf -binary -keylen 32 -kdfopt digest:SHA256 -kdfopt "hexkey:$(hex <data.key)" \
          -kdfopt "hexsalt:$(bytes "$FILE" 24 16 | hex)" -kdfopt "info:$1" HKDF | hex
      }
      say "the key is the recording's own" "$(derived 'brec/1 commit')" \
        "$(bytes "$FILE" 72 32 | hex)"
      payload=$(derived 'brec/1 payload')
      at=$(($(number "$FILE" 8 2 | count) * 256))
      for ((n = 0; n < frames && at < $(stat -c %s "$FILE"); n++)); do
        length=$(number "$FILE" $at 4 | count)
        if [ "$(bytes "$FILE" $((at + 4)) 1)" = D ]; then
          bytes "$FILE" $((at + 16)) $((length - 16)) |
            openssl enc -d -aes-256-ctr -K "$payload" -iv "$(printf '00000000%016x00000002' $n)"
        fi
        at=$((at + 16 + length))
      done >content.zst
      rm data.key
      zstd -q -dc content.zst >content.cast
      echo "       content.cast has $(wc -l <content.cast) lines: asciicast v3, play it with asciinema"
    fi


What this does not prove: that the bastion recorded what happened (a recorder that was taken over
records what it likes from then on), and that the person was who the identity provider said. That
nothing was taken out of the log before this checkpoint left the bastion, and that nobody who had the
bastion logged another start or end of this recording afterwards, is proven only by the whole log and
checkpoints that others kept: ask for the log, and for a checkpoint that is as old as this session.
)recipe";

}  // namespace

std::string recipe_text(const std::string& recording) {
  std::string text(kText);
  for (size_t at = text.find(kName); at != std::string::npos; at = text.find(kName, at)) {
    text.replace(at, kName.size(), recording);
  }
  return text;
}

}  // namespace sallyport
