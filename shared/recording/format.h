// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

// BREC/1 in numbers: docs/formats/brec.md says what they mean. All integers are little-endian,
// except in the nonce.
namespace sallyport::brec {

//   file = header frame* [trailer]
constexpr std::array<uint8_t, 8> kMagic = {'B', 'R', 'E', 'C', 1, '\r', '\n', 0};
constexpr size_t kHeaderSizeAt = 8;  // u16, in units of 256 bytes
constexpr size_t kHeaderSizeUnit = 256;
constexpr size_t kHeaderStep = 512;  // the header's size is a multiple of this
constexpr size_t kMinHeaderBytes = 1024;
constexpr size_t kMaxHeaderBytes = 64 * 1024;
constexpr size_t kEnvelopeLengthAt = 12;  // u32; outside of the chain
constexpr size_t kStartAt = 16;           // u64 Unix milliseconds
constexpr size_t kIdAt = 24;              // 16 bytes
constexpr size_t kNodeAt = 40;            // 32 bytes, NUL padded
constexpr size_t kNodeBytes = 32;
constexpr size_t kCommitAt = 72;     // 32 bytes
constexpr size_t kChannelAt = 104;   // u32, from 0
constexpr size_t kPartAt = 108;      // u8: 0 the channel, 1 what was typed on it
constexpr size_t kZeroAt = 109;      // to 128: zero
constexpr size_t kEnvelopeAt = 128;  // then zero padding; outside of the chain

constexpr size_t kDekBytes = 32;  // the data key, which the envelope holds
constexpr std::string_view kCommitInfo = "brec/1 commit";
constexpr std::string_view kPayloadInfo = "brec/1 payload";
constexpr std::string_view kChainStart = "brec/1 chain";

//   frame = u32 len | u8 type | u8 flags | u16 0 | u64 t_us | body[len]
constexpr size_t kFrameHeaderBytes = 16;
constexpr size_t kMinBodyBytes = 16;  // an empty plaintext's tag
constexpr size_t kMaxBodyBytes = 1024 * 1024;
constexpr uint8_t kFlagSegment = 1;  // on D: a new zstd frame starts here

//   trailer = u64 frame number of E | u64 offset of E | "BREC-END"
constexpr size_t kTrailerBytes = 24;
constexpr std::string_view kTrailerMagic = "BREC-END";

// Writing: a frame is closed at 32 KiB of input, a segment at 1 MiB of text or 5 min.
constexpr size_t kFrameInputBytes = 32 * 1024;
constexpr size_t kMaxEventBytes = 64 * 1024;  // of codes that cannot be split: m, c, r, x
constexpr uint64_t kSegmentTextBytes = 1024 * 1024;
constexpr uint64_t kSegmentUs = 300'000'000;
constexpr size_t kMaxSegments = 16384;  // that E lists; above it every other one is left out

// Reading, and so also writing.
constexpr int kWindowLog = 17;
constexpr size_t kMaxInflatedBytes = 16 * 1024 * 1024;

}  // namespace sallyport::brec
