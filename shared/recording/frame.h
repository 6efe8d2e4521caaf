// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/crypto/aead.h"
#include "shared/recording/format.h"

#include <array>
#include <cstdint>
#include <optional>
#include <span>

namespace sallyport {

enum class FrameType : uint8_t { data = 'D', screen = 'S', bytes = 'B', text = 'T', end = 'E' };

// What a B frame's bytes are: 0 from the user to the target, 1 and 2 back.
enum class ByteDirection : uint8_t { to_target = 0, output = 1, error_output = 2 };

struct FrameHeader {
  uint32_t length = 0;  // of the body, tag included
  FrameType type = FrameType::data;
  uint8_t flags = 0;
  uint64_t t_us = 0;  // since the start of the session; does not decrease
};

using FrameHeaderBytes = std::array<uint8_t, brec::kFrameHeaderBytes>;

FrameHeaderBytes encode_frame_header(const FrameHeader& header);

// None where a field has a value that no writer gives it.
std::optional<FrameHeader> decode_frame_header(const FrameHeaderBytes& bytes);

// 00000000 ‖ u64be(frame number)
std::array<uint8_t, kAeadNonceBytes> frame_nonce(uint64_t number);

// u16, u32, u64 little-endian at the start of `bytes`, which is long enough.
uint64_t get_le(std::span<const uint8_t> bytes, size_t width);
void put_le(std::span<uint8_t> bytes, uint64_t value, size_t width);

}  // namespace sallyport
