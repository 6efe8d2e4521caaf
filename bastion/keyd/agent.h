// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bastion/keyd/signed_data.h"
#include "shared/base/result.h"

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

namespace sallyport {

// The ssh-agent protocol (draft-ietf-sshm-ssh-agent) on one grant's descriptor: it lists one key
// and signs once. No descriptor in here: bytes in, bytes out.
//
//   request                         answer
//   11 request identities           12 with the one key; at most kMaxLists times
//   13 sign, the first one, good    14 with the signature
//   27 extension                    5 failure, unread, once: OpenSSH's client begins with
//                                   session-bind@openssh.com and takes no for an answer
//   anything else, or after a sign  5 failure, and the end
class OneSignatureAgent {
public:
  // Signs `data`; the text has been checked, and algorithm fits the key.
  using Sign = std::function<Result<std::vector<uint8_t>>(std::string_view algorithm,
                                                          std::span<const uint8_t> data)>;

  static constexpr size_t kMaxMessageBytes = 16 * 1024;
  static constexpr int kMaxLists = 4;

  OneSignatureAgent(SigningGrant grant, Sign sign)
      : grant_(std::move(grant)), sign_(std::move(sign)) {}

  // Takes bytes as they came, in pieces or several messages at once, and appends the answers to
  // `out`. An error (its text is for the log) means: send `out`, close, never call again.
  Status receive(std::span<const uint8_t> bytes, std::vector<uint8_t>& out);

  bool has_signed() const { return has_signed_; }

private:
  Status answer(std::span<const uint8_t> message, std::vector<uint8_t>& out);
  Status answer_identities(std::span<const uint8_t> body, std::vector<uint8_t>& out);
  Status answer_sign(std::span<const uint8_t> body, std::vector<uint8_t>& out);

  SigningGrant grant_;
  Sign sign_;
  std::vector<uint8_t> pending_;  // the beginning of a message
  int lists_ = 0;
  bool extension_seen_ = false;
  bool has_signed_ = false;  // or has tried to
};

}  // namespace sallyport
