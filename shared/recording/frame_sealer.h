// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/secret_bytes.h"
#include "shared/crypto/aead.h"
#include "shared/crypto/sha256.h"
#include "shared/recording/frame.h"

#include <cstdint>
#include <span>
#include <vector>

namespace sallyport {

// Turns plaintexts into frames, one number and one nonce after the other, and keeps the chain. A
// sealed frame is either written as it is or the recording ends: a number is never used twice.
class FrameSealer {
public:
  FrameSealer(const SecretBytes& payload_key, const Sha256Digest& first_head)
      : cipher_(AeadCipher::aes_256_gcm, payload_key.span()), head_(first_head) {}

  // Appends one frame to `out`. The plaintext is at most kMaxBodyBytes - 16.
  void seal(FrameType type, uint8_t flags, uint64_t t_us, std::span<const uint8_t> plaintext,
            std::vector<uint8_t>& out);

  uint64_t frames() const { return frames_; }
  const Sha256Digest& head() const { return head_; }

private:
  Aead cipher_;
  Sha256 hash_;
  Sha256Digest head_;
  uint64_t frames_ = 0;
};

// Hᵢ₊₁ = SHA256(Hᵢ ‖ frameᵢ)
Sha256Digest next_head(Sha256& hash, const Sha256Digest& head, std::span<const uint8_t> header,
                       std::span<const uint8_t> body);

}  // namespace sallyport
