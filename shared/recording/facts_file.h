// SPDX-License-Identifier: Apache-2.0
//
// facts/<recording>.json: who made a recording, where and by which key. It is personal data, so it
// stands beside the node log and not in it: the log has the hash of it, salted, so that nobody can
// guess the person who was erased. docs/formats/log.md
#pragma once

#include "shared/base/result.h"
#include "shared/crypto/sha256.h"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace sallyport {

inline constexpr size_t kMaxFactsBytes = 16 * 1024;

// Of one recording, when it began; as in the header of the recording itself (facts.h), but for what
// was typed: no command.
struct RecordingFacts {
  std::string recording;  // "<session>-<channel>"
  std::string person;
  std::string agent;  // who acted for the person
  std::string issuer;
  std::string subject;
  std::string target;
  std::string login;
  std::string address;
  std::string fingerprint;
  std::string roles;  // that gave the right, "operators,readers": what retention goes by
  std::string kind;
  uint64_t start_ms = 0;  // Unix
  bool operator==(const RecordingFacts&) const = default;
};

struct FactsFile {
  std::array<uint8_t, 16> salt{};
  std::string event;  // the facts as JSON; the log commits to these very bytes
  bool operator==(const FactsFile&) const = default;
};

// With a fresh salt. Bytes that are not UTF-8 become U+FFFD. Errc::limit: longer than a file may
// be; Errc::invalid: `recording` is not the name of one.
Result<FactsFile> make_facts_file(const RecordingFacts& facts);

// sha256(salt ‖ event), as in the log.
Sha256Digest commitment(const FactsFile& file);

std::string encode_facts_file(const FactsFile& file);

// `name` is for the error. There is one spelling: what is taken encodes to the very same bytes, so
// a file says one thing to all who read it. An end of line after it is no harm.
Result<FactsFile> parse_facts_file(std::string_view text, std::string_view name);
Result<RecordingFacts> parse_facts_event(std::string_view event, std::string_view name);

}  // namespace sallyport
