// SPDX-License-Identifier: Apache-2.0
#include "shared/recording/compression.h"

#include "shared/base/hex.h"
#include "shared/base/log.h"
#include "shared/recording/format.h"

namespace sallyport {

namespace {

constexpr int kLevel = 1;

// Compressing fails only without memory, or when we call it wrongly.
size_t require_zstd(size_t result) {
  if (ZSTD_isError(result) != 0) {
    fatal(std::string("zstd failed: ") + ZSTD_getErrorName(result));
  }
  return result;
}

Error corrupt_text(const std::string& what) {
  return Error{Errc::corrupt, "compressed text: " + what};
}

}  // namespace

Compressor::Compressor() : context_(ZSTD_createCCtx()) {
  if (!context_) {
    fatal("no memory for zstd");
  }
  require_zstd(ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, kLevel));
  require_zstd(ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_windowLog, brec::kWindowLog));
  require_zstd(ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_contentSizeFlag, 0));
}

void Compressor::stream(std::string_view text, Then then, std::vector<uint8_t>& out) {
  const ZSTD_EndDirective directive = then == Then::end ? ZSTD_e_end : ZSTD_e_flush;
  ZSTD_inBuffer in{text.data(), text.size(), 0};
  size_t at = out.size();
  for (size_t left = 1; left != 0;) {
    out.resize(at + ZSTD_compressBound(text.size() - in.pos) + 64);
    ZSTD_outBuffer to{out.data() + at, out.size() - at, 0};
    left = require_zstd(ZSTD_compressStream2(context_.get(), &to, &in, directive));
    at += to.pos;
  }
  out.resize(at);
}

void Compressor::once(std::span<const uint8_t> bytes, std::vector<uint8_t>& out) {
  stream(as_text(bytes), Then::end, out);
}

Inflater::Inflater() : context_(ZSTD_createDCtx()) {
  if (!context_) {
    fatal("no memory for zstd");
  }
  require_zstd(ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, brec::kWindowLog));
}

// Takes all of `bytes`; true when they end with the end of a zstd frame.
Result<bool> Inflater::run(std::span<const uint8_t> bytes, std::string& out) {
  ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
  const size_t start = out.size();
  char piece[64 * 1024];
  for (;;) {
    ZSTD_outBuffer to{piece, sizeof piece, 0};
    const size_t left = ZSTD_decompressStream(context_.get(), &to, &in);
    if (ZSTD_isError(left) != 0) {
      return corrupt_text(ZSTD_getErrorName(left));
    }
    if (out.size() - start + to.pos > brec::kMaxInflatedBytes) {
      return Error{Errc::limit, "compressed text: one frame inflates to more than 16 MiB"};
    }
    out.append(piece, to.pos);
    if (left == 0 && in.pos < in.size) {
      return corrupt_text("bytes after its end");
    }
    if (left == 0 || (in.pos == in.size && to.pos < to.size)) {
      return left == 0;
    }
  }
}

Status Inflater::stream(std::span<const uint8_t> bytes, bool new_segment, std::string& out) {
  if (!new_segment && !open_) {
    return corrupt_text("it goes on where nothing has begun");
  }
  if (new_segment) {
    ZSTD_DCtx_reset(context_.get(), ZSTD_reset_session_only);
  }
  const auto ended = run(bytes, out);
  open_ = ended && !*ended;
  return ended ? ok() : Status(ended.error());
}

Status Inflater::once(std::span<const uint8_t> bytes, std::string& out) {
  ZSTD_DCtx_reset(context_.get(), ZSTD_reset_session_only);
  const auto ended = run(bytes, out);
  if (ended && !*ended) {
    return corrupt_text("cut off");
  }
  return ended ? ok() : Status(ended.error());
}

}  // namespace sallyport
