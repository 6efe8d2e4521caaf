// SPDX-License-Identifier: Apache-2.0
#include "bastion/ctl/host_keys/compare.h"

#include "tests/support/catch.h"

using namespace sallyport;
using State = ComparedKey::State;
using Verdict = Comparison::Verdict;

namespace {

using Lines = std::vector<std::string>;

// Ed25519 keys that differ in their last byte; base64 of 51 bytes ends without padding.
PublicKeyLine key(char last) {
  return *parse_public_key_line(
      std::string(
          "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJVrPaKAKGYs3rr0b6bIqW/UmbHZ1Cbp0wP9K9Ht2gJ") +
      last);
}

const PublicKeyLine kA = key('A');
const PublicKeyLine kB = key('B');
const PublicKeyLine kEcdsa = *parse_public_key_line(
    "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBJKZq0s6CBt4"
    "9pnfUQC7v9SsGmIFd+8uHkjKv68WTb24mxRu7lhrjeoNb8ghybGacvzX/+ZG7ODsLbjcRdhdNyc=");

Comparison compare(const std::vector<PublicKeyLine>& pinned,
                   const std::vector<PublicKeyLine>& shown,
                   const std::vector<PublicKeyLine>& revoked = {}) {
  const auto lines = [](const std::vector<PublicKeyLine>& keys) {
    Lines out;
    for (const auto& key : keys) {
      out.push_back(key.text());
    }
    return out;
  };
  return compare_host_keys(lines(pinned), shown, lines(revoked));
}

std::vector<State> states(const Comparison& comparison) {
  std::vector<State> out;
  for (const auto& key : comparison.keys) {
    out.push_back(key.state);
  }
  return out;
}

}  // namespace

TEST_CASE("what is shown is pinned, new or changed", "[host_keys]") {
  CHECK(states(compare({kA}, {kA})) == std::vector{State::pinned});
  CHECK(states(compare({kA}, {kA, kEcdsa})) == std::vector{State::pinned, State::added});
  CHECK(states(compare({kA}, {kB})) == std::vector{State::changed, State::replaced});
  CHECK(states(compare({kA}, {kEcdsa})) == std::vector{State::added, State::hidden});
  CHECK(states(compare({kA}, {kA, kB})) == std::vector{State::pinned, State::added});
  CHECK(states(compare({kA, kEcdsa}, {kB, kEcdsa})) ==
        std::vector{State::changed, State::pinned, State::replaced});
  CHECK(states(compare({}, {kA})) == std::vector{State::added});
  CHECK(states(compare({kA}, {kA}, {kA})) == std::vector{State::revoked});
}

TEST_CASE("changed is when no pinned key is shown", "[host_keys]") {
  CHECK(compare({kA}, {kA}).verdict == Verdict::same);
  CHECK(compare({kA, kB}, {kA}).verdict == Verdict::same);
  CHECK(compare({kA}, {kA, kEcdsa}).verdict == Verdict::differs);
  CHECK(compare({kA, kEcdsa}, {kB, kEcdsa}).verdict == Verdict::differs);
  CHECK(compare({}, {kA}).verdict == Verdict::differs);
  CHECK(compare({kA}, {kB}).verdict == Verdict::changed);
  CHECK(compare({kA}, {kEcdsa}).verdict == Verdict::changed);
  CHECK(compare({kA}, {kA, kB}, {kB}).verdict == Verdict::revoked);
}

TEST_CASE("a person's yes pins what is shown in place of what it replaces", "[host_keys]") {
  const auto after = [](const Comparison& comparison, bool prune = false) {
    return pins_after(comparison, Accept::all, prune);
  };
  CHECK(after(compare({}, {kA})) == Lines{kA.text()});
  CHECK(after(compare({kA}, {kB})) == Lines{kB.text()});
  CHECK(after(compare({kA}, {kEcdsa})) == Lines{kEcdsa.text(), kA.text()});
  CHECK(after(compare({kA}, {kEcdsa}), true) == Lines{kEcdsa.text()});
  CHECK(after(compare({kA, kB}, {kA})) == Lines{kA.text(), kB.text()});
  CHECK(after(compare({kA}, {kA, kB}, {kB})) == Lines{kA.text()});
}

TEST_CASE("without a person only what is certified is pinned, and nothing goes", "[host_keys]") {
  auto comparison = compare({kA}, {kB, kEcdsa});
  CHECK(pins_after(comparison, Accept::certified, false) == Lines{kA.text()});
  comparison.keys[0].certified = true;
  CHECK(pins_after(comparison, Accept::certified, false) == Lines{kB.text(), kA.text()});
  CHECK(pins_after(comparison, Accept::certified, true) == Lines{kB.text()});
}

TEST_CASE("a revoked key is not pinned, whoever certifies it", "[host_keys]") {
  auto comparison = compare({kA}, {kA, kB}, {kB});
  comparison.keys[1].certified = true;
  CHECK(pins_after(comparison, Accept::certified, false) == Lines{kA.text()});
}

TEST_CASE("both sides have their fingerprints", "[host_keys]") {
  const auto changed = compare({kA}, {kB});
  CHECK(changed.fingerprints(Comparison::Side::pinned) == kA.fingerprint());
  CHECK(changed.fingerprints(Comparison::Side::shown) == kB.fingerprint());
}
