// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/handle.h"
#include "shared/base/result.h"

#include <zstd.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace sallyport {

// zstd as BREC/1 wants it: level 1, a window of 128 KiB, no checksum (the frames have tags). One
// context takes 1 MiB, all of it at the first use; nothing here opens a file. Level 3 measured 3 %
// to 6 % smaller on terminal text, for 0.7 MiB more per session.
class Compressor {
public:
  Compressor();

  // Goes on with the stream and brings everything so far out (flush), or ends the zstd frame too.
  enum class Then { flush, end };
  void stream(std::string_view text, Then then, std::vector<uint8_t>& out);

  // A zstd frame of its own; not while a stream is open.
  void once(std::span<const uint8_t> bytes, std::vector<uint8_t>& out);

private:
  Handle<ZSTD_CCtx, ZSTD_freeCCtx> context_;
};

// The way back, for bytes whose tag has been checked but whose writer may still be broken: the
// window is at most 128 KiB, one call gives at most brec::kMaxInflatedBytes.
class Inflater {
public:
  Inflater();

  // A D frame's plaintext. `new_segment` starts a zstd frame; without it one must be open.
  Status stream(std::span<const uint8_t> bytes, bool new_segment, std::string& out);

  // Exactly one whole zstd frame.
  Status once(std::span<const uint8_t> bytes, std::string& out);

  // After a jump: the next D frame must start a segment.
  void forget() { open_ = false; }

private:
  Result<bool> run(std::span<const uint8_t> bytes, std::string& out);

  Handle<ZSTD_DCtx, ZSTD_freeDCtx> context_;
  bool open_ = false;
};

}  // namespace sallyport
