// SPDX-License-Identifier: Apache-2.0
#include "shared/recording/frame.h"

namespace sallyport {

uint64_t get_le(std::span<const uint8_t> bytes, size_t width) {
  uint64_t value = 0;
  for (size_t i = width; i > 0; --i) {
    value = value << 8 | bytes[i - 1];
  }
  return value;
}

void put_le(std::span<uint8_t> bytes, uint64_t value, size_t width) {
  for (size_t i = 0; i < width; ++i) {
    bytes[i] = static_cast<uint8_t>(value >> (8 * i));
  }
}

FrameHeaderBytes encode_frame_header(const FrameHeader& header) {
  FrameHeaderBytes bytes{};
  const std::span<uint8_t> out(bytes);
  put_le(out, header.length, 4);
  bytes[4] = static_cast<uint8_t>(header.type);
  bytes[5] = header.flags;
  put_le(out.subspan(8), header.t_us, 8);
  return bytes;
}

std::optional<FrameHeader> decode_frame_header(const FrameHeaderBytes& bytes) {
  const std::span<const uint8_t> in(bytes);
  FrameHeader header;
  header.length = static_cast<uint32_t>(get_le(in, 4));
  header.type = static_cast<FrameType>(bytes[4]);
  header.flags = bytes[5];
  header.t_us = get_le(in.subspan(8), 8);
  uint8_t allowed_flags = 0;
  switch (header.type) {
    case FrameType::data:
      allowed_flags = brec::kFlagSegment;
      break;
    case FrameType::screen:
    case FrameType::bytes:
    case FrameType::text:
    case FrameType::end:
      break;
    default:
      return std::nullopt;
  }
  const bool fits = header.length >= brec::kMinBodyBytes && header.length <= brec::kMaxBodyBytes &&
                    (header.flags & ~allowed_flags) == 0 && bytes[6] == 0 && bytes[7] == 0;
  return fits ? std::optional(header) : std::nullopt;
}

std::array<uint8_t, kAeadNonceBytes> frame_nonce(uint64_t number) {
  std::array<uint8_t, kAeadNonceBytes> nonce{};
  for (size_t i = 0; i < 8; ++i) {
    nonce[11 - i] = static_cast<uint8_t>(number >> (8 * i));
  }
  return nonce;
}

}  // namespace sallyport
