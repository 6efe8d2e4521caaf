// SPDX-License-Identifier: Apache-2.0
#include "bastion/ctl/host_keys/compare.h"

#include <algorithm>

namespace sallyport {

namespace {

using State = ComparedKey::State;
using Verdict = Comparison::Verdict;
using Lines = std::span<const std::string>;

bool has(Lines lines, const PublicKeyLine& key) {
  return std::find(lines.begin(), lines.end(), key.text()) != lines.end();
}

bool is_shown(std::span<const PublicKeyLine> shown, const std::string& line) {
  return std::any_of(shown.begin(), shown.end(),
                     [&](const PublicKeyLine& key) { return key.text() == line; });
}

std::string type_of(const std::string& line) {
  return line.substr(0, line.find(' '));
}

// A key of the type is pinned, and none of them is shown.
bool takes_a_place(Lines pinned, std::span<const PublicKeyLine> shown, const std::string& type) {
  bool any = false;
  for (const std::string& line : pinned) {
    if (type_of(line) == type) {
      any = true;
      if (is_shown(shown, line)) {
        return false;
      }
    }
  }
  return any;
}

State state_of_shown(const PublicKeyLine& key, Lines pinned, std::span<const PublicKeyLine> shown,
                     Lines revoked) {
  return has(revoked, key)                        ? State::revoked
         : has(pinned, key)                       ? State::pinned
         : takes_a_place(pinned, shown, key.type) ? State::changed
                                                  : State::added;
}

Verdict judge(const Comparison& comparison) {
  const auto any = [&](State state) {
    return std::any_of(comparison.keys.begin(), comparison.keys.end(),
                       [state](const ComparedKey& key) { return key.state == state; });
  };
  if (any(State::revoked)) {
    return Verdict::revoked;
  }
  if ((any(State::replaced) || any(State::hidden)) && !any(State::pinned)) {
    return Verdict::changed;
  }
  return any(State::added) || any(State::changed) ? Verdict::differs : Verdict::same;
}

bool is_of_target(State state) {
  return state != State::replaced && state != State::hidden;
}

}  // namespace

const char* word_for(State state) {
  switch (state) {
    case State::pinned:
      return "pinned";
    case State::added:
      return "new";
    case State::changed:
      return "CHANGED";
    case State::revoked:
      return "REVOKED";
    case State::replaced:
      return "pinned, not shown: another key of its type is";
    case State::hidden:
      return "pinned, not shown";
  }
  return "?";
}

std::string Comparison::fingerprints(Side side) const {
  std::string out;
  for (const ComparedKey& key : keys) {
    const bool shown = is_of_target(key.state);
    if (side == Side::shown ? shown : key.state == State::pinned || !shown) {
      out += (out.empty() ? "" : ", ") + key.key.fingerprint();
    }
  }
  return out;
}

Comparison compare_host_keys(Lines pinned, std::span<const PublicKeyLine> shown, Lines revoked) {
  Comparison out;
  for (const PublicKeyLine& key : shown) {
    out.keys.push_back({state_of_shown(key, pinned, shown, revoked), key});
  }
  for (const std::string& line : pinned) {
    const auto key = parse_public_key_line(line);
    if (key && !is_shown(shown, line)) {
      const bool replaced = std::any_of(out.keys.begin(), out.keys.end(), [&](const auto& other) {
        return other.state == State::changed && other.key.type == key->type;
      });
      out.keys.push_back({replaced ? State::replaced : State::hidden, *key});
    }
  }
  out.verdict = judge(out);
  return out;
}

std::vector<std::string> pins_after(const Comparison& comparison, Accept accept, bool prune) {
  std::vector<std::string> out;
  for (const auto& [state, key, certified] : comparison.keys) {
    const bool wanted = accept == Accept::all || certified;
    const bool stays = state == State::pinned || (state == State::hidden && !prune) ||
                       (state == State::replaced && !prune && accept == Accept::certified) ||
                       ((state == State::added || state == State::changed) && wanted);
    if (stays && std::find(out.begin(), out.end(), key.text()) == out.end()) {
      out.push_back(key.text());
    }
  }
  return out;
}

}  // namespace sallyport
