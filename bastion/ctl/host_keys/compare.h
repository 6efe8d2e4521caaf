// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/config/host_key.h"

#include <span>
#include <string>
#include <vector>

namespace sallyport {

// What a target shows against what is pinned for it.
struct ComparedKey {
  enum class State {
    pinned,    // shown and pinned
    added,     // shown; no key of its type is pinned
    changed,   // shown; another key of its type is pinned, and that one is not shown
    revoked,   // shown, and among revoked_host_keys
    replaced,  // pinned; a key of its type is shown that is `changed`
    hidden,    // pinned and not shown: ssh-keyscan sees one key of each type
  };
  State state;
  PublicKeyLine key;
  bool certified = false;  // a configured CA says that it is this target's
};
const char* word_for(ComparedKey::State state);

struct Comparison {
  // In the order of what it means: nothing to do; a person decides; refused; refused.
  enum class Verdict { same, differs, changed, revoked };
  Verdict verdict = Verdict::same;
  std::vector<ComparedKey> keys;
  enum class Side { shown, pinned };
  std::string fingerprints(Side side) const;
};

// `pinned` and `revoked` are "type base64". Changed means that no pinned key is shown: what is
// there is somebody else until an administrator has looked.
Comparison compare_host_keys(std::span<const std::string> pinned,
                             std::span<const PublicKeyLine> shown,
                             std::span<const std::string> revoked);

// The pins after `added` were accepted. A pinned key goes when a key of its type took its place,
// and when `prune` is given each that is not shown. Never one that is revoked; never one twice.
enum class Accept { all, certified };
std::vector<std::string> pins_after(const Comparison& comparison, Accept accept, bool prune);

}  // namespace sallyport
