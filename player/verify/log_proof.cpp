// SPDX-License-Identifier: Apache-2.0
#include "player/verify/log_proof.h"

#include "shared/base/hex.h"

#include <algorithm>
#include <charconv>

namespace sallyport {

namespace {

constexpr std::string_view kFirstLine = "c2sp.org/tlog-proof@v1\n";
constexpr std::string_view kIndex = "index ";
constexpr size_t kMaxHashes = 64;

Error not_a_proof() {
  return Error{Errc::corrupt, "not a proof of an entry of a log"};
}

std::string_view take_line(std::string_view& text) {
  const size_t end = std::min(text.find('\n'), text.size());
  const auto line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

}  // namespace

std::string log_proof_text(const LogProof& proof) {
  std::string text(kFirstLine);
  text += std::string(kIndex) + std::to_string(proof.index) + "\n";
  for (const Sha256Digest& hash : proof.hashes) {
    text += to_base64(hash) + "\n";
  }
  return text + "\n" + proof.checkpoint;
}

Result<LogProof> parse_log_proof(std::string_view text) {
  if (!text.starts_with(kFirstLine)) {
    return not_a_proof();
  }
  text.remove_prefix(kFirstLine.size());
  const auto index = take_line(text);
  LogProof proof;
  if (!index.starts_with(kIndex)) {
    return not_a_proof();
  }
  const char* end = index.data() + index.size();
  const auto [stop, error] = std::from_chars(index.data() + kIndex.size(), end, proof.index);
  if (error != std::errc() || stop != end) {
    return not_a_proof();
  }
  for (auto line = take_line(text); !line.empty(); line = take_line(text)) {
    const auto bytes = from_base64(line);
    if (!bytes || bytes->size() != sizeof(Sha256Digest) || proof.hashes.size() == kMaxHashes) {
      return not_a_proof();
    }
    std::copy(bytes->begin(), bytes->end(), proof.hashes.emplace_back().begin());
  }
  proof.checkpoint = text;
  return proof.checkpoint.empty() ? Result<LogProof>(not_a_proof()) : proof;
}

}  // namespace sallyport
